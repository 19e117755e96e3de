package forecast

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// SeasonalRidge is a linear autoregression on recent and seasonal lags with an
// L2 penalty chosen by generalised cross-validation (Golub, Heath and Wahba,
// Technometrics 21, 1979), forecast by recursion. On hourly and sub-hourly data
// of several seasons it is the strongest single method known to us that costs a
// millisecond.
type SeasonalRidge struct {
	Periods []int
	// Difference, where not zero, is the lag whose difference is modelled, so
	// that the penalty draws towards the seasonal naive forecast and not towards
	// the mean.
	Difference int
	penalty    *knownPenalty // of earlier fits; nil to choose at each
}

// Name of the model.
func (SeasonalRidge) Name() string { return "seasonal-ridge" }

// LongestPeriod is the longest season that the model fits, in steps.
func (m SeasonalRidge) LongestPeriod() int {
	if len(m.Periods) == 0 {
		return 0
	}
	return m.Periods[len(m.Periods)-1]
}

const (
	recentLags = 26
	// cyclesBack is how many cycles of a season are looked back on, and
	// cyclesAround for how many of them their neighbours, too.
	cyclesBack, cyclesAround = 7, 3
	lagShare                 = 4 // the longest lag is at most a fourth of the history
	// rowsPerLag is how many rows a coefficient needs to be worth fitting.
	rowsPerLag = 2
	// ridgeReach bounds each step of the recursion, as a multiple of the range
	// of the history beyond it.
	ridgeReach = 0.5
)

// lags are the recent ones and those around the last cycles of each season, as
// far as n points allow. A week of days is worth looking back on even where the
// week itself is no season.
func (m SeasonalRidge) lags(n int) []int {
	wanted := map[int]bool{}
	for lag := 1; lag <= recentLags; lag++ {
		wanted[lag] = true
	}
	for _, period := range m.Periods {
		for cycle := 1; cycle <= cyclesBack; cycle++ {
			wanted[cycle*period] = true
			if cycle <= cyclesAround {
				wanted[cycle*period-1] = true
				wanted[cycle*period+1] = true
			}
		}
	}
	var lags []int
	for _, lag := range slices.Sorted(maps.Keys(wanted)) {
		if lag <= n/lagShare && n-lag > rowsPerLag*(len(lags)+1) {
			lags = append(lags, lag)
		}
	}
	return lags
}

// Fit needs twice as many points beyond the longest lag as there are lags.
func (m SeasonalRidge) Fit(y []float64) (Fitted, error) {
	if m.Difference > 0 {
		return fitDifference(SeasonalRidge{Periods: m.Periods, penalty: m.penalty}, m.Difference, y)
	}
	filled := series.Filled(y, m.Periods)
	lags := m.lags(len(y))
	if filled == nil || len(lags) == 0 {
		return nil, model.ShortHistory(len(stats.Observed(y)), recentLags, "an autoregression")
	}
	longest := lags[len(lags)-1]
	fit := &ridgeFit{lags: lags, recent: filled[len(filled)-longest:]}
	fit.low, fit.high = slices.Min(filled), slices.Max(filled)
	fit.center, fit.scale = (fit.low+fit.high)/2, (fit.high-fit.low)/2
	if fit.scale == 0 {
		fit.scale = 1
	}
	margin := ridgeReach * (fit.high - fit.low)
	fit.low, fit.high = fit.low-margin, fit.high+margin

	z := make([]float64, len(filled))
	for t, v := range filled {
		z[t] = (v - fit.center) / fit.scale
	}
	p := productsOf(y, z, lags)
	if p.rows < rowsPerLag*len(lags) {
		return nil, model.ShortHistory(p.rows, rowsPerLag*len(lags), "an autoregression")
	}
	known := m.penalty
	if known == nil {
		known = &knownPenalty{}
	}
	if !fit.solve(p, known) {
		return nil, fmt.Errorf("%w: the autoregression is singular", ErrNoModel)
	}
	return fit, nil
}

type ridgeFit struct {
	lags          []int
	weights       []float64
	latest        []float64 // weights of the first lags, which leave none out, oldest first
	intercept     float64
	base          float64 // what the lags' weights are added to
	penalty       float64
	center, scale float64
	low, high     float64   // of what a forecast may reach
	recent        []float64 // as many as the longest lag, oldest first
}

