package frames

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// TraceDiff shapes the comparison of two populations of traces. As a panel: a
// differential flame graph, a one-row summary and a table of call paths, or
// the one of them that q.View names; or what attributes tell the two apart. The flame graph comes first because
// Grafana's flame graph panel reads the first frame only, whereas tables let
// people choose. As an alert: 1 for a regression, 0 for none, null where the
// traces do not suffice to tell. As annotations: a regression as a region over
// the candidate's traces.
func TraceDiff(a engine.TraceDiffAnswer, q query.TraceDiff, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	notices.add(data.NoticeSeverityWarning, a.Result.Notices...)
	switch a.Result.Verdict {
	case diff.Insufficient, diff.NotComparable:
		notices.add(data.NoticeSeverityWarning, a.Result.Reason)
	}
	switch format {
	case query.Panel:
		return traceDiffPanel(a, q.View, notices), nil
	case query.Alert:
		labels := series.Labels{"service_name": a.Service, "operation": a.Operation}
		return alertFrames("regressed", []instance{{labels: labels, value: regressed(a.Result.Verdict)}}, a.Provenance, notices, "")
	case query.Annotations:
		return annotationFrames("regressions", regressionEvents(a), a.Provenance, notices, cmp.Or(a.Result.Reason, "No regression.")), nil
	}
	return nil, noFormat(query.TypeTraceDiff, format)
}

func traceDiffPanel(a engine.TraceDiffAnswer, view query.View, notices remarks) data.Frames {
	if view == query.Attributes {
		return attributePanel(a)
	}
	if view == query.Percentiles {
		return notices.attach(data.Frames{percentiles(a)})
	}
	var frames data.Frames
	if view == "" || view == query.FlameGraph {
		frames = append(frames, flameGraph(a, &notices))
	}
	if view == "" || view == query.Summary {
		frames = append(frames, summary(a))
	}
	if view == "" || view == query.Paths {
		frames = append(frames, pathTable(a, &notices))
	}
	return notices.attach(frames)
}

func regressed(verdict diff.Verdict) float64 {
	switch verdict {
	case diff.Regressed:
		return 1
	case diff.Improved, diff.Changed, diff.NoChange:
		return 0
	}
	return math.NaN()
}

// verdictColors make a verdict readable from afar in tables and stat panels.
var verdictColors = data.ValueMappings{data.ValueMapper{
	string(diff.Regressed):     {Text: "regressed", Color: "red", Index: 0},
	string(diff.Improved):      {Text: "improved", Color: "green", Index: 1},
	string(diff.Changed):       {Text: "changed", Color: "yellow", Index: 2},
	string(diff.NoChange):      {Text: "no significant difference", Color: "green", Index: 3},
	string(diff.Insufficient):  {Text: "not enough traces", Color: "text", Index: 4},
	string(diff.NotComparable): {Text: "not comparable", Color: "text", Index: 5},
}}

func summary(a engine.TraceDiffAnswer) *data.Frame {
	type side struct {
		name, title, version, traceQL string
		population                    diff.PopulationSummary
	}
	frame := newFrame("summary", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	row := []engine.TraceDiffAnswer{a}
	text := func(name, title, value string) *data.Field {
		return column(row, name, title, "", func(engine.TraceDiffAnswer) string { return value })
	}
	count := func(name, title string, value int) *data.Field {
		return column(row, name, title, "", func(engine.TraceDiffAnswer) int64 { return int64(value) })
	}
	moment := func(name, title string, value time.Time) *data.Field {
		return column(row, name, title, "", func(engine.TraceDiffAnswer) *time.Time { return nullableTime(value) })
	}
	verdict := text("verdict", "Verdict", string(a.Result.Verdict))
	verdict.Config.Mappings = verdictColors
	frame.Fields = data.Fields{
		verdict,
		text("reason", "Reason", a.Result.Reason),
		text("asked_service", "Asked service", a.Service),
		text("asked_operation", "Asked operation", a.Operation),
		count("needed_traces", "Traces still needed", a.Result.NeededTraces),
	}
	for _, s := range []side{
		{"baseline", "Baseline", a.BaselineVersion, a.BaselineTraceQL, a.Result.Baseline},
		{"candidate", "Candidate", a.CandidateVersion, a.CandidateTraceQL, a.Result.Candidate},
	} {
		frame.Fields = append(frame.Fields,
			text(s.name+"_version", s.title+" version", s.version),
			count(s.name+"_traces", s.title+" traces", s.population.Traces),
			count(s.name+"_spans", s.title+" spans", s.population.Spans),
			count(s.name+"_incomplete", s.title+" incomplete traces", s.population.Incomplete),
			moment(s.name+"_start", s.title+" start", s.population.Start),
			moment(s.name+"_end", s.title+" end", s.population.End),
			text(s.name+"_traceql", s.title+" TraceQL", s.traceQL),
		)
	}
	return frame
}

func regressionEvents(a engine.TraceDiffAnswer) []event {
	if a.Result.Verdict != diff.Regressed || a.Result.Candidate.Start.IsZero() {
		return nil
	}
	what := strings.TrimSpace(a.Service + " " + a.Operation)
	tags := []string{"regression", "service_name:" + a.Service}
	if a.CandidateVersion != "" {
		what = fmt.Sprintf("%s (%s)", what, a.CandidateVersion)
		tags = append(tags, "service_version:"+a.CandidateVersion)
	}
	return []event{{
		start: a.Result.Candidate.Start, end: a.Result.Candidate.End,
		title: "Regression of " + what, text: a.Result.Reason, tags: tags,
		identity: strings.Join([]string{a.Service, a.Operation, a.BaselineVersion, a.CandidateVersion}, "\x00"),
	}}
}
