package frames

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// Grafana's table panel shows the first field first and formats each by its
// unit: what to look at comes before the figures it rests on.

// maxRows is how many call paths a browser's table takes without effort.
const maxRows = 1000

// pathTable has a row per call path, those with findings first. A figure is
// null where the path does not occur on that side.
func pathTable(a engine.TraceDiffAnswer, notices *remarks) *data.Frame {
	frame := newFrame("paths", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	paths := a.Result.Paths
	if len(paths) > maxRows {
		notices.add(data.NoticeSeverityWarning, fmt.Sprintf("The table shows the first %d of %d call paths.", maxRows, len(paths)))
		paths = paths[:maxRows]
	}
	frame.Fields = data.Fields{
		column(paths, "service", "Service", "", func(p diff.Path) string { return p.Service }),
		column(paths, "operation", "Operation", "", func(p diff.Path) string { return p.Operation }),
		column(paths, "finding", "Finding", "", func(p diff.Path) string { return findingsText(p.Findings) }),
		column(paths, "responsible", "Responsible", "", func(p diff.Path) bool { return p.Responsible }),
		column(paths, "share", "Share of the change", "percentunit", func(p diff.Path) *float64 { return nullable(p.Share) }),
	}
	baseline := sideColumns(paths, "baseline", "Baseline", func(p diff.Path) diff.PathSummary { return p.Baseline })
	candidate := sideColumns(paths, "candidate", "Candidate", func(p diff.Path) diff.PathSummary { return p.Candidate })
	frame.Fields = append(frame.Fields, baseline[:figuresOfInterest]...)
	frame.Fields = append(frame.Fields, candidate[:figuresOfInterest]...)
	frame.Fields = append(frame.Fields,
		column(paths, "baseline_trace", "Baseline trace", "", func(p diff.Path) string { return firstTrace(p.BaselineExamples) }),
		column(paths, "candidate_trace", "Candidate trace", "", func(p diff.Path) string { return firstTrace(p.CandidateExamples) }),
		column(paths, "example", "Example", "", func(p diff.Path) string { return p.Example }),
		column(paths, "circumstances", "Circumstances", "", circumstancesOf(a)),
		column(paths, "kind", "Kind", "", func(p diff.Path) string { return p.Kind.String() }),
		column(paths, "aspect", "Aspect", "", func(p diff.Path) string { return string(leading(p).Aspect) }),
		column(paths, "effect", "Effect", "", leadingFigure(func(f diff.Finding) float64 { return f.Effect })),
		column(paths, "effect_lower", "Effect, at least", "", leadingFigure(func(f diff.Finding) float64 { return f.Lower })),
		column(paths, "effect_upper", "Effect, at most", "", leadingFigure(func(f diff.Finding) float64 { return f.Upper })),
		column(paths, "p_value", "Adjusted p", "", leadingFigure(func(f diff.Finding) float64 { return f.PValue })),
	)
	frame.Fields = append(frame.Fields, baseline[figuresOfInterest:]...)
	frame.Fields = append(frame.Fields, candidate[figuresOfInterest:]...)
	frame.Fields = append(frame.Fields,
		column(paths, "baseline_trace_ids", "All baseline traces", "", func(p diff.Path) string { return allTraces(p.BaselineExamples) }),
		column(paths, "candidate_trace_ids", "All candidate traces", "", func(p diff.Path) string { return allTraces(p.CandidateExamples) }),
		column(paths, "depth", "Depth", "", func(p diff.Path) int64 { return int64(p.Depth) }),
		column(paths, "path", "Call path", "", func(p diff.Path) string { return p.Key }),
	)
	if len(paths) == 0 {
		notices.add(data.NoticeSeverityInfo, cmp.Or(a.Result.Reason, "No call paths were compared."))
	}
	return frame
}

// figuresOfInterest are those of a side that come first: Explore shows the
// first twenty columns only.
const figuresOfInterest = 3

// sideColumns are the figures of one population.
func sideColumns(paths []diff.Path, name, title string, side func(diff.Path) diff.PathSummary) data.Fields {
	figure := func(suffix, label, unit string, value func(diff.PathSummary) float64) *data.Field {
		return column(paths, name+"_"+suffix, title+" "+label, unit, func(p diff.Path) *float64 {
			if s := side(p); s.Calls > 0 {
				return nullable(value(s))
			}
			return nil
		})
	}
	return data.Fields{
		figure("p50", "p50", "ns", func(s diff.PathSummary) float64 { return s.Duration.P50 }),
		figure("p95", "p95", "ns", func(s diff.PathSummary) float64 { return s.Duration.P95 }),
		figure("error_rate", "errors", "percentunit", func(s diff.PathSummary) float64 { return s.ErrorRate }),
		figure("p99", "p99", "ns", func(s diff.PathSummary) float64 { return s.Duration.P99 }),
		figure("self_p50", "self time p50", "ns", func(s diff.PathSummary) float64 { return s.SelfTime.P50 }),
		figure("self_p95", "self time p95", "ns", func(s diff.PathSummary) float64 { return s.SelfTime.P95 }),
		figure("self_p99", "self time p99", "ns", func(s diff.PathSummary) float64 { return s.SelfTime.P99 }),
		figure("calls_per_request", "calls per request", "", func(s diff.PathSummary) float64 { return s.CallsPerRequest }),
	}
}

func leading(p diff.Path) diff.Finding {
	if len(p.Findings) == 0 {
		return diff.Finding{}
	}
	return p.Findings[0]
}

func leadingFigure(figure func(diff.Finding) float64) func(diff.Path) *float64 {
	return func(p diff.Path) *float64 {
		if len(p.Findings) == 0 {
			return nil
		}
		return nullable(figure(p.Findings[0]))
	}
}

func firstTrace(ids []trace.TraceID) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[0].String()
}

