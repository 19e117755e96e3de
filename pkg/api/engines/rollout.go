package engines

import (
	"net/http"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/api/promapi"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/rollout"
)

// rolloutReport is a schedule as pipelines read it.
type rolloutReport struct {
	Service         string       `json:"service"`
	At              time.Time    `json:"at"`
	Signal          string       `json:"signal"`
	Bad             float64      `json:"bad"`
	Ratio           float64      `json:"ratio"`
	Rate            float64      `json:"requestsPerSecond"`
	Found           float64      `json:"found"`
	InTime          float64      `json:"inTime"`
	HarmedAtMost    float64      `json:"harmedAtMost"`
	IntervalSeconds float64      `json:"intervalSeconds"`
	DurationSeconds float64      `json:"durationSeconds"`
	Steps           []stepReport `json:"steps"`
	// Argo is YAML for spec.strategy.canary of a Rollout, Flagger for spec.analysis of
	// a Canary; the latter is empty where no schedule with one pause for all weights
	// keeps the promise.
	Argo     string   `json:"argo"`
	Flagger  string   `json:"flagger"`
	Warnings []string `json:"warnings"`
}

type stepReport struct {
	Weight       float64 `json:"weight"`
	PauseSeconds float64 `json:"pauseSeconds"`
	Requests     float64 `json:"requests"`
	Power        float64 `json:"power"`
	Harmed       float64 `json:"harmed"`
}

// Rollout answers the schedule of a rollout as JSON: parameters are the fields of a
// rollout query. A promise that no schedule keeps is refused, with what to relax.
func (a *API) Rollout(w http.ResponseWriter, r *http.Request) {
	q, err := queryOf[query.Rollout](r, query.TypeRollout, "ratio", "slowdown", "probability", "maxHarmed", "from", "maxWeight", "margin")
	if err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	answered, err := a.Engine.Rollout(r.Context(), q, promapi.RuleWindow(a.Now()))
	if err != nil {
		respond.Failure(w, err)
		return
	}
	if !answered.Plan.Kept() {
		var changes []string
		for _, one := range answered.Plan.Relax {
			changes = append(changes, one.Text())
		}
		respond.Error(w, http.StatusUnprocessableEntity, "no schedule keeps the promise; one of these would let one: "+strings.Join(append(changes, answered.Notices...), "; "))
		return
	}
	respond.JSON(w, http.StatusOK, rolloutReportOf(answered))
}

func rolloutReportOf(a engine.RolloutAnswer) rolloutReport {
	report := rolloutReport{
		Service: a.Service, At: a.At, Signal: a.Signal, Bad: a.Bad, Ratio: a.Ratio, Rate: a.Rate, Found: a.Plan.Found, InTime: a.Plan.InTime,
		HarmedAtMost: a.Plan.HarmedAtMost, IntervalSeconds: a.Plan.Interval.Seconds(), DurationSeconds: a.Plan.Duration().Seconds(),
		Argo: rollout.Argo(a.Plan), Warnings: append([]string{}, a.Notices...),
	}
	for _, s := range a.Plan.Steps {
		report.Steps = append(report.Steps, stepReport{s.Weight, s.Pause.Seconds(), s.Requests, s.Power, s.Harmed})
	}
	if len(a.Even.Steps) > 0 {
		report.Flagger = rollout.Flagger(a.Even)
	}
	return report
}
