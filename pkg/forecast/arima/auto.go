package arima

import (
	"fmt"
	"math"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// Auto chooses the orders of an ARIMA: seasonal differences by the strength
// of the season, first differences by KPSS tests, the others stepwise by AICc
// (Hyndman and Khandakar, Journal of Statistical Software 27, 2008, section 3).
// Seasons longer than 24 points, and several at once, become Fourier
// regressors.
type Auto struct {
	Period  int   // of a seasonal ARIMA; 0 or 1 for none
	Fourier []int // periods to regress on
	// Regressors gives further regressors at point t; nil for none.
	Regressors func(t int) []float64
}

// Name of the model.
func (Auto) Name() string { return "arima" }

// LongestPeriod is the longest season that the model fits, in steps.
func (m Auto) LongestPeriod() int {
	longest := m.Period
	for _, period := range m.Fourier {
		longest = max(longest, period)
	}
	return longest
}

// Costly says that orders are searched at every fit.
func (Auto) Costly() bool { return true }

const (
	// MaxSeasonal is the longest season, in points, that is modelled as it is.
	MaxSeasonal = 24
	maxARMA     = 5  // p and q at most
	maxSeasonal = 2  // P and Q at most
	maxOrders   = 5  // their sum at most
	maxSteps    = 30 // models tried
	// approximateFrom is the length from which the search compares conditional
	// least squares, and only the chosen model gets its exact likelihood.
	approximateFrom = 150
	strongSeason    = 0.64 // from which to difference seasonally, as R's nsdiffs
	stationaryAt    = 0.05 // significance of the KPSS test
)

// Fit searches and fits.
func (m Auto) Fit(y []float64) (model.Fitted, error) {
	base := Model{Period: max(m.Period, 1)}
	search := &search{y: y, whole: y, tried: map[string]bool{}, least: math.Inf(1)}
	if columns, period := m.columns(y); columns != nil {
		search.regressors, search.y = columns, withoutColumns(y, columns)
		base.Period = max(base.Period, period)
	}
	seasonal := m.Period > 1 && m.Period <= MaxSeasonal
	differenced := search.y
	if seasonal && len(y) > 3*m.Period && stronglySeasonal(y, m.Period) {
		base.SD = 1
		differenced = differencing(0, 1, m.Period).apply(differenced)
	}
	for base.D = 0; base.D < 2; base.D++ {
		if _, p := stats.KPSS(stats.Observed(differenced)); p >= stationaryAt {
			break
		}
		differenced = polynomial{1, -1}.apply(differenced)
	}
	base.Approximate = len(y) > approximateFrom || m.Period > 12 || search.regressors != nil
	return search.run(base, seasonal)
}

// columns are the waves of the long seasons and the further regressors, nil for
// neither, and the period of the waves.
func (m Auto) columns(y []float64) (columns func(t int) []float64, period int) {
	waves := chooseFourier(y, m.Fourier)
	switch {
	case len(waves) == 0:
		return m.Regressors, 1
	case m.Regressors == nil:
		return waves.At, m.LongestPeriod()
	}
	return func(t int) []float64 { return append(waves.At(t), m.Regressors(t)...) }, m.LongestPeriod()
}

func stronglySeasonal(y []float64, period int) bool {
	filled := series.Filled(y, []int{period})
	if filled == nil {
		return false
	}
	d, err := series.STL{Period: period, TrendDegree: 1, LowPassDegree: 1}.Decompose(filled, nil)
	return err == nil && seasonalStrength(d) > strongSeason
}

// seasonalStrength is the share of the detrended variation that the season
// explains (Wang, Smith and Hyndman 2006).
func seasonalStrength(d series.Decomposition) float64 {
	both := make([]float64, len(d.Remainder))
	for i, r := range d.Remainder {
		both[i] = r + d.Seasons[0][i]
	}
	return 1 - variance(d.Remainder)/variance(both)
}

func variance(x []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return sum / float64(len(x))
}

// search walks from model to neighbouring model while AICc falls.
type search struct {
	y          []float64           // what the orders are searched on
	whole      []float64           // with what the regressors explain
	regressors func(int) []float64 // nil for none
	tried      map[string]bool
	best       *fit
	orders     Model // of best
	least      float64
	failure    error
}

func (s *search) run(base Model, seasonal bool) (model.Fitted, error) {
	base.Constant = base.D+base.SD <= 1
	step := 0
	if seasonal {
		step = 1
	}
	for _, start := range [][4]int{{2, 2, step, step}, {0, 0, 0, 0}, {1, 0, step, 0}, {0, 1, 0, step}} {
		s.try(with(base, start[0], start[1], start[2], start[3], base.Constant))
	}
	if base.Constant {
		s.try(with(base, 0, 0, 0, 0, false))
	}
	for improved := s.best != nil; improved && len(s.tried) < maxSteps; {
		improved = false
		o := s.orders
		moves := []Model{}
		if seasonal {
			for _, d := range [][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}, {-1, -1}, {1, 1}, {-1, 1}, {1, -1}} {
				moves = append(moves, with(o, o.P, o.Q, o.SP+d[0], o.SQ+d[1], o.Constant))
			}
		}
		for _, d := range [][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}, {-1, -1}, {1, 1}, {-1, 1}, {1, -1}} {
			moves = append(moves, with(o, o.P+d[0], o.Q+d[1], o.SP, o.SQ, o.Constant))
		}
		if base.Constant {
			moves = append(moves, with(o, o.P, o.Q, o.SP, o.SQ, !o.Constant))
		}
		for _, move := range moves {
			if s.try(move) {
				improved = true
				break // as R: go on from the first that is better
			}
		}
	}
	if s.best == nil {
		if s.failure == nil { // every order fits, none with a finite criterion
			return nil, fmt.Errorf("%w: no order of an ARIMA has a finite AICc", model.ErrNoModel)
		}
		return nil, s.failure
	}
	if !s.orders.Approximate {
		return s.best, nil
	}
	exact := s.orders
	exact.Approximate, exact.Regressors = false, s.regressors
	if fitted, err := exact.Fit(s.whole); err == nil || s.regressors != nil {
		return fitted, err
	}
	return s.best, nil
}

func with(m Model, p, q, sp, sq int, constant bool) Model {
	m.P, m.Q, m.SP, m.SQ, m.Constant = p, q, sp, sq, constant
	return m
}

// try fits a model not tried before and says whether it is the best so far.
func (s *search) try(orders Model) bool {
	outside := min(orders.P, orders.Q, orders.SP, orders.SQ) < 0 || max(orders.P, orders.Q) > maxARMA ||
		max(orders.SP, orders.SQ) > maxSeasonal || orders.P+orders.Q+orders.SP+orders.SQ > maxOrders
	key := fmt.Sprint(orders.Name(), orders.Constant)
	if outside || s.tried[key] || len(s.tried) >= maxSteps {
		return false
	}
	s.tried[key] = true
	fitted, err := orders.Fit(s.y)
	if err != nil {
		s.failure = err
		return false
	}
	f := fitted.(*fit)
	if criterion := f.aicc(); criterion < s.least && f.sound() {
		s.best, s.orders, s.least = f, orders, criterion
		return true
	}
	return false
}

// nearUnit is how near to one a root's modulus may come; nearer, a forecast is
// ill-conditioned.
const nearUnit = 0.99

// sound says that no autoregression is within a hair of a unit root.
func (f *fit) sound() bool {
	for _, coefficients := range [][]float64{f.ar, f.seasAR} {
		if n := len(coefficients); n > 0 && largestRoot(coefficients) > nearUnit {
			return false
		}
	}
	return true
}
