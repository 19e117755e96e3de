package canary

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// pairedDispersion is the variance of counts over their mean, from the
// differences of neighbouring blocks of so many periods (the variance of Allan),
// so that neither a trend nor the rhythm of a day counts; with how many
// differences it rests on. The largest fiftieth is left out: incidents are not
// noise.
func pairedDispersion(periods []Tally, length int) (dispersion, pairs float64) {
	found := differences(periods, length)
	slices.SortFunc(found, func(a, b difference) int { return compare(a.square, b.square) })
	if len(found) >= 20 {
		found = found[:len(found)-max(2, len(found)/50)]
	}
	var squares, variances float64
	for _, d := range found {
		squares, variances = squares+d.square, variances+d.variance
	}
	if variances <= 0 {
		return 1, 0
	}
	return squares / variances, float64(len(found))
}

// typicalDispersion is that of the median difference, which bursts do not touch.
func typicalDispersion(periods []Tally) float64 {
	var ratios []float64
	for _, d := range differences(periods, 1) {
		if d.variance > 0 {
			ratios = append(ratios, d.square/d.variance)
		}
	}
	if len(ratios) == 0 {
		return 1
	}
	const median = 0.455 // of the square of a standard normal number
	return math.Max(1, stats.MedianOf(ratios)/median)
}

// difference is one of neighbouring blocks, with its variance if bad requests
// are independent.
type difference struct{ square, variance float64 }

func differences(periods []Tally, length int) (found []difference) {
	var before Tally
	for i := 0; i+length <= len(periods); i += length {
		block := Tally{}
		for _, t := range periods[i : i+length] {
			block = block.plus(t)
		}
		if block.Requests > 0 && before.Requests > 0 {
			part := block.Requests / (block.Requests + before.Requests)
			both := block.Bad + before.Bad
			apart := block.Bad - part*both
			found = append(found, difference{apart * apart, both * part * (1 - part)})
		}
		before = block
	}
	return found
}

// dispersionBetween is the same between pods that served in the same blocks:
// what happens to all of them at once does not count. bad is how many bad
// requests a pod has in a block on average.
func dispersionBetween(pods [][]Tally, length int) (dispersion, bad, freedoms float64) {
	type spread struct{ squares, freedoms, counts float64 }
	var found []spread
	block := make([]Tally, len(pods))
	for start := 0; start+length <= len(pods[0]); start += length {
		var all Tally
		served := 0.0
		for i, pod := range pods {
			block[i] = Tally{}
			for _, t := range pod[min(start, len(pod)):min(start+length, len(pod))] {
				block[i] = block[i].plus(t)
			}
			if all = all.plus(block[i]); block[i].Requests > 0 {
				served++
			}
		}
		if served < 2 || all.Bad <= 0 {
			continue
		}
		one := spread{freedoms: served - 1, counts: all.Bad / served * (served - 1)}
		for _, b := range block {
			if expected := all.Rate() * b.Requests; expected > 0 {
				one.squares += (b.Bad - expected) * (b.Bad - expected) * served / all.Bad
			}
		}
		found = append(found, one)
	}
	if len(found) >= 10 { // an incident of some pods is no noise
		slices.SortFunc(found, func(a, b spread) int { return compare(a.squares, b.squares) })
		found = found[:len(found)-max(1, len(found)/50)]
	}
	var all spread
	for _, s := range found {
		all = spread{all.squares + s.squares, all.freedoms + s.freedoms, all.counts + s.counts}
	}
	if all.freedoms == 0 {
		return 1, 0, 0
	}
	return all.squares / all.freedoms, all.counts / all.freedoms, all.freedoms
}

// lowerRate is the lower 95 % limit of a rate (Wilson) whose counts vary so many
// times as much as independent ones.
func lowerRate(t Tally, dispersion float64) float64 {
	return stats.Wilson(stats.Proportion{Successes: int(t.Bad / dispersion), Trials: int(t.Requests / dispersion)}, 0.9).Lower
}
