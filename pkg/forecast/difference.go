package forecast

import (
	"slices"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/series"
)

// fitDifference fits a model to the difference of y at a lag.
func fitDifference(m Model, lag int, y []float64) (Fitted, error) {
	if len(y) <= lag {
		return nil, model.ShortHistory(len(y), lag+1, "a seasonal difference")
	}
	difference := make([]float64, len(y)-lag)
	for i := range difference {
		difference[i] = y[i+lag] - y[i]
	}
	fitted, err := m.Fit(difference)
	if err != nil {
		return nil, err
	}
	recent := series.Filled(y, []int{lag})
	return &differenceFit{Fitted: fitted, recent: slices.Clone(recent[len(recent)-lag:])}, nil
}

type differenceFit struct {
	Fitted           // of the difference
	recent []float64 // the last lag values, oldest first
}

func (f *differenceFit) Observe(v float64) {
	f.Fitted.Observe(v - f.recent[0])
	if v != v {
		v = f.recent[0]
	}
	f.recent = append(f.recent, v)[1:]
}

func (f *differenceFit) Forecast(horizon int) []float64 {
	lag := len(f.recent)
	mean := f.Fitted.Forecast(horizon)
	for h := range mean {
		if h < lag {
			mean[h] += f.recent[h]
		} else {
			mean[h] += mean[h-lag]
		}
	}
	return mean
}
