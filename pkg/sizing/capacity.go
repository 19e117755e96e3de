package sizing

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// capacityBins is how many averages a history is summed up in, and
	// capacityBlocks into how many stretches of time those are cut to see how far
	// the estimate moves without each.
	capacityBins   = 200
	capacityBlocks = 10
	minUses        = 100
	// maxBeyond is how many times the highest load that was ever seen is
	// believed in: use does not grow in a straight line for ever.
	maxBeyond = 2
	// maxCapacityRatio is the ratio of the interval's ends beyond which nothing is
	// known.
	maxCapacityRatio = 4
)

// Why no capacity can be estimated.
var (
	errFewUses  = errors.New("not enough data: use of the processor and load were not measured together often enough")
	errFlatUse  = errors.New("not enough data: use of the processor does not grow with the load, or the load hardly varies")
	errVagueUse = errors.New("not enough data: how use of the processor grows with the load differs too much from time to time")
)

// Capacity is the load at which one replica is fully used, from the load per
// replica and the use of its processor, 0–1, at the same instants (NaN where
// missing): a line through the median of all slopes (Theil 1950; Sen 1968),
// which bursts of other work do not move, prolonged to full use, at most to
// twice the load that was seen. The 95 % interval is the jackknife's over
// stretches of time, since neighbouring minutes are alike.
func Capacity(load, use []float64) (stats.Interval, error) {
	x, y := averages(load, use)
	if len(x) < capacityBlocks*2 {
		return stats.Interval{}, errFewUses
	}
	whole, ok := fullUse(x, y)
	if !ok {
		return stats.Interval{}, errFlatUse
	}
	var left []float64
	for block := range capacityBlocks {
		from, to := block*len(x)/capacityBlocks, (block+1)*len(x)/capacityBlocks
		without := func(all []float64) []float64 { return slices.Concat(all[:from], all[to:]) }
		one, ok := fullUse(without(x), without(y))
		if !ok {
			return stats.Interval{}, errFlatUse
		}
		left = append(left, math.Log(one))
	}
	// On the logarithm, so that the interval stays above zero.
	deviation := math.Sqrt((capacityBlocks - 1) * stat.PopVariance(left, nil))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: capacityBlocks - 1}.Quantile(0.975)
	found := stats.Interval{Estimate: whole, Lower: whole * math.Exp(-t*deviation), Upper: whole * math.Exp(t*deviation)}
	if !(found.Upper/found.Lower <= maxCapacityRatio) {
		return stats.Interval{}, errVagueUse
	}
	most := maxBeyond * slices.Max(x)
	found.Estimate, found.Lower, found.Upper = math.Min(found.Estimate, most), math.Min(found.Lower, most), math.Min(found.Upper, most)
	return found, nil
}

// averages are the means of equal stretches in which both were measured.
func averages(load, use []float64) (x, y []float64) {
	var both [][2]float64
	for i := range min(len(load), len(use)) {
		if load[i] >= 0 && use[i] >= 0 && !math.IsInf(load[i]+use[i], 1) {
			both = append(both, [2]float64{load[i], use[i]})
		}
	}
	if len(both) < minUses {
		return nil, nil
	}
	bins := min(capacityBins, len(both))
	for bin := range bins {
		part := both[bin*len(both)/bins : (bin+1)*len(both)/bins]
		var loads, uses float64
		for _, pair := range part {
			loads += pair[0] / float64(len(part))
			uses += pair[1] / float64(len(part))
		}
		x, y = append(x, loads), append(y, uses)
	}
	return x, y
}

// fullUse is where the line through the points reaches 1.
func fullUse(x, y []float64) (float64, bool) {
	var slopes []float64
	for i := range x {
		for j := range i {
			if x[i] != x[j] {
				slopes = append(slopes, (y[i]-y[j])/(x[i]-x[j]))
			}
		}
	}
	if len(slopes) == 0 {
		return 0, false
	}
	slope := stats.MedianOf(slopes)
	rest := make([]float64, len(x))
	for i := range x {
		rest[i] = y[i] - slope*x[i]
	}
	full := (1 - stats.MedianOf(rest)) / slope
	return full, slope > 0 && positive(full)
}
