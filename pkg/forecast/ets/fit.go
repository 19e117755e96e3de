package ets

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// longestFreeSeason is the longest period whose initial states are
	// estimated; beyond it there are too many to be worth it.
	longestFreeSeason = 24
	minSmoothing      = 1e-4 // bounds as R's forecast::ets
	maxSmoothing      = 0.9999
	minDamping        = 0.8
	maxDamping        = 0.98
	minForETS         = 10
)

// Fit needs ten observations and two seasons, and positive ones where the model
// multiplies.
func (m Model) Fit(y []float64) (model.Fitted, error) {
	initial, err := m.start(y)
	if err != nil {
		return nil, err
	}
	fitted := m.maximise(initial, y)
	if fitted == nil {
		return nil, fmt.Errorf("%w: %s has no finite likelihood", model.ErrNoModel, m.Name())
	}
	return fitted, nil
}

// start is the heuristic initial state (Hyndman et al. 2008, section 2.6.1).
func (m Model) start(y []float64) (*state, error) {
	observed := stats.Observed(y)
	period := max(m.LongestPeriod(), 1)
	if need := max(minForETS, 2*period); len(observed) < need {
		return nil, model.ShortHistory(len(observed), need, m.Name())
	}
	if m.needsPositive() {
		for _, v := range observed {
			if v <= 0 {
				return nil, fmt.Errorf("%w: %s needs positive values", model.ErrNoModel, m.Name())
			}
		}
	}
	s := &state{Model: m, phi: 1}
	adjusted := series.Filled(y, nil)
	if period > 1 {
		s.seasons = classicalSeason(adjusted, period, m.Season)
		for i := range adjusted {
			if m.Season == Additive {
				adjusted[i] -= s.seasons[i%period]
			} else {
				adjusted[i] /= max(s.seasons[i%period], 1e-2)
			}
		}
	}
	n := min(max(10, 2*period), len(adjusted))
	intercept, slope := lineThrough(adjusted[:n])
	switch m.Trend {
	case Additive:
		s.level, s.trend = intercept, slope
	case Multiplicative:
		first := intercept + slope
		s.trend = (first + slope) / first
		s.level = first / s.trend
		if !(s.level > 1e-8 && s.trend > 1e-8) {
			s.level, s.trend = max(adjusted[0], 1e-3), max(adjusted[1]/adjusted[0], 1e-3)
		}
	default:
		for _, v := range adjusted[:n] {
			s.level += v / float64(n)
		}
	}
	s.alpha = minSmoothing + 0.2*(maxSmoothing-minSmoothing)/float64(period)
	if m.Trend != None {
		s.beta = minSmoothing + 0.1*(s.alpha-minSmoothing)
	}
	if m.Season != None {
		s.gamma = minSmoothing + 0.05*(1-s.alpha-minSmoothing)
	}
	if m.Damped {
		s.phi = minDamping + 0.99*(maxDamping-minDamping)
	}
	s.parameters = len(m.pack(s)) + 1
	return s, nil
}

// classicalSeason is the season of a classical decomposition, adding to zero or
// averaging one.
func classicalSeason(y []float64, period int, kind Component) []float64 {
	trend := centredMean(y, period)
	sums, counts := make([]float64, period), make([]float64, period)
	for i, t := range trend {
		if math.IsNaN(t) {
			continue
		}
		if kind == Additive {
			sums[i%period] += y[i] - t
		} else {
			sums[i%period] += y[i] / t
		}
		counts[i%period]++
	}
	mean := 0.0
	for i := range sums {
		sums[i] /= max(counts[i], 1)
		mean += sums[i] / float64(period)
	}
	for i := range sums {
		if kind == Additive {
			sums[i] -= mean
		} else {
			sums[i] = max(sums[i]/mean, 1e-2)
		}
	}
	return sums
}

// centredMean is the 2×period moving average, NaN at the ends.
func centredMean(y []float64, period int) []float64 {
	n := len(y)
	trend := slices.Repeat([]float64{math.NaN()}, n)
	half := period / 2
	sums := make([]float64, n+1)
	for i, v := range y {
		sums[i+1] = sums[i] + v
	}
	for i := half; i < n-half; i++ {
		total := sums[i+half+1] - sums[i-half]
		if period%2 == 0 {
			total -= (y[i-half] + y[i+half]) / 2
		}
		trend[i] = total / float64(period)
	}
	return trend
}

