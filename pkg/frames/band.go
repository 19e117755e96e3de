package frames

import (
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Grafana's time series panel draws bands by itself: it applies the panel's
// own settings only where the field's configuration is silent, and fills the
// area between a field and the one named in its "fillBelowTo". One frame per
// series (timeseries-multi) keeps series apart, and lets expressions on a
// panel read the first value field, the observations, under the series'
// labels; the further fields they pass over.

// colors are names of Grafana's palette. All lines of a series share one, so
// that a band belongs visibly to its line.
var colors = []string{"blue", "orange", "green", "purple", "yellow", "red"}

// bandFrame is a frame of one series, its fields still to be added.
type bandFrame struct {
	*data.Frame
	name   string // the series' display name
	labels series.Labels
	color  string
}

func newBandFrame(name string, labels series.Labels, position int, times []time.Time, basis engine.Provenance) bandFrame {
	frame := newFrame(name, data.FrameTypeTimeSeriesMulti, data.VisTypeGraph, basis)
	frame.Fields = append(frame.Fields, data.NewField("time", nil, times))
	return bandFrame{frame, name, labels, colors[position%len(colors)]}
}

// add appends a line of the series, value(i) at the i-th time.
func (f bandFrame) add(role string, value func(i int) *float64) {
	values := make([]*float64, f.Fields[0].Len())
	for i := range values {
		values[i] = value(i)
	}
	field := data.NewField(role, data.Labels(f.labels), values)
	field.Config = f.config(role)
	f.Fields = append(f.Fields, field)
}

func (f bandFrame) config(role string) *data.FieldConfig {
	config := &data.FieldConfig{
		DisplayNameFromDS: displayName(f.name, role),
		Color:             map[string]any{"mode": "fixed", "fixedColor": f.color},
	}
	switch role {
	case expected:
		config.Custom = lineStyle(1, "dash", 10, 10)
	case lower:
		config.Custom = invisibleLine()
	case upper:
		config.Custom = invisibleLine()
		config.Custom["fillBelowTo"] = displayName(f.name, lower)
		config.Custom["fillOpacity"] = 20
	case score:
		config.Color["fixedColor"] = "dark-" + f.color
		config.Custom = lineStyle(1, "dot", 0, 6)
		onScoreAxis(config)
	case limit:
		config.Color["fixedColor"] = "red"
		config.Custom = lineStyle(1, "solid")
		delete(config.Custom, "lineStyle")
		config.DisplayNameFromDS = limit // one line, however many series it is for
	case probability:
		config.Unit = "percentunit"
		config.Color["fixedColor"] = "dark-" + f.color
		config.Custom = lineStyle(1, "dot", 0, 6)
		config.Custom["axisPlacement"] = "right"
		config.Custom["axisLabel"] = "probability"
		config.Min, config.Max = new(data.ConfFloat64(0)), new(data.ConfFloat64(1))
	}
	return config
}

// onScoreAxis puts a line on the axis of scores at the right. Grafana shares an
// axis among fields only where all of this is equal.
func onScoreAxis(config *data.FieldConfig) {
	config.Unit = "none" // or the panel would give it the metric's
	config.Custom["axisPlacement"] = "right"
	config.Custom["axisLabel"] = "score"
	config.Min, config.Max = new(data.ConfFloat64(0)), new(data.ConfFloat64(100))
	config.Decimals = new(uint16(0))
}

// lineStyle pins all that would tear a derived line off its band if the panel
// draws bars, points or stacks.
func lineStyle(width int, fill string, dash ...int) map[string]any {
	return map[string]any{
		"drawStyle":   "line",
		"lineWidth":   width,
		"lineStyle":   map[string]any{"fill": fill, "dash": dash},
		"fillOpacity": 0,
		"showPoints":  "never",
		"stacking":    map[string]any{"mode": "none", "group": "A"},
	}
}

// invisibleLine is an edge of a band: neither drawn nor named in the legend,
// but in the tooltip.
func invisibleLine() map[string]any {
	style := lineStyle(0, "solid")
	delete(style, "lineStyle")
	style["hideFrom"] = notInLegend()
	return style
}

func notInLegend() map[string]any {
	return map[string]any{"legend": true, "tooltip": false, "viz": false}
}
