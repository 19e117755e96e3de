package forecast

import "math"

func (p *prepared) value(scaled float64) float64 { return bounded(scaled * p.unit) }

// bounded keeps a number inside what a float holds.
func bounded(v float64) float64 { return min(max(v, -math.MaxFloat64), math.MaxFloat64) }

// unscale puts the mean and the intervals, so far around zero, in the series'
// unit.
func (p *prepared) unscale(result Result, r Request) Result {
	least, most := math.Inf(-1), math.Inf(1)
	if r.NonNegative && !p.negative {
		least = 0
	}
	if r.Capacity > 0 {
		most = r.Capacity
	}
	possible := func(scaled float64) float64 { return min(max(p.value(scaled), least), most) }
	for h, mean := range result.Mean {
		for _, interval := range result.Intervals {
			interval.Lower[h] = possible(mean + interval.Lower[h])
			interval.Upper[h] = possible(mean + interval.Upper[h])
		}
		result.Mean[h] = possible(mean)
	}
	return result
}