// lineThrough is the least-squares line over 1, 2, …
func lineThrough(y []float64) (intercept, slope float64) {
	n := float64(len(y))
	center, mean := (n+1)/2, 0.0
	for _, v := range y {
		mean += v / n
	}
	var cross, square float64
	for i, v := range y {
		d := float64(i+1) - center
		cross += d * (v - mean)
		square += d * d
	}
	slope = cross / square
	return mean - slope*center, slope
}

// pack lists the free numbers: smoothing parameters, then states.
func (m Model) pack(s *state) []float64 {
	x := []float64{s.alpha}
	if m.Trend != None {
		x = append(x, s.beta)
	}
	if m.Season != None {
		x = append(x, s.gamma)
	}
	if m.Damped {
		x = append(x, s.phi)
	}
	x = append(x, s.level)
	if m.Trend != None {
		x = append(x, s.trend)
	}
	if m.Season != None && m.Period <= longestFreeSeason {
		x = append(x, s.seasons[1:]...) // the first follows from the others
	}
	return x
}

// unpack is the inverse of pack; false where a number is out of bounds.
func (m Model) unpack(x []float64, s *state) bool {
	take := func() float64 { v := x[0]; x = x[1:]; return v }
	s.alpha = take()
	ok := s.alpha >= minSmoothing && s.alpha <= maxSmoothing
	if m.Trend != None {
		s.beta = take()
		ok = ok && s.beta >= minSmoothing && s.beta <= s.alpha
	}
	if m.Season != None {
		s.gamma = take()
		ok = ok && s.gamma >= minSmoothing && s.gamma <= 1-s.alpha
	}
	if m.Damped {
		s.phi = take()
		ok = ok && s.phi >= minDamping && s.phi <= maxDamping
	}
	s.level = take()
	if m.Trend != None {
		s.trend = take()
	}
	if len(x) == 0 {
		return ok
	}
	total := 0.0
	copy(s.seasons[1:], x)
	for _, v := range x {
		total += v
		ok = ok && (m.Season == Additive || v > 0)
	}
	s.seasons[0] = -total
	if m.Season == Multiplicative {
		s.seasons[0] += float64(m.Period)
		ok = ok && s.seasons[0] > 0
	}
	return ok
}

const (
	restarts             = 3
	evaluationsPerNumber = 150     // per free number and restart, as far as the work allows
	workPerRestart       = 200_000 // observations passed over per restart
)

// maximise climbs from the heuristic state, by Nelder and Mead's simplex as R
// does, begun anew from the best point while that helps.
func (m Model) maximise(initial *state, y []float64) *state {
	x := m.pack(initial)
	steps := m.steps(initial, y)
	work := initial.clone()
	loss := func(z []float64) float64 {
		*work = state{Model: m, phi: 1, seasons: append(work.seasons[:0], initial.seasons...), parameters: initial.parameters}
		point := make([]float64, len(z))
		for i := range z {
			point[i] = x[i] + z[i]*steps[i]
		}
		if !m.unpack(point, work) {
			return math.Inf(1)
		}
		return work.run(y)
	}
	zero := make([]float64, len(x))
	best := loss(zero)
	evaluations := min(evaluationsPerNumber*len(x), max(workPerRestart/len(y), 10*len(x)))
	for range restarts {
		result, _ := optimize.Minimize(optimize.Problem{Func: loss}, zero,
			&optimize.Settings{FuncEvaluations: evaluations}, &optimize.NelderMead{SimplexSize: 1})
		if result == nil || !(result.F < best) {
			break
		}
		gain := best - result.F
		best = result.F
		for i, z := range result.X {
			x[i] += z * steps[i]
		}
		if gain < 1e-6*math.Abs(best) {
			break
		}
	}
	if math.IsInf(best, 0) || math.IsNaN(best) {
		return nil
	}
	fitted := initial.clone()
	m.unpack(x, fitted)
	fitted.run(y)
	return fitted
}

// steps are natural sizes of change: a tenth for parameters, a fraction of the
// spread for states.
func (m Model) steps(s *state, y []float64) []float64 {
	_, spread := stats.Center(y)
	spread = max(spread, 1e-6)
	packed := m.pack(s)
	steps := make([]float64, len(packed))
	parameters := 1
	for _, has := range []bool{m.Trend != None, m.Season != None, m.Damped} {
		if has {
			parameters++
		}
	}
	for i := range steps {
		switch {
		case i < parameters:
			steps[i] = 0.05
		case i == parameters:
			steps[i] = 0.3 * spread
		case i == parameters+1 && m.Trend == Additive:
			steps[i] = 0.05 * spread
		case i == parameters+1 && m.Trend == Multiplicative, m.Season == Multiplicative:
			steps[i] = 0.05
		default:
			steps[i] = 0.1 * spread
		}
	}
	return steps
}
