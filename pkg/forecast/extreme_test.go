package forecast_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast"
)

// A single value whose square is beyond the largest float leaves every answer
// finite.
func TestOneEnormousValue(t *testing.T) {
	for seed := range uint64(6) {
		for _, large := range []float64{5.4e154, -5.4e154, 1e300} {
			random := rand.New(rand.NewPCG(seed, 21))
			values := make([]float64, 60+40*int(seed))
			for i := range values {
				values[i] = 20*random.Float64() - 10*float64(seed%2)
				if seed%3 == 0 && random.IntN(2) == 0 {
					values[i] = 0
				}
			}
			values[random.IntN(len(values))] = large
			for _, model := range []string{"prophet", "arima", "seasonal-ridge", "mstl", forecast.Auto} {
				r, err := forecast.Run(forecast.Request{
					History: history(time.Hour, values), Horizon: 30, Model: model, Probabilities: []float64{0.5, 0.99}, NonNegative: seed%2 == 0,
				})
				if err == nil {
					requireSound(t, r, 30)
				}
			}
		}
	}
}
