package frames

import (
	"math"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Verdict shapes the decision over a canary. As a panel: the verdict in one
// row, tables of signals and resources, and the power of each step of a progressive
// delivery. As an alert: 1 for a failure, 0 for a pass, null where undecided.
func Verdict(a engine.VerdictAnswer, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	switch format {
	case query.Panel:
		return notices.attach(data.Frames{verdictRow(a), verdictSignals(a), verdictResources(a), verdictSteps(a)}), nil
	case query.Alert:
		if a.Judgement.Verdict == canary.Inconclusive {
			notices.add(data.NoticeSeverityWarning, a.Judgement.Reason)
		}
		labels := series.Labels{"service_name": a.Service}
		return alertFrames("failed", []instance{{labels: labels, value: canaryFailed(a.Judgement.Verdict)}}, a.Provenance, notices, "")
	}
	return nil, noFormat(query.TypeVerdict, format)
}

func canaryFailed(verdict canary.Verdict) float64 {
	switch verdict {
	case canary.Fail:
		return 1
	case canary.Pass:
		return 0
	}
	return math.NaN()
}

// canaryScore is NaN where no signal was judged: the score of an undecided
// judgement says nothing then.
func canaryScore(a engine.VerdictAnswer) float64 {
	if a.Judgement.Verdict == canary.Inconclusive && len(a.Judgement.Signals) == 0 {
		return math.NaN()
	}
	return a.Judgement.Score
}

var canaryColors = data.ValueMappings{data.ValueMapper{
	string(canary.Pass):         {Text: "pass", Color: "green", Index: 0},
	string(canary.Fail):         {Text: "fail", Color: "red", Index: 1},
	string(canary.Inconclusive): {Text: "inconclusive", Color: "text", Index: 2},
}}

func verdictRow(a engine.VerdictAnswer) *data.Frame {
	frame := newFrame("verdict", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	row := []engine.VerdictAnswer{a}
	text := func(name, title, value string) *data.Field {
		return column(row, name, title, "", func(engine.VerdictAnswer) string { return value })
	}
	amount := func(name, title, unit string, value float64) *data.Field {
		return column(row, name, title, unit, func(engine.VerdictAnswer) *float64 { return nullable(value) })
	}
	verdict := text("verdict", "Verdict", string(a.Judgement.Verdict))
	verdict.Config.Mappings = canaryColors
	frame.Fields = data.Fields{
		verdict,
		amount("score", "Score", "", canaryScore(a)),
		text("reason", "Reason", a.Judgement.Reason),
		text("service", "Service", a.Service),
		text("baseline_version", "Baseline version", a.BaselineVersion),
		text("candidate_version", "Candidate version", a.CandidateVersion),
		text("traces", "Traces", string(a.Traces)),
		amount("needed_requests", "Requests still needed", "", a.Judgement.NeededRequests),
		amount("needed_seconds", "Time still needed", "s", a.Judgement.Needed.Seconds()),
	}
	return frame
}

func verdictSignals(a engine.VerdictAnswer) *data.Frame {
	frame := newFrame("signals", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	type row = canary.SignalJudgement
	amount := rowsOf[row](a.Judgement.Signals).amount
	verdict := column(a.Judgement.Signals, "verdict", "Verdict", "", func(r row) string { return string(r.Verdict) })
	verdict.Config.Mappings = canaryColors
	frame.Fields = data.Fields{
		column(a.Judgement.Signals, "signal", "Signal", "", func(r row) string { return r.Name }),
		verdict,
		amount("baseline_rate", "Baseline", "percentunit", func(r row) float64 { return rateOf(r.Baseline) }),
		amount("candidate_rate", "Candidate", "percentunit", func(r row) float64 { return rateOf(r.Candidate) }),
		amount("baseline_requests", "Baseline requests", "", func(r row) float64 { return r.Baseline.Requests }),
		amount("candidate_requests", "Candidate requests", "", func(r row) float64 { return r.Candidate.Requests }),
		amount("evidence", "Evidence that it is worse (e-value)", "sci", func(r row) float64 { return r.Evidence }),
		amount("threshold", "Fails from", "", func(r row) float64 { return r.Threshold }),
		amount("sound", "Evidence that it is not (e-value)", "sci", func(r row) float64 { return r.Sound }),
	}
	return frame
}

// rateOf is unknown where there were no requests.
func rateOf(side canary.Tally) float64 {
	if side.Requests == 0 {
		return math.NaN()
	}
	return side.Rate()
}

func verdictResources(a engine.VerdictAnswer) *data.Frame {
	frame := newFrame("resources", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	rows := a.Judgement.Resources
	frame.Fields = data.Fields{
		column(rows, "resource", "Resource", "", func(r canary.Resource) string { return r.Name }),
		column(rows, "full", "Used up by the candidate", "", canary.Resource.Full),
		column(rows, "baseline_use", "Baseline's use", "percentunit", func(r canary.Resource) *float64 { return nullable(r.Baseline) }),
		column(rows, "candidate_use", "Candidate's use", "percentunit", func(r canary.Resource) *float64 { return nullable(r.Candidate) }),
	}
	return frame
}

func verdictSteps(a engine.VerdictAnswer) *data.Frame {
	frame := newFrame("steps", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	power := column(a.Steps, "power", "Power: threefold errors found within 10 minutes", "percentunit",
		func(s canary.Step) *float64 { return nullable(s.Power) })
	power.Config.SetDecimals(1) // next to none is 0 %, not 4.71e-48 %
	frame.Fields = data.Fields{
		column(a.Steps, "share", "Share of the traffic", "percentunit", func(s canary.Step) float64 { return s.Share }),
		power,
	}
	return frame
}
