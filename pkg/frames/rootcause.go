package frames

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// RootCause shapes the suspects of a change. As a panel: a table of suspects,
// the likeliest first, and a row on the verdict; and a table of what metrics alone
// say, where they were asked; or the ranked deploys. As an alert: 1 for a
// regression, 0 for none, null where the traces do not suffice to tell, under
// the service that was asked about: whom to blame may change while the alert
// stays. As annotations: a regression as a region, with its first suspects.
func RootCause(a engine.RootCauseAnswer, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	switch a.Result.Verdict {
	case diff.Insufficient, diff.NotComparable:
		notices.add(data.NoticeSeverityWarning, a.Result.Reason)
	}
	switch format {
	case query.Panel:
		if a.Changes != nil {
			if a.Result.Verdict == diff.NoChange {
				notices.add(data.NoticeSeverityInfo, a.Result.Reason)
			}
			return notices.attach(data.Frames{changeTable(a), causeSummary(a)}), nil
		}
		if len(a.Result.Suspects) == 0 && (a.Metrics == nil || len(a.Metrics.Result.Suspects) == 0) {
			notices.add(data.NoticeSeverityInfo, cmp.Or(a.Result.Reason, "Nobody is to blame."))
		}
		if leads := a.Result.Hints; len(leads) > 0 && len(a.Result.Suspects) == 0 {
			notices.add(data.NoticeSeverityInfo, fmt.Sprintf("If something is known to be wrong, begin with %s: the strongest of the weak evidence, in the frame \"leads\". None of it is proven.", leads[0].Service))
		}
		shaped := data.Frames{suspectTable(a), causeSummary(a), leadTable(a)}
		switch {
		case a.Metrics == nil:
		case len(a.Result.Suspects) == 0: // what there is to see comes first
			shaped = append(data.Frames{metricCauseTable(a)}, shaped...)
		default:
			shaped = append(shaped, metricCauseTable(a))
		}
		return notices.attach(shaped), nil
	case query.Alert:
		labels := series.Labels{"service_name": a.Service, "operation": a.Operation}
		return alertFrames("regressed", []instance{{labels: labels, value: regressedByAny(a)}}, a.Provenance, notices, "")
	case query.Annotations:
		return annotationFrames("causes", causeEvents(a), a.Provenance, notices, cmp.Or(a.Result.Reason, "No regression.")), nil
	}
	return nil, noFormat(query.TypeRootCause, format)
}

var causeNames = data.ValueMappings{data.ValueMapper{
	string(cause.OwnWork):    {Text: "own work", Index: 0},
	string(cause.Statement):  {Text: "slow statement", Index: 1},
	string(cause.Database):   {Text: "slow database", Index: 2},
	string(cause.Outside):    {Text: "slow peer outside", Index: 3},
	string(cause.WayTo):      {Text: "the way to it", Index: 4},
	string(cause.Starved):    {Text: "starved caller", Index: 5},
	string(cause.MoreCalls):  {Text: "more calls", Index: 6},
	string(cause.FewerCalls): {Text: "fewer calls", Index: 11},
	string(cause.LostCache):  {Text: "lost cache", Index: 13},
	string(cause.PoolWait):   {Text: "waits for a connection", Index: 12},
	string(cause.NewCall):    {Text: "new call", Index: 7},
	string(cause.LostCall):   {Text: "call not made", Index: 8},
	string(cause.Errors):     {Text: "failures", Index: 9},
	string(cause.Unplaced):   {Text: "slower as a whole", Index: 10},
}}

