package frames

import (
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

var comparedNames = data.ValueMappings{data.ValueMapper{
	"pods":   {Text: "new with old pods", Index: 0},
	"before": {Text: "before with after", Index: 1},
	"none":   {Text: "not comparable", Index: 2},
}}

// changeTable is the deploys of a window, the likeliest to blame first.
func changeTable(a engine.RootCauseAnswer) *data.Frame {
	frame := newFrame("changes", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	figure := func(name, title, unit string, value func(engine.Change) float64) *data.Field {
		return column(a.Changes, name, title, unit, func(c engine.Change) *float64 {
			if !c.Judged {
				return nil
			}
			return nullable(value(c))
		})
	}
	text := rowsOf[engine.Change](a.Changes).text
	compared := text("compared", "Compared", func(c engine.Change) string {
		switch {
		case !c.Judged:
			return "none"
		case c.Controlled:
			return "pods"
		}
		return "before"
	})
	compared.Config.Mappings = comparedNames
	frame.Fields = data.Fields{
		text("service", "Service", func(c engine.Change) string { return c.Service }),
		text("version", "Version", func(c engine.Change) string { return c.Version }),
		column(a.Changes, "time", "Deployed", "", func(c engine.Change) time.Time { return c.At }),
		figure("deviations", "Worse by standard deviations", "", func(c engine.Change) float64 { return c.Score }),
		figure("errors", "Errors added", "percentunit", func(c engine.Change) float64 { return c.Errors }),
		figure("slower", "Latency, now to before", "", func(c engine.Change) float64 { return c.Slower }),
		compared,
		text("previous", "Previous version", func(c engine.Change) string { return c.Previous }),
		text("why", "Why", func(c engine.Change) string { return c.Why() }),
	}
	return frame
}

// changeEvents are the deploy to blame, where one is.
func changeEvents(a engine.RootCauseAnswer) []event {
	if a.Result.Verdict != diff.Regressed || len(a.Changes) == 0 {
		return nil
	}
	first := a.Changes[0]
	return []event{{
		start: first.At, end: a.End, tags: []string{"root cause", "service_name:" + first.Service, "service_version:" + first.Version},
		title:    first.Service + " " + first.Version + " is to blame",
		text:     first.Why(),
		identity: strings.Join([]string{a.Service, "changes", first.Service, first.Version}, "\x00"),
	}}
}
