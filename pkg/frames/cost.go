package frames

import (
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Cost says what an answer asked of its upstreams, where Grafana's inspector
// shows statistics. An answer out of memory has asked nothing, and says so.
func Cost(frames data.Frames, meter *upstream.Meter) {
	if len(frames) == 0 || frames[0].Meta == nil {
		return
	}
	var stats []data.QueryStat
	requests := int64(0)
	meter.Each(func(name string, work upstream.Work) {
		requests += work.Requests
		for _, one := range []struct {
			what, unit string
			value      int64
		}{
			{"requests", "", work.Requests}, {"answers", "bytes", work.Bytes},
			{"series", "", work.Series}, {"samples", "", work.Samples},
			{"traces", "", work.Traces}, {"spans", "", work.Spans},
		} {
			if one.value > 0 {
				stats = append(stats, stat(name+": "+one.what, one.unit, one.value))
			}
		}
	})
	frames[0].Meta.Stats = append([]data.QueryStat{stat("Requests to upstreams", "", requests)}, stats...)
}

func stat(name, unit string, value int64) data.QueryStat {
	return data.QueryStat{FieldConfig: data.FieldConfig{DisplayName: name, Unit: unit}, Value: float64(value)}
}