func suspectTable(a engine.RootCauseAnswer) *data.Frame {
	frame := newFrame("suspects", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	suspects := a.Result.Suspects
	text := rowsOf[cause.Suspect](suspects).text
	figure := func(name, title, unit string, value func(cause.Suspect) float64) *data.Field {
		return column(suspects, name, title, unit, func(s cause.Suspect) *float64 { return nullable(value(s)) })
	}
	kind := text("cause", "Cause", func(s cause.Suspect) string { return string(s.Kind) })
	kind.Config.Mappings = causeNames
	frame.Fields = data.Fields{
		text("service", "Service", func(s cause.Suspect) string { return s.Service }),
		kind,
		text("operation", "Operation", func(s cause.Suspect) string { return s.Operation }),
		text("call", "Call", func(s cause.Suspect) string { return s.Call }),
		figure("confidence", "Confidence", "percentunit", func(s cause.Suspect) float64 { return s.Confidence }),
		figure("share", "Share of the change", "percentunit", func(s cause.Suspect) float64 { return s.Share }),
		figure("per_request", "Change per request", "ns", func(s cause.Suspect) float64 { return s.PerRequest }),
		text("why", "Why", func(s cause.Suspect) string { return strings.Join(s.Reasons, "\n") }),
		text("circumstances", "Circumstances", func(s cause.Suspect) string { return circumstancesText(s.Explanations) }),
		text("aspect", "Aspect", func(s cause.Suspect) string { return string(s.Finding.Aspect) }),
		text("change", "Change", func(s cause.Suspect) string { return findingText(s.Finding) }),
		figure("effect", "Effect", "", func(s cause.Suspect) float64 { return s.Finding.Effect }),
		figure("effect_lower", "Effect, at least", "", func(s cause.Suspect) float64 { return s.Finding.Lower }),
		figure("effect_upper", "Effect, at most", "", func(s cause.Suspect) float64 { return s.Finding.Upper }),
		figure("p_value", "Adjusted p", "", func(s cause.Suspect) float64 { return s.Finding.PValue }),
		text("callee", "Callee", func(s cause.Suspect) string { return s.Callee }),
		text("endpoints", "Endpoints harmed", func(s cause.Suspect) string { return strings.Join(s.Endpoints, "; ") }),
		text("example", "Example", func(s cause.Suspect) string { return s.Example }),
		text("baseline_trace", "Baseline trace", func(s cause.Suspect) string { return firstTrace(s.BaselineExamples) }),
		text("candidate_trace", "Candidate trace", func(s cause.Suspect) string { return firstTrace(s.CandidateExamples) }),
		text("path", "Call path", func(s cause.Suspect) string { return s.Path }),
	}
	return frame
}

var leadNames = data.ValueMappings{data.ValueMapper{
	string(diff.SelfTime):  {Text: "own work takes longer?", Index: 0},
	string(diff.Gap):       {Text: "the way to it takes longer?", Index: 1},
	string(diff.ErrorRate): {Text: "fails more often?", Index: 2},
	string(diff.New):       {Text: "makes calls it did not make?", Index: 3},
	string(diff.Gone):      {Text: "calls are not made?", Index: 4},
	string(diff.Last):      {Text: "callers end early after it?", Index: 5},
}}

// leadTable is where to look first when nothing is proven.
func leadTable(a engine.RootCauseAnswer) *data.Frame {
	frame := newFrame("leads", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	text := rowsOf[diff.Hint](a.Result.Hints).text
	kind := text("aspect", "What may have changed", func(l diff.Hint) string { return string(l.Kind) })
	kind.Config.Mappings = leadNames
	frame.Fields = data.Fields{
		text("service", "Lead", func(l diff.Hint) string { return l.Service }),
		kind,
		text("operation", "Operation", func(l diff.Hint) string { return l.Operation }),
		column(a.Result.Hints, "p_value", "p of the service, if nothing changed", "", func(l diff.Hint) *float64 { return nullable(l.PValue) }),
		text("path", "Call path", func(l diff.Hint) string { return l.Path }),
	}
	return frame
}

func causeSummary(a engine.RootCauseAnswer) *data.Frame {
	frame := newFrame("summary", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	row := []engine.RootCauseAnswer{a}
	text := func(name, title, value string) *data.Field {
		return column(row, name, title, "", func(engine.RootCauseAnswer) string { return value })
	}
	count := func(name, title string, value int) *data.Field {
		return column(row, name, title, "", func(engine.RootCauseAnswer) int64 { return int64(value) })
	}
	verdict := text("verdict", "Verdict", string(a.Result.Verdict))
	verdict.Config.Mappings = verdictColors
	frame.Fields = data.Fields{
		verdict,
		text("reason", "Reason", a.Result.Reason),
		text("victims", "Changed by what they call", strings.Join(a.Result.Victims, "; ")),
		count("needed_traces", "Traces still needed", a.NeededTraces),
		text("baseline_version", "Baseline version", a.BaselineVersion),
		count("baseline_traces", "Baseline traces", a.Baseline.Traces),
		text("baseline_traceql", "Baseline TraceQL", a.BaselineTraceQL),
		text("candidate_version", "Candidate version", a.CandidateVersion),
		count("candidate_traces", "Candidate traces", a.Candidate.Traces),
		column(row, "candidate_newest", "Newest candidate trace", "", func(engine.RootCauseAnswer) *time.Time { return nullableTime(a.Candidate.End) }),
		text("candidate_traceql", "Candidate TraceQL", a.CandidateTraceQL),
	}
	return frame
}

func causeEvents(a engine.RootCauseAnswer) []event {
	if a.Changes != nil {
		return changeEvents(a)
	}
	if len(a.Result.Suspects) == 0 && abnormalMetrics(a) {
		return []event{metricCauseEvent(a)}
	}
	if a.Result.Verdict != diff.Regressed || len(a.Result.Suspects) == 0 || a.Candidate.Start.IsZero() {
		return nil
	}
	first := a.Result.Suspects[0]
	tags := []string{"root cause", "service_name:" + first.Service}
	if a.CandidateVersion != "" {
		tags = append(tags, "service_version:"+a.CandidateVersion)
	}
	var lines []string
	for _, s := range a.Result.Suspects[:min(3, len(a.Result.Suspects))] {
		lines = append(lines, fmt.Sprintf("%.0f %% %s: %s", 100*s.Confidence, strings.TrimSpace(s.Service+" "+s.Operation), s.Reasons[0]))
	}
	return []event{{
		start: a.Candidate.Start, end: a.Candidate.End, tags: tags,
		title:    fmt.Sprintf("%s is to blame for the regression of %s", strings.TrimSpace(first.Service+" "+first.Operation), a.Service),
		text:     strings.Join(lines, "\n"),
		identity: strings.Join([]string{a.Service, a.Operation, a.BaselineVersion, a.CandidateVersion}, "\x00"),
	}}
}