func allTraces(ids []trace.TraceID) string {
	var texts []string
	for _, id := range ids {
		texts = append(texts, id.String())
	}
	return strings.Join(texts, " ")
}

func findingsText(findings []diff.Finding) string {
	var texts []string
	for _, f := range findings {
		texts = append(texts, findingText(f))
	}
	return strings.Join(texts, "; ")
}

// findingText is one finding in words, with its interval and evidence.
func findingText(f diff.Finding) string {
	switch f.Aspect {
	case diff.ErrorRate:
		return "errors " + withEvidence(f, "%+.1f points", 100)
	case diff.New:
		return "new, in this share of the requests: " + withEvidence(f, "%.0f %%", 100)
	case diff.Gone:
		return "gone, was in this share of the requests: " + withEvidence(f, "%.0f %%", 100)
	}
	return ratioNames[f.Aspect] + " " + withEvidence(f, "×%.2f", 1)
}

// ratioNames are the aspects whose effect is a ratio, in words.
var ratioNames = map[diff.Aspect]string{
	diff.Latency:  "duration",
	diff.SelfTime: "self time",
	diff.Gap:      "time between caller and service",
	diff.Tail:     "slowest tenth",
	diff.OwnTail:  "slowest tenth of its own time",
	diff.Calls:    "calls per request",
}

// withEvidence writes the effect, scaled, with as much of its interval and
// p-value as is known.
func withEvidence(f diff.Finding, format string, scale float64) string {
	effect, low, high := scale*f.Effect, scale*f.Lower, scale*f.Upper
	text := "unknown"
	if isFinite(effect) {
		text = fmt.Sprintf(format, effect)
	}
	if isFinite(low) && isFinite(high) {
		text += fmt.Sprintf(" ("+format+" to "+format+")", low, high)
	}
	if isFinite(f.PValue) {
		text += fmt.Sprintf(", p = %.2g", f.PValue)
	}
	return text
}
