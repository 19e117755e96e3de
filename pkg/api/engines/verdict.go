package engines

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/api/verdict"
	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine"
)

// phases are the verdicts in the words of Argo Rollouts.
var phases = map[canary.Verdict]string{canary.Pass: "Successful", canary.Inconclusive: "Inconclusive", canary.Fail: "Failed"}

// decision is a verdict as engines read it. All that is in it may be stored
// with the rollout, so it is small.
type decision struct {
	Verdict   canary.Verdict `json:"verdict"`
	Phase     string         `json:"phase"`
	Score     float64        `json:"score"`
	Reason    string         `json:"reason"`
	Service   string         `json:"service"`
	Baseline  string         `json:"baseline"`
	Candidate string         `json:"candidate"`
	// NeededRequests and NeededSeconds are about what it takes to pass; 0 where
	// decided or where nothing can be said.
	NeededRequests float64          `json:"neededRequests"`
	NeededSeconds  float64          `json:"neededSeconds"`
	Window         decisionWindow   `json:"window"`
	ID             string           `json:"id"` // equal for equal evidence
	Metrics        []decisionSignal `json:"metrics,omitempty"`
	// Resources are shares in use, 0–1.
	Resources []decisionResource `json:"resources,omitempty"`
	Warnings  []string           `json:"warnings,omitempty"`
}

type decisionWindow struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Served time.Time `json:"served"` // when both versions served last
}

type decisionSignal struct {
	Name      string         `json:"name"`
	Critical  bool           `json:"critical"`
	Verdict   canary.Verdict `json:"verdict"`
	Baseline  decisionTally  `json:"baseline"`
	Candidate decisionTally  `json:"candidate"`
	// Evidence and Sound decide from their thresholds on.
	Evidence  float64 `json:"evidence"`
	Threshold float64 `json:"threshold"`
	Sound     float64 `json:"sound"`
}

type decisionResource struct {
	Name      string   `json:"name"`
	Full      bool     `json:"full"`
	Baseline  *float64 `json:"baseline"` // null where not known
	Candidate *float64 `json:"candidate"`
}

type decisionTally struct {
	Bad      float64 `json:"bad"`
	Requests float64 `json:"requests"`
}

// Verdict answers the web provider of Argo Rollouts, and other clients that read
// JSON.
// The parameters come in the query, or in a JSON object that is posted. With
// view=min the answer has no signals and no warnings.
func (a *API) Verdict(w http.ResponseWriter, r *http.Request) {
	request := requestOf(r)
	if r.Method == http.MethodPost {
		raw, status, err := respond.Body(w, r)
		if err != nil {
			respond.Error(w, status, err.Error())
			return
		}
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &request); err != nil {
				respond.Error(w, http.StatusBadRequest, fmt.Sprintf("the body must be a JSON object of texts with service, candidate, baseline, operation, margin and window: %v", err))
				return
			}
		}
	}
	decided, err := a.Decider.Decide(r.Context(), request)
	if err != nil {
		respond.Failure(w, err)
		return
	}
	d := decisionOf(decided)
	if r.URL.Query().Get("view") == "min" {
		d.Metrics, d.Resources, d.Warnings = nil, nil, nil
	}
	respond.JSON(w, http.StatusOK, d)
}

// requestOf is what a request's URL says of a rollout.
func requestOf(r *http.Request) verdict.Request {
	q := r.URL.Query()
	return verdict.Request{
		Service: q.Get("service"), Candidate: q.Get("candidate"), Baseline: q.Get("baseline"),
		Operation: q.Get("operation"), Margin: q.Get("margin"), Window: q.Get("window"),
	}
}

func decisionOf(decided engine.VerdictAnswer) decision {
	j := decided.Judgement
	d := decision{
		Verdict: j.Verdict, Phase: phases[j.Verdict], Score: j.Score, Reason: j.Reason,
		Service: decided.Service, Baseline: decided.BaselineVersion, Candidate: decided.CandidateVersion,
		NeededRequests: j.NeededRequests, NeededSeconds: j.Needed.Seconds(),
		Window:   decisionWindow{decided.From.UTC(), decided.To.UTC(), decided.Served.UTC()},
		Warnings: decided.Notices,
	}
	identity := []string{decided.Service, decided.BaselineVersion, decided.CandidateVersion, string(j.Verdict)}
	for _, s := range j.Signals {
		tally := func(t canary.Tally) decisionTally { return decisionTally(t) }
		d.Metrics = append(d.Metrics, decisionSignal{
			Name: s.Name, Critical: s.Critical, Verdict: s.Verdict, Baseline: tally(s.Baseline), Candidate: tally(s.Candidate),
			Evidence: bounded(s.Evidence), Threshold: s.Threshold, Sound: bounded(s.Sound),
		})
		for _, n := range []float64{s.Baseline.Bad, s.Baseline.Requests, s.Candidate.Bad, s.Candidate.Requests} {
			identity = append(identity, strconv.FormatFloat(n, 'g', -1, 64))
		}
	}
	for _, r := range j.Resources {
		d.Resources = append(d.Resources, decisionResource{r.Name, r.Full(), finite(r.Baseline), finite(r.Candidate)})
	}
	hash := sha256.Sum256([]byte(strings.Join(identity, "\x00")))
	d.ID = hex.EncodeToString(hash[:16])
	return d
}

// bounded keeps an e-value inside what JSON can hold.
func bounded(e float64) float64 { return min(e, 1e300) }
