package breach_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly/breach"
)

func TestAWarningHasHysteresis(t *testing.T) {
	nan := math.NaN()
	for name, one := range map[string]struct {
		probability []float64
		want        float64
	}{
		"never likely":              {[]float64{0.1, 0.7, 0.79}, 0},
		"begins at 0.8":             {[]float64{0.1, 0.8}, 1},
		"goes on above 0.5":         {[]float64{0.9, 0.6, 0.5}, 1},
		"ends below 0.5":            {[]float64{0.9, 0.49, 0.79}, 0},
		"goes on over a gap":        {[]float64{0.9, nan, 0.6}, 1},
		"is unknown without points": {[]float64{nan, nan, nan, nan, nan}, nan},
		"is unknown for no series":  {nil, nan},
	} {
		t.Run(name, func(t *testing.T) {
			require.InDelta(t, one.want, breach.Result{Probability: one.probability}.Firing(), 0)
		})
	}
}
