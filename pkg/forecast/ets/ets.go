package ets

import (
	"math"
	"slices"
)

// Component says how a part of exponential smoothing enters: not at all, added,
// or multiplied.
type Component byte

// The components.
const (
	None           Component = 'N'
	Additive       Component = 'A'
	Multiplicative Component = 'M'
)

// Model is exponential smoothing in state-space form: error, trend and season,
// each additive or multiplicative (Hyndman, Koehler, Ord and Snyder, Forecasting
// with Exponential Smoothing, 2008; names as there: ETS(M,Ad,A)). Fit estimates
// parameters and initial states by maximum likelihood; season states are
// estimated for periods up to 24 and taken from the decomposition beyond.
type Model struct {
	Error, Trend, Season Component
	Damped               bool
	Period               int // ignored without a season
}

// Name of the model, as "ets-MAdA".
func (m Model) Name() string {
	damped := ""
	if m.Damped {
		damped = "d"
	}
	return "ets-" + string(m.Error) + string(m.Trend) + damped + string(m.Season)
}

// LongestPeriod is the longest season that the model fits, in steps.
func (m Model) LongestPeriod() int {
	if m.Season == None {
		return 0
	}
	return m.Period
}

// needsPositive says whether the model divides by its level or multiplies by a
// season.
func (m Model) needsPositive() bool {
	return m.Error == Multiplicative || m.Trend == Multiplicative || m.Season == Multiplicative
}

// state is a model with its parameters and its state before the next
// observation.
type state struct {
	Model
	alpha, beta, gamma, phi float64
	level, trend            float64
	seasons                 []float64 // in order of time, at: the next one
	at                      int
	// What was learned.
	likelihood, sigma2 float64
	parameters         int
}

func (s *state) clone() *state {
	c := *s
	c.seasons = slices.Clone(s.seasons)
	return &c
}

// next is the expected level and the trend's contribution one step on.
func (s *state) next() (level, trend float64) {
	switch s.Trend {
	case Additive:
		trend = s.phi * s.trend
		return s.level + trend, trend
	case Multiplicative:
		trend = math.Pow(s.trend, s.phi)
		return s.level * trend, trend
	}
	return s.level, 0
}

// step takes one observation in and returns the forecast of it and the error;
// NaN where it is missing, and the state moves on as forecast.
func (s *state) step(y float64) (forecast, e float64) {
	level, trend := s.next()
	forecast = level
	season := 0.0
	if s.Season != None {
		season = s.seasons[s.at]
		if s.Season == Additive {
			forecast += season
		} else {
			forecast *= season
		}
	}
	e = y - forecast
	if s.Error == Multiplicative {
		e /= forecast
	}
	if math.IsNaN(y) {
		s.level, s.trend = level, trend
		s.advance()
		return forecast, math.NaN()
	}
	adjusted := y
	switch s.Season {
	case Additive:
		adjusted -= season
	case Multiplicative:
		adjusted /= season
	}
	before := s.level
	s.level = level + s.alpha*(adjusted-level)
	switch s.Trend {
	case Additive:
		s.trend = trend + s.beta/s.alpha*(s.level-before-trend)
	case Multiplicative:
		s.trend = trend + s.beta/s.alpha*(s.level/before-trend)
	}
	switch s.Season {
	case Additive:
		s.seasons[s.at] += s.gamma * (y - level - season)
	case Multiplicative:
		s.seasons[s.at] += s.gamma * (y/level - season)
	}
	s.advance()
	return forecast, e
}

func (s *state) advance() {
	if s.at++; s.at >= len(s.seasons) {
		s.at = 0
	}
}

// run takes y in and returns R's criterion, minus twice the log-likelihood but
// for a constant: n·log Σe² + 2·Σ log|forecast| for multiplicative errors.
func (s *state) run(y []float64) float64 {
	squares, logs, n := 0.0, 0.0, 0
	for _, v := range y {
		forecast, e := s.step(v)
		if math.IsNaN(e) {
			if !math.IsNaN(v) {
				return math.Inf(1)
			}
			continue
		}
		squares += e * e
		n++
		if s.Error == Multiplicative {
			logs += math.Log(math.Abs(forecast))
		}
	}
	// A perfect fit is as likely as the smallest number says, not infinitely.
	criterion := float64(n)*math.Log(max(squares, math.SmallestNonzeroFloat64)) + 2*logs
	s.likelihood = -criterion / 2
	s.sigma2 = squares / float64(max(n-s.parameters+1, 1))
	if math.IsNaN(criterion) {
		return math.Inf(1)
	}
	return criterion
}

// aicc is Akaike's criterion corrected for short series.
func (s *state) aicc(n int) float64 {
	k := float64(s.parameters)
	left := float64(n) - k - 1
	if left <= 0 {
		return math.Inf(1)
	}
	return -2*s.likelihood + 2*k + 2*k*(k+1)/left
}

func (s *state) Observe(v float64) { s.step(v) }

func (s *state) Forecast(horizon int) []float64 {
	mean := make([]float64, horizon)
	level, trend := s.level, s.trend
	sum, power := 0.0, s.phi
	for h := range mean {
		sum += power
		power *= s.phi
		switch s.Trend {
		case Additive:
			mean[h] = level + sum*trend
		case Multiplicative:
			mean[h] = level * math.Pow(trend, sum)
		default:
			mean[h] = level
		}
		if s.Season != None {
			season := s.seasons[(s.at+h)%len(s.seasons)]
			if s.Season == Additive {
				mean[h] += season
			} else {
				mean[h] *= season
			}
		}
	}
	return mean
}

func (s *state) Parameters() map[string]float64 {
	p := map[string]float64{"alpha": s.alpha, "level": s.level}
	if s.Trend != None {
		p["beta"], p["trend"] = s.beta, s.trend
	}
	if s.Damped {
		p["phi"] = s.phi
	}
	if s.Season != None {
		p["gamma"], p["period"] = s.gamma, float64(s.Period)
	}
	return p
}
