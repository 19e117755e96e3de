package forecast

import (
	"fmt"
	"math"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// Transform is a scale on which a quantity varies evenly.
type Transform string

// The transforms.
const (
	// Log is for what varies in proportion to its level. Values are divided by
	// their median size and a tenth is added first, so that zeros have a
	// logarithm.
	Log Transform = "log"
	// Logit is for shares between zero and a ceiling, a thousandth of which is
	// kept from both ends.
	Logit Transform = "logit"
)

// Transformed fits a model on another scale and forecasts the median on the
// original one.
type Transformed struct {
	Transform Transform
	Model     Model
	Ceiling   float64 // for Logit
}

// Name of the model.
func (m Transformed) Name() string { return string(m.Transform) + "-" + m.Model.Name() }

// LongestPeriod is the longest season that the model fits, in steps.
func (m Transformed) LongestPeriod() int { return model.Season(m.Model) }

// Costly says whether fitting takes long.
func (m Transformed) Costly() bool { return model.IsCostly(m.Model) }

const (
	logOffset   = 0.1
	logitOffset = 1e-3
)

// Fit refuses values outside the transform's domain.
func (m Transformed) Fit(y []float64) (Fitted, error) {
	observed := stats.Observed(y)
	ceiling := math.Inf(1)
	if m.Transform == Logit {
		ceiling = m.Ceiling
	}
	for _, v := range observed {
		if v < 0 || v > ceiling {
			return nil, fmt.Errorf("%w: a %s needs values from 0 to %v", ErrNoModel, m.Transform, ceiling)
		}
	}
	fit := &transformedFit{transform: m.Transform, unit: m.Ceiling}
	if m.Transform == Log {
		fit.unit = stats.MedianOf(observed)
	}
	if !(fit.unit > 0) {
		fit.unit = 1
	}
	transformed := make([]float64, len(y))
	for i, v := range y {
		transformed[i] = fit.forward(v)
	}
	fitted, err := m.Model.Fit(transformed)
	fit.Fitted = fitted
	return fit, err
}

type transformedFit struct {
	Fitted
	transform Transform
	unit      float64
}

func (f *transformedFit) forward(v float64) float64 {
	share := max(v/f.unit, 0)
	if f.transform == Log {
		return math.Log(share + logOffset)
	}
	share = logitOffset + (1-2*logitOffset)*min(share, 1)
	return math.Log(share / (1 - share))
}

func (f *transformedFit) backward(v float64) float64 {
	if f.transform == Log {
		return f.unit * max(math.Exp(v)-logOffset, 0)
	}
	share := 1 / (1 + math.Exp(-v))
	return f.unit * min(max((share-logitOffset)/(1-2*logitOffset), 0), 1)
}

func (f *transformedFit) Observe(v float64) { f.Fitted.Observe(f.forward(v)) }

func (f *transformedFit) Forecast(horizon int) []float64 {
	mean := f.Fitted.Forecast(horizon)
	for h, v := range mean {
		mean[h] = f.backward(v)
	}
	return mean
}
