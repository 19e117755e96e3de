package anomaly

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// weeklyFrom is the correlation of one week with the next from which on there
	// is a weekly shape; few weeks must agree better, since chance alone repeats
	// more (compare series.Seasons).
	weeklyFrom = 0.3
	// minForHalves is how many weeks it takes to foretell one half of them from
	// the other.
	minForHalves = 4
)

// weeklyBlocks are the details of a weekly shape to choose from: an hour, and a
// quarter of it.
var weeklyBlocks = []int{168, 672}

// learnWeeklyPattern is learnPattern where the last candidate, if it is a week of
// the one before, is how days differ from one another.
func learnWeeklyPattern(y []float64, candidates []int) pattern {
	n := len(candidates)
	if n < 2 || candidates[n-1] != daysPerWeek*candidates[n-2] {
		return learnPattern(y, candidates)
	}
	p, week := learnPattern(y, candidates[:n-1]), candidates[n-1]
	if 2*week > len(y) {
		return p
	}
	left := make([]float64, len(y))
	for i, v := range y {
		left[i] = v - p.at(i, len(y))
	}
	if shape, strength := weekly(left, week); strength > 0 {
		p.seasons = append(p.seasons, series.Season{Period: week, Strength: strength})
		p.profiles = append(p.profiles, shape)
	}
	return p
}

// weekly is how the days of the week differ in what the shorter seasons leave
// over. An incident in one week does not teach, since a block is its median and
// weeks must agree; a quiet weekend does, from two weeks on. Strength is zero
// where weeks are not alike.
func weekly(rest []float64, period int) (shape profile, strength float64) {
	best := math.Inf(1)
	for _, perWeek := range weeklyBlocks {
		block := max(period/perWeek, 1)
		if period%block != 0 {
			continue
		}
		blocks := blockMedians(rest, block)
		center := series.MovingMedian(blocks, period/block|1)
		for i := range blocks {
			blocks[i] -= center[i]
		}
		weeks := float64(len(blocks)*block) / float64(period)
		alike := series.Autocorrelation(blocks, period/block)
		if alike < weeklyFrom+weeklyFrom/(weeks-1) {
			continue
		}
		raw := halves(blocks, period/block)
		for _, fine := range []func(blocks []float64, block, period int) []float64{joined, stepped} {
			candidate := raw.each(func(shape []float64) []float64 { return fine(shape, block, period) })
			wrong := 0.0
			for i, v := range rest {
				if !math.IsNaN(v) {
					wrong += math.Abs(v - center[min(i/block, len(center)-1)] - candidate.crossed[i/period%2][i%period])
				}
			}
			if wrong < best {
				best, shape, strength = wrong, candidate, alike
			}
		}
	}
	return shape, strength
}

// halves are the profiles of all, odd and even weeks; of few weeks, what all
// agree on stands for each half, since one of them alone would be believed with
// its incidents.
func halves(blocks []float64, period int) profile {
	p := cycles(blocks, period)
	if len(blocks) < minForHalves*period {
		p.crossed = [2][]float64{p.whole, p.whole}
	}
	return p
}

// blockMedians are the medians of whole blocks from the first point on.
func blockMedians(x []float64, block int) []float64 {
	if block == 1 {
		return append([]float64(nil), x...)
	}
	medians := make([]float64, len(x)/block)
	for b := range medians {
		medians[b] = stats.Median(x[b*block : (b+1)*block])
	}
	return medians
}

// joined is the line between the centres of blocks.
func joined(blocks []float64, block, period int) []float64 {
	line := make([]float64, period)
	n := len(blocks)
	for i := range line {
		position := (float64(i)+0.5)/float64(block) - 0.5 + float64(n)
		at := int(position)
		left, right := blocks[at%n], blocks[(at+1)%n]
		line[i] = left + (right-left)*(position-float64(at))
	}
	return line
}

// stepped goes from block to block at once, as days that differ from midnight on
// do.
func stepped(blocks []float64, block, period int) []float64 {
	line := make([]float64, period)
	for i := range line {
		line[i] = blocks[i/block%len(blocks)]
	}
	return line
}
