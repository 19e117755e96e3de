package forecast

import "math"

// Errors are larger after times in which the values moved more than usual, and at
// the times of a day or week at which they usually are.

// moves are how far the values lie from those of a season before, or of one point
// before where there is none, on an exponential average up to each point, relative
// to all; and the power of it that errors follow.
type moves struct {
	relative []float64
	power    float64
}

const (
	movesMemory = 48 // points, or one season where that is longer
	// Recent moves count as so much of all of them at least, and at most. A calm time
	// ends without a sign, so that less is made of it.
	minMoves, maxMoves = 0.7, 4.0
	// minMovesCorrelation and minMovesVariance (of logarithms) are what it takes to
	// believe that errors follow the moves before them.
	minMovesCorrelation = 0.3
	minMovesVariance    = 0.005
)

func (m moves) at(origin int) float64 {
	if m.power == 0 {
		return 1
	}
	return math.Pow(m.relative[origin], m.power)
}

// movesOf learns the power from the trial: the slope of a line through the
// logarithms, where these are correlated.
func (p *prepared) movesOf(t trial, horizon int) moves {
	if len(t.origins) < minOrigins {
		return moves{}
	}
	m := moves{relative: p.relativeMoves()}
	var x, y []float64
	for i, mean := range t.forecasts {
		sum, n := 0.0, 0
		for h, actual := range p.future(t.origins[i], horizon) {
			if e := actual - mean[h]; !math.IsNaN(e) {
				sum += math.Abs(e)
				n++
			}
		}
		if 2*n >= horizon && sum > 0 {
			x, y = append(x, math.Log(m.relative[t.origins[i]])), append(y, math.Log(sum/float64(n)))
		}
	}
	n := float64(len(x))
	if len(x) < minOrigins {
		return moves{}
	}
	var sx, sy, xx, xy, yy float64
	for i := range x {
		sx, sy = sx+x[i], sy+y[i]
	}
	for i := range x {
		dx, dy := x[i]-sx/n, y[i]-sy/n
		xx, xy, yy = xx+dx*dx, xy+dx*dy, yy+dy*dy
	}
	if xx/n >= minMovesVariance && xy > minMovesCorrelation*math.Sqrt(xx*yy) {
		m.power = min(xy/xx, 1)
	}
	return m
}

func (p *prepared) relativeMoves() []float64 {
	lag := 1
	if len(p.periods) > 0 {
		lag = p.periods[0]
	}
	kept := 1 - 1/float64(max(movesMemory, lag))
	relative := make([]float64, len(p.clean)+1)
	var sum, weight, all, n float64
	for t, v := range p.clean {
		if t >= lag {
			if d := math.Abs(v - p.clean[t-lag]); !math.IsNaN(d) {
				sum, weight = sum*kept+d, weight*kept+1
				all, n = all+d, n+1
			}
		}
		relative[t+1] = sum / weight
	}
	for t, v := range relative {
		if v /= all / n; !(v > 0) {
			v = 1
		}
		relative[t] = min(max(v, minMoves), maxMoves)
	}
	return relative
}
