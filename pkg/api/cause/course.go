package cause

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

// Metrics answer how a signal of a service went.
type Metrics interface {
	Signal(ctx context.Context, service, kind string, window engine.Window) (engine.Signal, error)
	Anomaly(ctx context.Context, q query.Anomaly, window engine.Window) (engine.AnomalyAnswer, error)
}

// Course is how a signal went, with the band in which it was expected. All lists
// have one value per step, NaN where there is none.
type Course struct {
	Name                 string // as "latency of cart"
	Start                time.Time
	Step                 time.Duration
	Actual, Lower, Upper []float64
}

// CourseOf is the course of a signal of a service.
func CourseOf(ctx context.Context, m Metrics, service, signal string, alert Alert) (*Course, error) {
	window := engine.Window{From: alert.At.Add(-before), To: alert.Until, Step: time.Minute}
	found, err := m.Signal(ctx, service, signal, window)
	if err != nil {
		return nil, err
	}
	answer, err := m.Anomaly(ctx, query.Anomaly{Expr: found.Expr}.WithDefaults(), window)
	if err != nil {
		return nil, err
	}
	if len(answer.Series) == 0 {
		return nil, fmt.Errorf("%s of %s has no samples", signal, service)
	}
	r := answer.Series[0].Result
	return courseOf(fmt.Sprintf("%s of %s", signal, service), r), nil
}

func courseOf(name string, r anomaly.Result) *Course {
	return &Course{Name: name, Start: r.Actual.Start, Step: r.Actual.Step, Actual: r.Actual.Values, Lower: r.Lower, Upper: r.Upper}
}

// bars are the heights of a chart of text.
var bars = []rune("▁▂▃▄▅▆▇█")

// maxBars is how wide a chart of text is.
const maxBars = 40

// Text is a chart of one line, with the newest value and its band: each bar is the
// largest value of its part of the time. Empty where there are no values.
func (c *Course) Text() string {
	if c == nil {
		return ""
	}
	parts := min(maxBars, len(c.Actual))
	heights := make([]float64, parts)
	least, most := math.Inf(1), math.Inf(-1)
	last := -1
	for i := range heights {
		heights[i] = math.NaN()
		for k := i * len(c.Actual) / parts; k < (i+1)*len(c.Actual)/parts; k++ {
			v := c.Actual[k]
			if math.IsNaN(v) || math.IsInf(v, 0) {
				continue
			}
			last = k
			if !(v <= heights[i]) {
				heights[i] = v
			}
			least, most = math.Min(least, v), math.Max(most, v)
		}
	}
	if last < 0 {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s since %s: ", c.Name, c.Start.UTC().Format("15:04"))
	for _, v := range heights {
		switch {
		case math.IsNaN(v):
			out.WriteByte(' ')
		case most == least:
			out.WriteRune(bars[0])
		default:
			out.WriteRune(bars[int(math.Round((v-least)/(most-least)*float64(len(bars)-1)))])
		}
	}
	fmt.Fprintf(&out, " now %.3g", c.Actual[last])
	if last < len(c.Lower) && last < len(c.Upper) && !math.IsNaN(c.Lower[last]) && !math.IsNaN(c.Upper[last]) {
		fmt.Fprintf(&out, ", expected %.3g to %.3g", c.Lower[last], c.Upper[last])
	}
	return out.String()
}
