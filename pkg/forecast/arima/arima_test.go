package arima

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func logs(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = math.Log(v)
	}
	return y
}

// Published results of Stata (reference manual, arima) and of R's
// forecast::auto.arima for the series of arima_data_test.go.
func TestARIMAEqualsPublishedResults(t *testing.T) {
	for _, c := range []struct {
		name       string
		model      Model
		y          []float64
		likelihood float64
		parameters map[string]float64
	}{
		{"Stata, wholesale prices, ARIMA(1,1,1)", Model{P: 1, D: 1, Q: 1, Constant: true}, wholesalePrices, -135.35131,
			map[string]float64{"ar1": .8742288, "ma1": -.4120458, "drift": .7498197, "sigma2": .7250436 * .7250436}},
		{"Stata, wholesale prices, ARIMA(3,1,0)", Model{P: 3, D: 1}, wholesalePrices, -136.21782,
			map[string]float64{"ar1": .52707154, "ar2": .09526127, "ar3": .25803547, "sigma2": .53074593}},
		{"Stata, air passengers, airline model", Model{D: 1, Q: 1, SD: 1, SQ: 1, Period: 12}, logs(airPassengers), 244.69651,
			map[string]float64{"ma1": -.4018324, "seasonal_ma1": -.5569342, "sigma2": .0367167 * .0367167}},
		{"R, air passengers, ARIMA(2,1,1)(0,1,0)", Model{P: 2, D: 1, Q: 1, SD: 1, Period: 12}, airPassengers, -504.92,
			map[string]float64{"ar1": .5960, "ar2": .2143, "ma1": -.9819}},
		{"Stata, consumption on money, ARMA(1,1)", Model{P: 1, Q: 1, Constant: true, Regressors: func(t int) []float64 {
			return []float64{money[t]}
		}}, consumption, -340.50774,
			map[string]float64{"ar1": .9348486, "ma1": .3090592, "mean": -36.09872, "sigma2": 9.655308 * 9.655308}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fitted, err := c.model.Fit(c.y)
			require.NoError(t, err)
			f := fitted.(*fit)
			require.InDelta(t, c.likelihood, f.likelihood, 6e-3)
			for name, want := range c.parameters {
				require.InDelta(t, want, f.Parameters()[name], 4e-3*max(1, math.Abs(want)), name)
			}
		})
	}
}

func TestARIMAForecastsEqualPublishedOnes(t *testing.T) {
	fitted, err := Model{P: 2, D: 1, Q: 1, SD: 1, Period: 12}.Fit(airPassengers)
	require.NoError(t, err)
	r := []float64{445.6349, 420.3950, 449.1983, 491.8399, 503.3944, 566.8624, 654.2601, 638.5974, 540.8837, 494.1266, 423.3327, 465.5075}
	for h, v := range fitted.Forecast(len(r)) {
		require.InEpsilon(t, r[h], v, 1e-3, "month %d of 1961", h+1)
	}

	// Consumption on money, estimated up to 1978q1, forecast with the money to come.
	fitted, err = Model{P: 1, Q: 1, Constant: true, Regressors: func(t int) []float64 {
		return []float64{money[t]}
	}}.Fit(consumption[:77])
	require.NoError(t, err)
	f := fitted.(*fit)
	stata := []float64{
		1384.148, 1412.057, 1432.403, 1452.703, 1486.975, 1520.77, 1539.393, 1565.588,
		1593.582, 1641.19, 1666.628, 1704.415, 1737.75, 1776.62, 1825.897,
	}
	require.InDelta(t, -243.31642, f.likelihood, 6e-3)
	for h, v := range fitted.Forecast(15) {
		require.InEpsilon(t, stata[h], v, 1e-5, "quarter %d", h+1)
	}
}

func TestAutoOnAirPassengers(t *testing.T) {
	fitted, err := Auto{Period: 12}.Fit(airPassengers)
	require.NoError(t, err)
	f := fitted.(*fit)
	t.Log(f.Name(), f.aicc(), f.likelihood)
	require.LessOrEqual(t, f.aicc(), 1018.17+0.05, "R finds ARIMA(2,1,1)(0,1,0)[12] with AICc 1018.17")
}

func TestARMAFilterOfKnownProcesses(t *testing.T) {
	ar := newARMA(polynomial{1, -0.5}, polynomial{1})
	gamma, ok := ar.autocovariances(3)
	require.True(t, ok)
	require.InDeltaSlice(t, []float64{4.0 / 3, 2.0 / 3, 1.0 / 3}, gamma, 1e-12)
	ma := newARMA(polynomial{1}, polynomial{1, 0.5})
	gamma, ok = ma.autocovariances(3)
	require.True(t, ok)
	require.InDeltaSlice(t, []float64{1.25, 0.5, 0}, gamma, 1e-12)
	p, ok := newARMA(polynomial{1, -0.5}, polynomial{1, 0.4}).covariance()
	require.True(t, ok)
	// State (y, 0.4e): variance (1+2·0.5·0.4+0.4²)/(1−0.5²), covariance 0.4, variance 0.16.
	require.InDelta(t, 1.56/0.75, p[0][0], 1e-12)
	require.InDelta(t, 0.4, p[0][1], 1e-12)
	require.InDelta(t, 0.16, p[1][1], 1e-12)

	// The innovations of a gap are those of the points around it.
	e, f, ok := ar.filter([]float64{1, math.NaN(), 1})
	require.True(t, ok)
	require.InDelta(t, 1-0.25, e[2], 1e-12)
	require.InDelta(t, 1.25, f[2], 1e-12)
}

func TestFromPartialsIsStationary(t *testing.T) {
	// Durbin–Levinson by hand: partials 0.5 and −0.3.
	got := fromPartials([]float64{math.Atanh(0.5), math.Atanh(-0.3)})
	require.InDeltaSlice(t, []float64{0.5 + 0.3*0.5, -0.3}, got, 1e-12)
}
