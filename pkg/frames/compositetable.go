package frames

import (
	"cmp"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
)

// compositeTable is the answer of now in a row: the score, what is unusual, since
// when. Where nothing is, it says so.
func compositeTable(a engine.CompositeAnswer) *data.Frame {
	frame := newFrame("health", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	row := []engine.CompositeAnswer{a}
	since, unusual := compositeNow(a)
	value := column(row, "score", "Score", "", func(a engine.CompositeAnswer) *float64 { return nullable(a.Result.CurrentScore()) })
	value.Config.Min, value.Config.Max = new(data.ConfFloat64(0)), new(data.ConfFloat64(100))
	value.Config.Decimals = new(uint16(0))
	frame.Fields = data.Fields{
		column(row, "service", "Service", "", func(a engine.CompositeAnswer) string { return a.Service }),
		value,
		column(row, "unusual", "Unusual", "", func(engine.CompositeAnswer) string { return unusual }),
		column(row, "since", "Since", "dateTimeFromNow", func(engine.CompositeAnswer) *time.Time { return nullableTime(since) }),
	}
	return frame
}

// compositeNow is the event that goes on, or why there is none.
func compositeNow(a engine.CompositeAnswer) (since time.Time, unusual string) {
	r := a.Result
	if r.Firing() != 1 {
		return since, cmp.Or(a.Problem, "nothing")
	}
	e := r.Events[len(r.Events)-1]
	return e.Start, witnesses(e.Signals)
}
