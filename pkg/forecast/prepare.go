package forecast

import (
	"fmt"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	fewestObserved = 20        // below it no interval can be calibrated
	longestFit     = 5_000     // points a model learns from; longer histories are averaged down
	longestHorizon = 1_000_000 // points
	incidentLimit  = 5         // spreads from the expected beyond which a point does not teach
)

// prepared is a history made ready for models: finite, of scale one, with past
// incidents cut off.
type prepared struct {
	observed []float64 // scaled
	unit     float64   // of the scale: value = unit·scaled
	factor   int       // points of observed averaged into one of clean
	clean    []float64 // what models learn from: averaged, past incidents cut off
	periods  []int     // strong seasons in points of clean, ascending
	notices  []string
}

func prepare(r Request) (*prepared, error) {
	values, infinite := series.Finite(r.History.Values)
	p := &prepared{}
	if infinite > 0 {
		p.notice("%d infinite values were treated as missing", infinite)
	}
	observed := stats.Observed(values)
	if len(observed) < fewestObserved {
		return nil, shortHistory(len(observed), fewestObserved, "a forecast with intervals")
	}
	p.unit = unitOf(observed)
	p.observed = values
	for i := range values {
		values[i] /= p.unit
	}
	seasons := r.Seasons
	if len(seasons) == 0 {
		seasons = series.Calendar
	}
	candidates := series.Periods(seasons, r.History.Step)
	if len(candidates) == 0 {
		p.notice("the step of %s is too long for, or does not divide, the seasons looked for", r.History.Step)
	} else if longest := candidates[len(candidates)-1]; 2*longest > len(values) {
		p.notice("a season of %s was not looked for: the history holds fewer than two cycles",
			short(time.Duration(longest)*r.History.Step))
	}
	p.factor = coarseness(len(values), candidates)
	coarse := series.Coarsen(values, p.factor)
	for _, season := range series.Seasons(coarse, divide(candidates, p.factor)) {
		p.periods = append(p.periods, season.Period)
	}
	p.clean = withoutIncidents(coarse, p.periods)
	return p, nil
}

func (p *prepared) notice(format string, args ...any) {
	p.notices = append(p.notices, fmt.Sprintf(format, args...))
}

// unitOf is a power of two near the spread of the values, so that models meet
// numbers of ordinary size and scaling itself rounds nothing.
func unitOf(observed []float64) float64 {
	largest := 0.0
	for _, v := range observed {
		largest = max(largest, math.Abs(v))
	}
	if largest == 0 {
		return 1
	}
	_, exponent := math.Frexp(largest)
	// Shrink first: the spread of values near the largest float overflows.
	shrunk := make([]float64, len(observed))
	for i, v := range observed {
		shrunk[i] = math.Ldexp(v, -exponent)
	}
	spread := max(stats.Spread(shrunk), 1e-9)
	_, own := math.Frexp(spread)
	return math.Ldexp(1, max(min(exponent+own, 1020), -1020))
}

// coarseness is how many points to average into one so that a model learns from
// at most longestFit, preferring a divisor of every season.
func coarseness(n int, candidates []int) int {
	least := (n + longestFit - 1) / longestFit
	for factor := max(least, 1); factor <= 2*least; factor++ {
		divides := true
		for _, period := range candidates {
			divides = divides && (period%factor == 0 || period < 2*factor)
		}
		if divides {
			return factor
		}
	}
	return max(least, 1)
}

func divide(periods []int, factor int) []int {
	var coarse []int
	for _, period := range periods {
		if period%factor == 0 && period >= 2*factor {
			coarse = append(coarse, period/factor)
		}
	}
	return coarse
}

// withoutIncidents moves points far from their seasonal expectation to the edge
// of the usual, so that models do not learn from past incidents. A lasting
// change of level is not an incident: the moving median follows it.
func withoutIncidents(y []float64, periods []int) []float64 {
	window := 25
	if len(periods) > 0 {
		window = periods[0] | 1
	}
	expected := make([]float64, len(y))
	rest := y
	for _, period := range periods {
		profile := series.Profile(series.Detrended(series.Winsorize(rest, incidentLimit), period), period)
		left := make([]float64, len(y))
		for i := range y {
			expected[i] += profile[i%period]
			left[i] = rest[i] - profile[i%period]
		}
		rest = left
	}
	level := series.MovingMedian(rest, window)
	residual := make([]float64, len(y))
	for i := range y {
		expected[i] += level[i]
		residual[i] = y[i] - expected[i]
	}
	reach := incidentLimit * stats.Spread(residual)
	clean := make([]float64, len(y))
	for i, v := range y {
		clean[i] = v
		if math.Abs(residual[i]) > reach {
			clean[i] = expected[i] + math.Copysign(reach, residual[i])
		}
	}
	return clean
}

// short renders whole days and hours without the zeros of time.Duration.
func short(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
