package slo_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/slo"
)

// world is a service with requests by the time of day, a usual share of bad
// requests, and incidents that come as they like.
type world struct {
	random         *rand.Rand
	level, usual   float64
	rate           float64 // incidents per step
	typical, swing float64 // of their durations in steps, log-normal
	harm           float64 // median share of bad requests in them
	heavy          bool    // durations are Pareto's
}

func newWorld(seed uint64, heavy bool) *world {
	r := rand.New(rand.NewPCG(seed, 77))
	return &world{
		random: r, level: math.Exp(6 + 2*r.Float64()), usual: 0.0005 * math.Exp(r.NormFloat64()/2), rate: 1 / (48 * (0.7 + 4*r.Float64())),
		typical: 2 + 6*r.Float64(), swing: 0.4 + r.Float64(), harm: 0.01 * math.Exp(1.5*r.NormFloat64()), heavy: heavy,
	}
}

func (w *world) expected(i int) float64 {
	return w.level * (1 + 0.5*math.Sin(2*math.Pi*float64(i)/48))
}

// counts are so many steps of half an hour.
func (w *world) counts(n int) (total, bad []float64) {
	until, share := 0, 0.0
	for i := range n {
		if i >= until && w.random.Float64() < w.rate {
			lasts := math.Exp(math.Log(w.typical) + w.swing*w.random.NormFloat64())
			if w.heavy {
				lasts = 1.5 / math.Pow(1-w.random.Float64(), 1/1.3)
			}
			until, share = i+max(int(lasts), 1), min(w.harm*math.Exp(0.7*w.random.NormFloat64()), 1)
		}
		r := w.usual
		if i < until {
			r = max(r, share)
		}
		requests := distuv.Poisson{Lambda: w.expected(i), Src: w.random}.Rand()
		failed := 0.0
		if requests > 0 {
			failed = distuv.Binomial{N: requests, P: r, Src: w.random}.Rand()
		}
		total, bad = append(total, requests), append(bad, failed)
	}
	return total, bad
}

// forecastOf is the forecast of requests.
func (w *world) forecastOf(from, horizon int) forecast.Result {
	result := forecast.Result{Start: monday.Add(time.Duration(from) * step), Step: step}
	interval := forecast.Interval{Probability: 0.95}
	for h := range horizon {
		mean := w.expected(from + h)
		result.Mean = append(result.Mean, mean)
		interval.Lower = append(interval.Lower, max(mean-2*math.Sqrt(mean), 0))
		interval.Upper = append(interval.Upper, mean+2*math.Sqrt(mean))
	}
	result.Intervals = []forecast.Interval{interval}
	return result
}

const (
	step    = 30 * time.Minute
	past    = 14 * 48
	horizon = 48
)

var monday = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// record compares what was said with what came.
type record struct {
	bins   [3]struct{ said, came, n float64 } // low, in between, high
	inside float64                            // what was left at the end lay in its interval
	looked float64
}

// look adds one world: what was said of its budget a horizon ahead, and what came.
func (r *record) look(t *testing.T, w *world) {
	total, bad := w.counts(past + horizon)
	whole, err := slo.NewCounts(monday, step, total, bad, false)
	require.NoError(t, err)
	known, err := slo.NewCounts(monday, step, total[:past], bad[:past], false)
	require.NoError(t, err)
	// A target at which the budget is partly burnt now.
	n, b := 0.0, 0.0
	for i := past - 7*48; i < past; i++ {
		n, b = n+total[i], b+bad[i]
	}
	o := slo.Objective{Name: "a", Target: 1 - b/n/(0.4+0.6*w.random.Float64()), Window: 7 * 24 * time.Hour}
	if o.Validate() != nil {
		return
	}
	outlook, err := o.Ahead(known, w.forecastOf(past, horizon))
	require.NoError(t, err)
	course := o.Course(whole, past)
	bin := &r.bins[1]
	switch {
	case outlook.Probability < 0.2:
		bin = &r.bins[0]
	case outlook.Probability > 0.8:
		bin = &r.bins[2]
	}
	bin.said, bin.n = bin.said+outlook.Probability, bin.n+1
	if slices.Min(course) <= 0 {
		bin.came++
	}
	r.looked++
	if last := course[horizon-1]; last >= outlook.Lower[horizon-1]-1e-9 && last <= outlook.Upper[horizon-1]+1e-9 {
		r.inside++
	}
}

// TestProbabilitiesAreCalibrated: of the budgets that are said to be exhausted with
// probability p, about the share p is, also where a few incidents last very long.
// What is left at the end of the horizon lies in its interval as often as is said.
func TestProbabilitiesAreCalibrated(t *testing.T) {
	for name, heavy := range map[string]bool{"log-normal durations": false, "durations without a mean to rely on": true} {
		t.Run(name, func(t *testing.T) {
			var r record
			for seed := range uint64(600) {
				r.look(t, newWorld(seed, heavy))
			}
			said, came := 0.0, 0.0
			for i, bin := range r.bins {
				said, came = said+bin.said, came+bin.came
				t.Logf("%d: said %.3f, came %.3f, of %.0f", i, bin.said/bin.n, bin.came/bin.n, bin.n)
				deviation := math.Sqrt(bin.said / bin.n * (1 - bin.said/bin.n) / bin.n)
				require.InDelta(t, bin.said/bin.n, bin.came/bin.n, 0.03+2.5*deviation)
			}
			t.Logf("%.3f inside their interval, of %.0f", r.inside/r.looked, r.looked)
			require.InDelta(t, said/r.looked, came/r.looked, 0.025)
			require.InDelta(t, 0.8, r.inside/r.looked, 0.08)
		})
	}
}
