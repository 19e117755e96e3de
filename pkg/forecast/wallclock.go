package forecast

import (
	"math"
	"sort"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/series"
)

// clockYears is for how long beyond the history changes of the clock are known.
const clockYears = 2

// wallClock lays a regular grid of instants on the one that the clocks of a
// place show, so that nine o'clock stays at the same phase of the day when
// daylight saving begins or ends. The hour that a clock leaves out is missing;
// of an hour that it shows twice, only the first counts. Without one (nil), the
// two grids are the same.
type wallClock struct {
	from   []int // first point after each change of the clock, ascending
	shifts []int // points that the clock is ahead since then, against the first point
}

// clockOf is the wall clock of start's location for n points and horizon more.
// It is nil where the clock does not change within them, and ok is false where
// it changes by no whole number of steps.
func clockOf(start time.Time, step time.Duration, n, horizon int) (clock *wallClock, ok bool) {
	offset := func(t time.Time) time.Duration {
		_, seconds := t.Zone()
		return time.Duration(seconds) * time.Second
	}
	c := &wallClock{}
	span := int64(n) + int64(horizon)
	if step < time.Second || span > math.MaxInt64/2/int64(step) {
		return nil, true // too fine to hold days, or too long for a clock
	}
	last := start.Add(time.Duration(span) * step)
	inside := false
	for t := start; ; {
		_, change := t.ZoneBounds()
		if change.IsZero() || !change.Before(last.AddDate(clockYears, 0, 0)) {
			break
		}
		if !change.After(t) {
			t = t.AddDate(0, 0, 1) // beyond its tables, Go may stand still at a year's end
			continue
		}
		t = change
		ahead := offset(change) - offset(start)
		if ahead%step != 0 {
			return nil, !change.Before(last)
		}
		inside = inside || change.Before(last)
		c.from = append(c.from, int((change.Sub(start)+step-1)/step))
		c.shifts = append(c.shifts, int(ahead/step))
	}
	if len(c.from) == 0 || !inside {
		return nil, true
	}
	return c, true
}

func (c *wallClock) shift(i int) int {
	if c == nil {
		return 0
	}
	at := sort.SearchInts(c.from, i+1) - 1
	if at < 0 {
		return 0
	}
	return c.shifts[at]
}

// point is where the clock shows point i of the instants.
func (c *wallClock) point(i int) int { return i + c.shift(i) }

// instant is the point that the clock shows at w; of an hour left out, one
// nearby.
func (c *wallClock) instant(w int) int {
	i := w - c.shift(w)
	return w - c.shift(i)
}

// lay puts values on the clock's grid.
func (c *wallClock) lay(values []float64) []float64 {
	if c == nil {
		return values
	}
	laid := make([]float64, 0, len(values))
	for i, v := range values {
		for len(laid) < c.point(i) {
			laid = append(laid, math.NaN())
		}
		if len(laid) == c.point(i) {
			laid = append(laid, v)
		}
	}
	return laid
}

// withoutIncidents is series.WithoutIncidents with seasons that follow the
// clock.
func (c *wallClock) withoutIncidents(values []float64, periods []int) []float64 {
	laid := series.WithoutIncidents(c.lay(values), periods, incidentLimit, series.KeepRecurring)
	clean := make([]float64, len(values))
	for i := range clean {
		clean[i] = laid[min(c.point(i), len(laid)-1)]
		if math.IsNaN(values[i]) {
			clean[i] = math.NaN()
		}
	}
	return clean
}

// onWallClock lets a model see the values as the clock shows them.
type onWallClock struct {
	Model
	clock *wallClock
}

func (m onWallClock) LongestPeriod() int { return model.Season(m.Model) }

func (m onWallClock) Costly() bool { return model.IsCostly(m.Model) }

func (m onWallClock) Fit(y []float64) (Fitted, error) {
	laid := m.clock.lay(y)
	fitted, err := m.Model.Fit(laid)
	return &wallClockFit{Fitted: fitted, clock: m.clock, now: len(y), next: len(laid)}, err
}

type wallClockFit struct {
	Fitted
	clock *wallClock
	now   int // instants seen
	next  int // point of the clock that the model expects next
}

func (f *wallClockFit) Observe(v float64) {
	for ; f.next < f.clock.point(f.now); f.next++ {
		f.Fitted.Observe(math.NaN())
	}
	if f.next == f.clock.point(f.now) {
		f.Fitted.Observe(v)
		f.next++
	}
	f.now++
}

func (f *wallClockFit) Forecast(horizon int) []float64 {
	ahead := func(h int) int { return max(f.clock.point(f.now+h)-f.next, 0) }
	longest := 0
	for h := range horizon {
		longest = max(longest, ahead(h))
	}
	shown := f.Fitted.Forecast(longest + 1)
	mean := make([]float64, horizon)
	for h := range mean {
		mean[h] = shown[ahead(h)]
	}
	return mean
}
