package breach

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// A series that began a short while ago has no trajectories yet. Until it has,
// it is taken for a first-order autoregression around its own mean.
const (
	// trajectoriesFrom is how many horizons a series must be seen for, to learn
	// from its own trajectories.
	trajectoriesFrom = 4
	minLearned       = 3 * minStarts // points, however short the horizon
	// maxYoung is how many of the newest points describe a young series, and
	// maxPassage in how many steps its level is carried forward.
	maxYoung   = 1_000
	maxPassage = 120
	// minYoung is the fewest points that say how much a series moves.
	minYoung = 3
	// priorMemory is the autocorrelation that is assumed before any is seen,
	// worth as much as priorPoints points.
	priorMemory = 0.8
	priorPoints = 10
	// passageCells is the resolution of the levels below the threshold, which
	// reach passageDepth deviations down.
	passageCells = 80
	passageDepth = 5
)

// part is a stretch judged in one way.
type part struct {
	anomaly.Split
	young bool // there are no trajectories to learn from
}

// parts divide a split whose training part is too short: a young series is
// judged without trajectories first, and then learns anew each time it has been
// seen for twice as long.
func (r Request) parts(s anomaly.Split) []part {
	need := max(trajectoriesFrom*int(r.Horizon/r.History.Step), minLearned)
	observed := (series.Series{Values: r.History.Values[s.Train:s.Test]}).Observed()
	if observed >= need {
		return []part{{Split: s}}
	}
	var parts []part
	now := part{Split: s, young: true}
	for i := s.Test; i < s.End; i++ {
		if !math.IsNaN(r.History.Values[i]) {
			observed++
		}
		if observed == need && i+1 < s.End {
			now.End = i + 1
			parts = append(parts, now)
			now = part{Split: anomaly.Split{Train: s.Train, Test: i + 1, End: s.End, Until: s.Until}}
			need *= 2
		}
	}
	return append(parts, now)
}

// firstPassage is, for each point ahead, the probability that an autoregression
// like the values reaches the threshold there and not before: the distribution
// of its level is carried forward on a grid, and what reaches the threshold
// leaves it. Nil where the values say too little.
func firstPassage(values []float64, threshold float64, horizon int) []float64 {
	seen := stats.Observed(values[max(len(values)-maxYoung, 0):])
	n := float64(len(seen))
	if len(seen) < minYoung {
		return nil
	}
	mean, variance := stat.MeanVariance(seen, nil)
	crossed := make([]float64, horizon)
	if !(variance > 0) {
		return crossed // it never moved
	}
	covariance := 0.0
	for i := 1; i < len(seen); i++ {
		covariance += (seen[i] - mean) * (seen[i-1] - mean) / (n - 1)
	}
	memory := min(max((covariance/variance*n+priorMemory*priorPoints)/(n+priorPoints), 0), 0.999)
	squares := 0.0
	for i := 1; i < len(seen); i++ {
		e := seen[i] - mean - memory*(seen[i-1]-mean)
		squares += e * e
	}
	innovation := math.Sqrt(squares/(n-1)) * (1 + 2/n) // few points know it badly
	stride := (horizon + maxPassage - 1) / maxPassage
	if jump := math.Pow(memory, float64(stride)); stride > 1 { // several points in one
		innovation *= math.Sqrt((1 - jump*jump) / (1 - memory*memory))
		memory = jump
	}
	bottom := min(mean-passageDepth*innovation/math.Sqrt(1-memory*memory), seen[len(seen)-1]-passageDepth*innovation)
	width := (threshold - bottom) / passageCells
	if !(innovation > 0) || !(width > 0) {
		return crossed
	}
	if width > innovation/2 { // far away, the grid covers what can be reached
		width = innovation / 2
		bottom = threshold - passageCells*width
		if seen[len(seen)-1] < bottom {
			return crossed
		}
	}
	step := distuv.Normal{Sigma: innovation}
	move := func(from float64, cells []float64, weight float64) {
		center := mean + memory*(from-mean)
		below := step.CDF(bottom - center)
		cells[0] += weight * below // what falls out below stays at the bottom
		for k := range cells {
			above := step.CDF(bottom + float64(k+1)*width - center)
			cells[k] += weight * (above - below)
			below = above
		}
	}
	kernel := make([][]float64, passageCells)
	for k := range kernel {
		kernel[k] = make([]float64, passageCells)
		move(bottom+(float64(k)+0.5)*width, kernel[k], 1)
	}
	level := make([]float64, passageCells)
	move(seen[len(seen)-1], level, 1)
	left := 1.0
	for h := stride - 1; h < horizon; h += stride {
		if h >= stride {
			next := make([]float64, passageCells)
			for k, weight := range level {
				if weight > 1e-9 {
					for j, p := range kernel[k] {
						next[j] += weight * p
					}
				}
			}
			level = next
		}
		remaining := 0.0
		for _, weight := range level {
			remaining += weight
		}
		remaining = min(remaining, left)
		crossed[h] = left - remaining
		left = remaining
	}
	return crossed
}
