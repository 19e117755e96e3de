package ets

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// reference is what R's forecast::ets found (fit_ets.R of statsmodels).
type reference struct {
	Alpha, Beta, Gamma, Phi          []numberOrNaN
	InitState                        []float64
	Residuals, Fitted, LogLik, Sigma []float64
	Forecast                         []float64
	Sigma2                           []float64
}

type numberOrNaN float64

func (v *numberOrNaN) UnmarshalJSON(b []byte) error {
	if string(b) == `"NaN"` {
		*v = numberOrNaN(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(v))
}

func loadETS(t *testing.T, name string) map[string]map[string]reference {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "data", "golden", "ets", name))
	if os.IsNotExist(err) {
		t.Skip("no reference data in ../shared/data/golden/ets")
	}
	require.NoError(t, err)
	var loose map[string]map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &loose))
	golden := map[string]map[string]reference{}
	for damped, models := range loose {
		golden[damped] = map[string]reference{}
		for model, body := range models {
			var g reference
			if err := json.Unmarshal(body, &g); err == nil && len(g.LogLik) > 0 {
				golden[damped][model] = g // R refused the others
			}
		}
	}
	return golden
}

func eachETS(t *testing.T, check func(t *testing.T, m Model, g reference, y []float64)) {
	for name, period := range map[string]int{"fit_ets_results_nonseasonal.json": 1, "fit_ets_results_seasonal.json": 4} {
		golden := loadETS(t, name)
		// With an additive error the series is what was fitted plus the residual.
		for _, kind := range []string{"AAN", "AAA"} {
			g, known := golden["TRUE"][kind]
			if !known {
				continue
			}
			y := make([]float64, len(g.Fitted))
			for i := range y {
				y[i] = g.Fitted[i] + g.Residuals[i]
			}
			for damped, models := range golden {
				for spec, g := range models {
					m := Model{
						Error: Component(spec[0]), Trend: Component(spec[1]), Season: Component(spec[2]),
						Damped: damped == "TRUE", Period: period,
					}
					t.Run(m.Name(), func(t *testing.T) { check(t, m, g, y) })
				}
			}
		}
	}
}

func atR(m Model, g reference) *state {
	s := &state{Model: m, alpha: float64(g.Alpha[0]), phi: 1}
	states := g.InitState
	s.level, states = states[0], states[1:]
	if m.Trend != None {
		s.beta, s.trend, states = float64(g.Beta[0]), states[0], states[1:]
	}
	if m.Damped {
		s.phi = float64(g.Phi[0])
	}
	if m.Season != None {
		s.gamma = float64(g.Gamma[0])
		for i := len(states) - 1; i >= 0; i-- {
			s.seasons = append(s.seasons, states[i]) // R lists the latest first
		}
	}
	return s
}

// With R's parameters, the likelihood, the fit and the forecast are R's.
func TestETSEqualsR(t *testing.T) {
	count := 0
	eachETS(t, func(t *testing.T, m Model, g reference, y []float64) {
		count++
		s := atR(m, g)
		for i, v := range y {
			forecast, e := s.step(v)
			require.InEpsilon(t, g.Fitted[i], forecast, 1e-5, "fitted %d", i)
			require.InDelta(t, g.Residuals[i], e, 1e-4*math.Max(1, math.Abs(g.Residuals[i])))
		}
		tolerance := 1e-5
		if m.Season == Multiplicative {
			tolerance = 5e-4 // R gives the mean of the paths, which differs from the point forecast
		}
		for h, v := range s.Forecast(len(g.Forecast)) {
			require.InEpsilon(t, g.Forecast[h], v, tolerance, "forecast %d", h)
		}
		s = atR(m, g)
		s.run(y)
		require.InDelta(t, g.LogLik[0], s.likelihood, 1e-3)
	})
	require.Equal(t, 19, count)
}

// Our own estimates are at least as likely as R's.
func TestETSEstimatesReachR(t *testing.T) {
	eachETS(t, func(t *testing.T, m Model, g reference, y []float64) {
		fitted, err := m.Fit(y)
		require.NoError(t, err)
		s := fitted.(*state)
		t.Logf("R %.4f ours %.4f alpha %.4f/%.4f beta %.4f/%.4f gamma %.4f/%.4f phi %.4f/%.4f", g.LogLik[0], s.likelihood,
			float64(g.Alpha[0]), s.alpha, float64(g.Beta[0]), s.beta, float64(g.Gamma[0]), s.gamma, float64(g.Phi[0]), s.phi)
		require.GreaterOrEqual(t, s.likelihood, g.LogLik[0]-1e-4*math.Abs(g.LogLik[0]))
	})
}
