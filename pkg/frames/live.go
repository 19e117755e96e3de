package frames

import (
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

// AnomalyLive is a judged metric as one wide frame, since a live channel
// carries a single schema: the time, then every series' lines, exactly those
// of the panel. Series that could not be judged are left out until they can.
// Every line has a name of its own: by it Grafana hands the values it holds to
// a schema with more or fewer series.
func AnomalyLive(a engine.AnomalyAnswer, q query.Anomaly) *data.Frame {
	live := newFrame("anomaly", data.FrameTypeTimeSeriesWide, data.VisTypeGraph, a.Provenance)
	var times *data.Field
	for _, frame := range anomalyPanel(a, q) {
		if len(frame.Fields) == 0 || frame.Rows() == 0 {
			continue
		}
		if times == nil {
			times = frame.Fields[0]
			live.Fields = append(live.Fields, times)
		}
		// Every series lies on the same grid, see engine.grid.
		if frame.Rows() == times.Len() {
			for _, line := range frame.Fields[1:] {
				line.Name = line.Config.DisplayNameFromDS
				live.Fields = append(live.Fields, line)
			}
		}
	}
	return live
}

// Rows is the part of a frame with first ≤ row < end.
func Rows(frame *data.Frame, first, end int) *data.Frame {
	part := frame.EmptyCopy()
	for i, field := range frame.Fields {
		for row := first; row < end; row++ {
			part.Fields[i].Append(field.At(row))
		}
	}
	return part
}
