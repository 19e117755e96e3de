package frames

import (
	"fmt"
	"math"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

// minJudged is the least number of traces from which "no pattern" says
// anything.
const minJudged = 20

// Patterns shapes what makes requests needlessly slow. As a panel: a table, a
// row per pattern, what a deploy brought first. As an alert: how many patterns
// there are or, where a deploy is judged, how many it introduced or worsened;
// null where the traces are too few. As annotations: what a deploy introduced,
// as regions over the time since.
func Patterns(a engine.PatternsAnswer, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	switch format {
	case query.Panel:
		return patternTable(a, notices), nil
	case query.Alert:
		labels := series.Labels{"service_name": a.Service, "operation": a.Operation}
		return alertFrames("patterns", []instance{{labels: labels, value: patternCount(a)}}, a.Provenance, notices, "")
	case query.Annotations:
		return annotationFrames("patterns", patternEvents(a), a.Provenance, notices, "No deploy introduced a pattern."), nil
	}
	return nil, noFormat(query.TypePatterns, format)
}

func patternCount(a engine.PatternsAnswer) float64 {
	if a.Result.Traces < minJudged || a.Compared && a.Result.BaselineTraces < minJudged {
		return math.NaN()
	}
	count := 0
	for _, f := range a.Result.Findings {
		if a.Compared && isNew(f) || !a.Compared {
			count++
		}
	}
	return float64(count)
}

func isNew(f pattern.Finding) bool {
	return f.Change == pattern.Introduced || f.Change == pattern.Grown
}

var patternNames = data.ValueMappings{data.ValueMapper{
	string(pattern.NPlusOne):      {Text: "N+1 statements", Index: 0},
	string(pattern.NPlusOneRPC):   {Text: "N+1 calls", Index: 1},
	string(pattern.Loop):          {Text: "repeating block", Index: 2},
	string(pattern.PagedRead):     {Text: "paged read", Index: 3},
	string(pattern.Duplicate):     {Text: "duplicate call", Index: 4},
	string(pattern.Serial):        {Text: "could run at once", Index: 5},
	string(pattern.Chatty):        {Text: "chatty services", Index: 6},
	string(pattern.ChattyCache):   {Text: "chatty cache", Index: 7},
	string(pattern.SlowQuery):     {Text: "slow statement", Index: 8},
	string(pattern.Retry):         {Text: "retries", Index: 9},
	string(pattern.RetryStorm):    {Text: "retry storm", Index: 10},
	string(pattern.PoolWait):      {Text: "waits for a connection", Index: 11},
	string(pattern.LostCache):     {Text: "lost cache", Index: 12},
	string(pattern.PayloadGrowth): {Text: "larger answers", Index: 13},
	string(pattern.Contention):    {Text: "contention", Index: 14},
	string(pattern.LargePayload):  {Text: "large answers", Index: 15},
	string(pattern.SilentWait):    {Text: "pauses before statements", Index: 16},
}}

var changeColors = data.ValueMappings{data.ValueMapper{
	string(pattern.Introduced): {Text: "introduced", Color: "red", Index: 0},
	string(pattern.Grown):      {Text: "grown", Color: "orange", Index: 1},
	string(pattern.Unchanged):  {Text: "as before", Color: "text", Index: 2},
	string(pattern.Gone):       {Text: "gone", Color: "green", Index: 3},
}}

func patternTable(a engine.PatternsAnswer, notices remarks) data.Frames {
	frame := newFrame("patterns", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	findings := a.Result.Findings
	if len(findings) > maxRows {
		notices.add(data.NoticeSeverityWarning, fmt.Sprintf("The table shows the first %d of %d patterns.", maxRows, len(findings)))
		findings = findings[:maxRows]
	}
	figure := func(name, title, unit string, value func(pattern.Side) float64) *data.Field {
		return column(findings, name, title, unit, func(f pattern.Finding) *float64 { return nullable(value(f.Side)) })
	}
	before := func(name, title, unit string, value func(pattern.Side) float64) *data.Field {
		return column(findings, name, title, unit, func(f pattern.Finding) *float64 {
			if f.Baseline == nil || f.Baseline.Requests == 0 {
				return nil
			}
			return nullable(value(*f.Baseline))
		})
	}
	kind := column(findings, "pattern", "Pattern", "", func(f pattern.Finding) string { return string(f.Kind) })
	kind.Config.Mappings = patternNames
	change := column(findings, "change", "Since the deploy", "", func(f pattern.Finding) string { return string(f.Change) })
	change.Config.Mappings = changeColors
	frame.Fields = data.Fields{
		kind, change,
		column(findings, "service", "Service", "", func(f pattern.Finding) string { return f.Service }),
		column(findings, "operation", "Operation", "", func(f pattern.Finding) string { return f.Operation }),
		column(findings, "call", "Call", "", func(f pattern.Finding) string { return callsText(f.Calls) }),
		figure("saved", "Saves at the median", "ns", func(s pattern.Side) float64 { return s.Saved }),
		figure("saved_share", "Of the endpoint's time", "percentunit", func(s pattern.Side) float64 { return s.SavedShare }),
		figure("share", "Of the traces", "percentunit", func(s pattern.Side) float64 { return s.Share.Estimate }),
		column(findings, "evidence", "What was seen", "", func(f pattern.Finding) string { return f.Evidence }),
		column(findings, "advice", "What to do", "", func(f pattern.Finding) string { return f.Advice }),
		column(findings, "endpoint", "Endpoint", "", func(f pattern.Finding) string {
			return strings.TrimSpace(f.EndpointService + " " + f.EndpointOperation)
		}),
		column(findings, "example", "Example", "", exampleText),
		column(findings, "trace", "Trace", "", func(f pattern.Finding) string { return firstTrace(f.Examples) }),
		figure("saved_p95", "Saves at p95", "ns", func(s pattern.Side) float64 { return s.SavedP95 }),
		figure("share_lower", "At least", "percentunit", func(s pattern.Side) float64 { return s.Share.Lower }),
		figure("share_upper", "At most", "percentunit", func(s pattern.Side) float64 { return s.Share.Upper }),
		figure("repeats", "Calls per trace", "", func(s pattern.Side) float64 { return s.Repeats }),
		figure("time", "Time in them", "ns", func(s pattern.Side) float64 { return s.Time }),
		before("baseline_share", "Of the traces before", "percentunit", func(s pattern.Side) float64 { return s.Share.Estimate }),
		before("baseline_repeats", "Calls per trace before", "", func(s pattern.Side) float64 { return s.Repeats }),
		before("baseline_saved", "Saves at the median before", "ns", func(s pattern.Side) float64 { return s.Saved }),
		column(findings, "p_value", "Adjusted p", "", func(f pattern.Finding) *float64 { return nullable(f.PValue) }),
		column(findings, "traces", "All traces", "", func(f pattern.Finding) string { return allTraces(f.Examples) }),
		column(findings, "path", "Call path", "", func(f pattern.Finding) string { return f.Path }),
	}
	if len(findings) == 0 {
		notices.add(data.NoticeSeverityInfo, fmt.Sprintf("No pattern in %d traces.", a.Result.Traces))
	}
	return notices.attach(data.Frames{frame})
}

func callsText(calls []pattern.Call) string {
	var texts []string
	for _, call := range calls {
		texts = append(texts, call.Operation)
	}
	return strings.Join(texts, "; ")
}

func exampleText(f pattern.Finding) string {
	if len(f.Calls) == 0 {
		return ""
	}
	return f.Calls[0].Example
}

func patternEvents(a engine.PatternsAnswer) (events []event) {
	for _, f := range a.Result.Findings {
		if !a.Compared || !isNew(f) {
			continue
		}
		tags := []string{"pattern", string(f.Kind), "service_name:" + f.Service}
		if a.CandidateVersion != "" {
			tags = append(tags, "service_version:"+a.CandidateVersion)
		}
		events = append(events, event{
			start: a.Start, end: a.End, title: fmt.Sprintf("%s in %s", patternTitle(f.Kind), f.Service),
			text: f.Evidence + ". " + f.Advice, tags: tags,
			identity: strings.Join([]string{string(f.Kind), f.Path, a.BaselineVersion, a.CandidateVersion}, "\x00"),
		})
	}
	return events
}

func patternTitle(kind pattern.Kind) string {
	if mapper, ok := patternNames[0].(data.ValueMapper); ok {
		return mapper[string(kind)].Text
	}
	return string(kind)
}
