package stats

import (
	"math"
	"slices"
)

// minWindows is how many windows the blocks must hold for their variation to
// be known.
const minWindows = 6

// lasting is by how much windows must vary more than blocks for good and bad
// moments to outlast a block: the more freedom of single blocks is not given
// away for what is mostly chance.
const lasting = 1.5

// DesignEffect is by how much larger the variance of a difference between a new
// window and a past is than if all values were independent, with the degrees of
// freedom of that estimate. The past is given as blocks of equal length in the
// order of time; the new window is as long as span of them, and the comparison
// is worth so much information (Information). The variation is looked at in
// windows of length blocks (at most span, and at most a sixth of all) where these
// vary clearly more than single blocks, else in single blocks.
//
// A new window is one draw of how well the system was at its time. However many
// values it holds, this part of their common error does not shrink: with values
// of variance σ² and windows of n̄ values whose means vary by σ²/n̄ + τ², the
// difference has the variance σ²/information + τ²(length/span + length/blocks).
// So the dispersion D of the windows gives
//
//	1 + (D−1)·information/n̄·(length/span + length/blocks),
//
// which is D itself where the new window has values as often as the past, as
// which it counts at least. Windows overlap, which makes more of few blocks
// (overlapping batch means: Meketon and Schmeiser 1984, with 3/2 of the degrees
// of freedom of separate ones).
//
// kept is as for Dispersion.
func DesignEffect(blocks []Block, kept float64, length int, span, information float64) (ratio float64, freedom int) {
	blocks = slices.DeleteFunc(slices.Clone(blocks), func(b Block) bool { return b.Count == 0 })
	used := len(blocks)
	length = max(1, min(length, int(math.Ceil(span)), used/minWindows))
	if ratio, freedom = Dispersion(blocks, kept); freedom == 0 {
		return ratio, freedom
	}
	if length > 1 {
		if longer := dispersionOf(windows(blocks, length), blocks, kept); longer > lasting*ratio {
			ratio, freedom = longer, 3*used/length/2
		} else {
			length = 1
		}
	}
	if !(ratio > 1) {
		return ratio, freedom
	}
	values := 0
	for _, block := range blocks {
		values += block.Count
	}
	part := float64(length) / float64(used)
	size := float64(values) * part
	return 1 + (ratio-1)*math.Max(1, information/size*(float64(length)/math.Max(span, float64(length))+part)), freedom
}

// windows are all runs of so many blocks.
func windows(blocks []Block, length int) []Block {
	merged := make([]Block, len(blocks)-length+1)
	for i := range merged {
		for _, block := range blocks[i : i+length] {
			merged[i].Count += block.Count
			merged[i].Sum += block.Sum
			merged[i].Square += block.Square
		}
	}
	return merged
}
