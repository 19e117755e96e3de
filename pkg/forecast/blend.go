package forecast

import (
	"cmp"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
)

const (
	// sharpness of the weights: a model with half as much error again weighs a
	// third.
	sharpness = 3
	// pruneAt is how many times the least error a member may have.
	pruneAt = 1.5
	// minWeight is what a member must contribute to be worth its time.
	minWeight = 0.02
	// railWidth bounds each member to this many of the blend's mean absolute
	// errors around the members' weighted median.
	railWidth = 6
)

// Blend is the weighted mean of several models, kept from following one that
// blows up.
type Blend struct {
	Members []Model
	Weights []float64 // sum to one
	// Rail is how far from the weighted median a member may pull.
	Rail float64
}

// Name of the model.
func (Blend) Name() string { return "blend" }

// LongestPeriod is the longest season that the model fits, in steps.
func (m Blend) LongestPeriod() int {
	longest := 0
	for _, member := range m.Members {
		longest = max(longest, model.Season(member))
	}
	return longest
}

// Fit fits every member.
func (m Blend) Fit(y []float64) (Fitted, error) {
	fit := &blendFit{blend: m}
	for _, member := range m.Members {
		fitted, err := member.Fit(y)
		if err != nil {
			return nil, err
		}
		fit.members = append(fit.members, fitted)
	}
	return fit, nil
}

type blendFit struct {
	blend   Blend
	members []Fitted
}

func (f *blendFit) Observe(v float64) {
	for _, member := range f.members {
		member.Observe(v)
	}
}

func (f *blendFit) Forecast(horizon int) []float64 {
	forecasts := make([][]float64, len(f.members))
	for i, member := range f.members {
		forecasts[i] = member.Forecast(horizon)
	}
	return combine(forecasts, f.blend.Weights, f.blend.Rail)
}

func (f *blendFit) Parameters() map[string]float64 {
	parameters := map[string]float64{}
	for i, member := range f.blend.Members {
		parameters["weight."+describe(member)] += f.blend.Weights[i]
	}
	return parameters
}

// combine is the weighted mean by horizon, each member held within rail of the
// weighted median.
func combine(forecasts [][]float64, weights []float64, rail float64) []float64 {
	mean := make([]float64, len(forecasts[0]))
	order := make([]int, len(forecasts))
	for h := range mean {
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(forecasts[a][h], forecasts[b][h]) })
		median, below := forecasts[order[len(order)-1]][h], 0.0
		for _, i := range order {
			if below += weights[i]; below >= 0.5 {
				median = forecasts[i][h]
				break
			}
		}
		for i, w := range weights {
			mean[h] += w * min(max(forecasts[i][h], median-rail), median+rail)
		}
	}
	return mean
}

// blend weighs trials over the same origins by their errors.
func (p *prepared) blend(trials []trial, horizon int) (trial, error) {
	weights := inverseErrors(trials)
	kept := trials[:0:0]
	for i, t := range trials {
		if weights[i] >= minWeight && t.mae <= pruneAt*least(trials).mae {
			kept = append(kept, t)
		}
	}
	weights = inverseErrors(kept)
	model := Blend{Weights: weights}
	forecasts := make([][]float64, len(kept))
	least := math.Inf(1)
	for _, t := range kept {
		model.Members = append(model.Members, t.model)
		least = min(least, t.mae)
	}
	model.Rail = railWidth * least
	result := trial{model: model, origins: kept[0].origins}
	for i := range result.origins {
		for k, t := range kept {
			forecasts[k] = t.forecasts[i]
		}
		result.forecasts = append(result.forecasts, combine(forecasts, weights, model.Rail))
	}
	return result, p.assess(&result, horizon)
}

func inverseErrors(trials []trial) []float64 {
	weights := make([]float64, len(trials))
	least, sum := math.Inf(1), 0.0
	for _, t := range trials {
		least = min(least, t.mae)
	}
	for i, t := range trials {
		weights[i] = 1
		if t.mae > 0 {
			weights[i] = math.Pow(least/t.mae, sharpness)
		}
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return weights
}