// solve finds the weights. The penalty, as a share of the lags' variance, is
// chosen at the first fit, where the eigenvectors of the Gram matrix give every
// penalty's solution at once; later fits to more of the same history keep it.
func (f *ridgeFit) solve(p lagProducts, known *knownPenalty) bool {
	n := len(p.cross)
	trace := 0.0
	for i := range n {
		trace += p.gram.At(i, i)
	}
	if !known.known {
		share, ok := bestShare(p, trace)
		if !ok {
			return false
		}
		*known = knownPenalty{share, true}
	}
	f.penalty = known.share * trace
	for i := range n {
		p.gram.SetSym(i, i, p.gram.At(i, i)+f.penalty)
	}
	var cholesky mat.Cholesky
	if !cholesky.Factorize(p.gram) {
		return false
	}
	var weights mat.VecDense
	if err := cholesky.SolveVecTo(&weights, mat.NewVecDense(n, p.cross)); err != nil {
		var condition mat.Condition
		if errors.As(err, &condition) {
			return false
		}
	}
	f.weights = weights.RawVector().Data
	f.intercept = p.target
	for j, w := range f.weights {
		f.intercept -= w * p.means[j]
	}
	for j := range f.lags {
		if f.lags[j] != j+1 {
			break
		}
		f.latest = f.weights[:j+1]
	}
	f.latest = slices.Clone(f.latest)
	slices.Reverse(f.latest)
	// In the unit of the history.
	f.base = f.center + f.scale*f.intercept
	for _, w := range f.weights {
		f.base -= w * f.center
	}
	return !math.IsNaN(f.intercept)
}

// knownPenalty is the share of the lags' variance that the first fit of a model
// chose.
type knownPenalty struct {
	share float64
	known bool
}

// bestShare chooses the penalty, as a share of the lags' variance.
func bestShare(p lagProducts, variance float64) (float64, bool) {
	var eigen mat.EigenSym
	if !eigen.Factorize(p.gram, true) {
		return 0, false
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	var rotated mat.VecDense
	rotated.MulVec(vectors.T(), mat.NewVecDense(len(p.cross), p.cross))
	penalty := bestPenalty(eigen.Values(nil), rotated.RawVector().Data, p.total, p.rows)
	if variance == 0 {
		return penalty, true
	}
	return penalty / variance, true
}

// bestPenalty minimises the generalised cross-validation criterion over a
// geometric grid.
func bestPenalty(eigenvalues, rotated []float64, total float64, n int) float64 {
	largest := 0.0
	for _, d := range eigenvalues {
		largest = max(largest, d)
	}
	if largest == 0 {
		return 1
	}
	best, least := largest, math.Inf(1)
	for exponent := -7.0; exponent <= 0; exponent += 0.25 {
		penalty := largest * math.Pow(10, exponent)
		residual, freedom := total, 1.0
		for i, d := range eigenvalues {
			d = max(d, 0)
			shrunk := d + penalty
			freedom += d / shrunk
			residual -= rotated[i] * rotated[i] / shrunk * (2 - d/shrunk)
		}
		left := float64(n) - freedom
		if left <= 0 {
			continue
		}
		if criterion := max(residual, 0) / (left * left); criterion < least {
			best, least = penalty, criterion
		}
	}
	return best
}

// predict is the next value after the window of recent ones that ends at end.
func (f *ridgeFit) predict(window []float64, end int) float64 {
	n := len(f.latest)
	sum := f.base + floats.Dot(f.latest, window[end-n:end])
	for j, lag := range f.lags[n:] {
		sum += f.weights[n+j] * window[end-lag]
	}
	return min(max(sum, f.low), f.high)
}

func (f *ridgeFit) Observe(v float64) {
	if math.IsNaN(v) {
		v = f.predict(f.recent, len(f.recent))
	}
	f.recent = append(f.recent, v)[1:]
}

func (f *ridgeFit) Forecast(horizon int) []float64 {
	n := len(f.recent)
	window := make([]float64, n, n+horizon)
	copy(window, f.recent)
	for h := range horizon {
		window = append(window, f.predict(window, n+h))
	}
	return window[n:]
}

func (f *ridgeFit) Parameters() map[string]float64 {
	return map[string]float64{
		"lags": float64(len(f.lags)), "longest_lag": float64(f.lags[len(f.lags)-1]), "penalty": f.penalty,
	}
}
