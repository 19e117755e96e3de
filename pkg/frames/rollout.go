package frames

import (
	"math"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/rollout"
)

// Rollout shapes the schedule of a rollout: a table of its steps, one of what it
// promises and rests on, one of what to relax where no schedule keeps the promise,
// and one with its text for delivery engines.
func Rollout(a engine.RolloutAnswer, format query.Format) (data.Frames, error) {
	if format != query.Panel {
		return nil, noFormat(query.TypeRollout, format)
	}
	notices := remarksOf(a.Provenance)
	if !a.Plan.Kept() {
		for _, r := range a.Plan.Relax {
			notices.add(data.NoticeSeverityWarning, "No schedule keeps the promise: "+r.Text()+".")
		}
	} else if len(a.Even.Steps) == 0 {
		notices.add(data.NoticeSeverityInfo, "Flagger stays equally long at every weight and looks once at each: no such schedule keeps the promise.")
	}
	return notices.attach(data.Frames{rolloutSteps(a), rolloutPromise(a), rolloutRelax(a), rolloutTexts(a)}), nil
}

func rolloutSteps(a engine.RolloutAnswer) *data.Frame {
	frame := newFrame("steps", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	type row struct {
		rollout.Step
		from time.Time
	}
	var rows []row
	at := a.At
	for _, s := range a.Plan.Steps {
		rows = append(rows, row{s, at.UTC()})
		at = at.Add(s.Pause)
	}
	power := column(rows, "power", "Found by the end of the step", "percentunit", func(r row) float64 { return r.Power })
	power.Config.SetDecimals(1)
	harmed := column(rows, "harmed", "Requests harmed until then, on average", "", func(r row) float64 { return r.Harmed })
	harmed.Config.SetDecimals(0)
	requests := column(rows, "requests", "Requests of the new version", "", func(r row) float64 { return r.Requests })
	requests.Config.SetDecimals(0)
	frame.Fields = data.Fields{
		column(rows, "weight", "Weight", "percentunit", func(r row) float64 { return r.Weight }),
		column(rows, "pause", "Pause", "s", func(r row) float64 { return r.Pause.Seconds() }),
		column(rows, "from", "If started now, from", "", func(r row) time.Time { return r.from }),
		requests, power, harmed,
	}
	return frame
}

func rolloutPromise(a engine.RolloutAnswer) *data.Frame {
	frame := newFrame("promise", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	row := []engine.RolloutAnswer{a}
	amount := func(name, title, unit string, value float64) *data.Field {
		return column(row, name, title, unit, func(engine.RolloutAnswer) *float64 { return nullable(value) })
	}
	ofPlan := func(value float64) float64 {
		if !a.Plan.Kept() {
			return math.NaN()
		}
		return value
	}
	frame.Fields = data.Fields{
		column(row, "service", "Service", "", func(r engine.RolloutAnswer) string { return r.Service }),
		column(row, "kept", "Kept", "", func(r engine.RolloutAnswer) bool { return r.Plan.Kept() }),
		column(row, "signal", "Found by", "", func(r engine.RolloutAnswer) string { return r.Signal }),
		amount("found", "Found", "percentunit", ofPlan(a.Plan.Found)),
		amount("in_time", "Found before too many are harmed", "percentunit", ofPlan(a.Plan.InTime)),
		amount("harmed_at_most", "Harmed at most, with the probability", "", ofPlan(math.Ceil(a.Plan.HarmedAtMost))),
		amount("duration", "Duration", "s", ofPlan(a.Plan.Duration().Seconds())),
		amount("interval", "Verdict every", "s", a.Plan.Interval.Seconds()),
		amount("bad", "Requests that go wrong now", "percentunit", a.Bad),
		amount("ratio", "Times as many in a bad version", "", a.Ratio),
		amount("rate", "Requests per second at the begin", "reqps", a.Rate),
		amount("dispersion", "Variance over that of independent requests", "", a.Dispersion),
		amount("pods", "Pods", "", float64(a.Pods)),
	}
	return frame
}

func rolloutRelax(a engine.RolloutAnswer) *data.Frame {
	frame := newFrame("relax", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	rows := a.Plan.Relax
	frame.Fields = data.Fields{
		column(rows, "constraint", "Constraint", "", func(r rollout.Relaxation) string { return string(r.Constraint) }),
		column(rows, "given", "Given", "", func(r rollout.Relaxation) float64 { return r.Given }),
		column(rows, "needed", "Needed", "", func(r rollout.Relaxation) *float64 { return nullable(r.Needed) }),
		column(rows, "text", "What to change", "", rollout.Relaxation.Text),
	}
	return frame
}

func rolloutTexts(a engine.RolloutAnswer) *data.Frame {
	frame := newFrame("engines", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	type row struct{ engine, path, text string }
	var rows []row
	if a.Plan.Kept() {
		rows = append(rows, row{"Argo Rollouts", "spec.strategy.canary", rollout.Argo(a.Plan)})
	}
	if len(a.Even.Steps) > 0 {
		rows = append(rows, row{"Flagger", "spec.analysis", rollout.Flagger(a.Even)})
	}
	frame.Fields = data.Fields{
		column(rows, "engine", "Engine", "", func(r row) string { return r.engine }),
		column(rows, "path", "Path", "", func(r row) string { return r.path }),
		column(rows, "text", "YAML", "", func(r row) string { return r.text }),
	}
	return frame
}
