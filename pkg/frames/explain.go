package frames

import (
	"fmt"
	"math"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/anomaly/contribution"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

const (
	// maxExplainedLabels and maxExplainedValues are how many labels, and values of
	// each, a table shows.
	maxExplainedLabels, maxExplainedValues = 10, 10
)

// Explain shapes the change of a metric, split by labels: a table of values, the
// most telling label first, and a row on the change.
func Explain(a engine.ExplainAnswer, format query.Format) (data.Frames, error) {
	if format != query.Panel {
		return nil, noFormat(query.TypeExplain, format)
	}
	notices := remarksOf(a.Provenance)
	if len(a.Splits) == 0 {
		notices.add(data.NoticeSeverityInfo, "No label of the metric has several values.")
	} else if first := a.Splits[0]; first.Score > 0 && len(first.Parts) > 0 {
		notices.add(data.NoticeSeverityInfo, fmt.Sprintf("%.0f %% of the change is that of %s = %s, which was %.0f %% of the metric before.",
			100*first.Parts[0].Share, first.Label, first.Parts[0].Name, 100*first.Parts[0].Usual))
	}
	return notices.attach(data.Frames{explainTable(a), explainSummary(a)}), nil
}

// explained is one value of one label.
type explained struct {
	label string
	score float64
	contribution.Part
}

func explainTable(a engine.ExplainAnswer) *data.Frame {
	frame := newFrame("explain", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	var rows []explained
	for _, split := range a.Splits[:min(len(a.Splits), maxExplainedLabels)] {
		for _, part := range split.Parts[:min(len(split.Parts), maxExplainedValues)] {
			rows = append(rows, explained{split.Label, split.Score, part})
		}
	}
	text := rowsOf[explained](rows).text
	figure := func(name, title, unit string, value func(explained) float64) *data.Field {
		return column(rows, name, title, unit, func(e explained) *float64 { return nullable(value(e)) })
	}
	before, now, change := "Before", "Now", "Change"
	if a.Histogram {
		limit := number(a.Limit)
		before, now, change = "Beyond "+limit+" before", "Beyond "+limit+" now", "Change of the share beyond "+limit
	}
	level := func(v float64) float64 { return v*a.Scale + a.Offset }
	frame.Fields = data.Fields{
		text("label", "Label", func(e explained) string { return e.label }),
		text("value", "Value", func(e explained) string { return e.Name }),
		figure("share", "Share of the change", "percentunit", func(e explained) float64 { return e.Share }),
		figure("usual", "Part of the metric before", "percentunit", func(e explained) float64 { return e.Usual }),
		figure("change", change, "", func(e explained) float64 { return e.Change * a.Scale }),
		figure("before", before, "", func(e explained) float64 { return level(e.Before) }),
		figure("now", now, "", func(e explained) float64 { return level(e.Now) }),
	}
	if a.Ratio {
		frame.Fields = append(frame.Fields,
			figure("own", "Of it, by its own ratio", "", func(e explained) float64 { return e.Own * a.Scale }),
			figure("mix", "Of it, by its weight", "", func(e explained) float64 { return e.Mix * a.Scale }),
		)
	}
	frame.Fields = append(frame.Fields, figure("score", "Label tells", "percentunit", func(e explained) float64 { return e.score }))
	return frame
}

func explainSummary(a engine.ExplainAnswer) *data.Frame {
	frame := newFrame("change", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	row := []engine.ExplainAnswer{a}
	figure := func(name, title string, value float64) *data.Field {
		return column(row, name, title, "", func(engine.ExplainAnswer) *float64 { return nullable(value) })
	}
	before, now := math.NaN(), math.NaN()
	if len(a.Splits) > 0 {
		before, now = a.Splits[0].Before, a.Splits[0].Now
	}
	frame.Fields = data.Fields{
		column(row, "since", "Since", "", func(a engine.ExplainAnswer) *time.Time { return nullableTime(a.Since) }),
		column(row, "until", "Until", "", func(a engine.ExplainAnswer) *time.Time { return nullableTime(a.Until) }),
		figure("whole_before", "Metric before", before*a.Scale+a.Offset),
		figure("whole_now", "Metric now", now*a.Scale+a.Offset),
		figure("deviation", "Standard errors", a.Deviation),
	}
	if a.Histogram {
		frame.Fields = append(frame.Fields, figure("limit", "Limit of the histogram", a.Limit))
	}
	return frame
}
