package frames

import (
	"fmt"
	"math"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Composite shapes the health of a service. As a panel: its score and, stacked,
// each signal's contribution to it, for Grafana's time series panel. As an
// alert: the score of now. As annotations: each event as a region.
func Composite(a engine.CompositeAnswer, q query.Composite, format query.Format) (data.Frames, error) {
	switch format {
	case query.Panel:
		if q.View == query.Table {
			return compositeRemarks(a).attach(data.Frames{compositeTable(a)}), nil
		}
		return compositePanel(a), nil
	case query.Alert:
		return compositeAlert(a, q)
	case query.Annotations:
		return compositeAnnotations(a), nil
	}
	return nil, noFormat(query.TypeComposite, format)
}

func compositePanel(a engine.CompositeAnswer) data.Frames {
	result := a.Result
	grid := series.Series{Start: result.Start, Step: result.Step}
	rows := shownRows(grid, a.Shown, result.Score)
	times := timesOf(grid, rows)
	labels := compositeLabels(a)
	frame := newBandFrame(a.Service, labels, 0, times, a.Provenance)
	frame.add(score, func(row int) *float64 { return at(result.Score, rows[row]) })
	for i, signal := range result.Signals {
		values := make([]*float64, len(times))
		for i, row := range rows {
			values[i] = nullable(signal.Share[row] * result.Score[row])
		}
		field := data.NewField("contribution", data.Labels{"service_name": a.Service, "signal": signal.Name}, values)
		field.Config = &data.FieldConfig{
			DisplayNameFromDS: signal.Name,
			Color:             map[string]any{"mode": "fixed", "fixedColor": colors[(i+1)%len(colors)]},
			Custom:            lineStyle(0, "solid"),
		}
		field.Config.Custom["fillOpacity"] = 40
		field.Config.Custom["stacking"] = map[string]any{"mode": "normal", "group": "contributions"}
		onScoreAxis(field.Config)
		frame.Fields = append(frame.Fields, field)
	}
	return compositeRemarks(a).attach(data.Frames{frame.Frame})
}

func compositeLabels(a engine.CompositeAnswer) series.Labels {
	return series.Labels{"service_name": a.Service}
}

// compositeRemarks tell what could not be judged and what was silent.
func compositeRemarks(a engine.CompositeAnswer) remarks {
	notices := remarksOf(a.Provenance)
	notices.addSeries(a.Service, a.Problem, a.Result.Notices)
	for _, signal := range a.Result.Signals {
		notices.addSeries(signal.Name, signal.Problem, nil)
	}
	for _, gap := range a.Result.Gaps {
		notices.add(data.NoticeSeverityWarning, fmt.Sprintf("%s: no samples from %s to %s, while other signals have them. A gap in the telemetry is not counted as an anomaly.",
			gap.Signal, clockTime(gap.Start), clockTime(gap.End)))
	}
	return notices
}

func compositeAlert(a engine.CompositeAnswer, q query.Composite) (data.Frames, error) {
	instances := []instance{{compositeLabels(a), valueOf(q.Value, a.Result.CurrentScore, a.Result.Firing), model{}}}
	return alertFrames(alertName(q.Value, "composite_score"), instances, a.Provenance, compositeRemarks(a), noSeries)
}

func compositeAnnotations(a engine.CompositeAnswer) data.Frames {
	var events []event
	for _, e := range a.Result.Events {
		events = append(events, event{
			start: e.Start, end: e.End,
			title:    "Unusual: " + a.Service,
			text:     fmt.Sprintf("score %s of 100: %s", number(math.Round(e.Score)), witnesses(e.Signals)),
			tags:     []string{"anomaly", "composite", "service_name:" + a.Service},
			identity: a.Service,
		})
	}
	return annotationFrames("anomalies", events, a.Provenance, compositeRemarks(a), "Nothing unusual happened in this window.")
}

// witnesses in a sentence: "latency (70 %), errors (30 %)".
func witnesses(named []anomaly.Witness) string {
	var parts []string
	for _, w := range named {
		parts = append(parts, fmt.Sprintf("%s (%.0f %%)", w.Name, 100*w.Share))
	}
	return strings.Join(parts, ", ")
}
