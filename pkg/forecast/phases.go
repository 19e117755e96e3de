package forecast

import "math"

// phases are the mean absolute errors in parts of a season, relative to all.
type phases struct {
	relative []float64
	period   int // points of the clean history; 0 for none
	factor   int // points of the observed history in one of the clean one
	clock    *wallClock
}

const (
	maxPhases       = 24
	minPhasesCycles = 5  // of a season, to tell its parts
	phasesPrior     = 30 // errors of ordinary size that each part begins with
	// maxPhaseError is what one error counts at most, in mean ones: an incident is no
	// part of a day.
	maxPhaseError = 3
	smoothFrom    = 12 // parts from which neighbours are averaged
)

// at is the scale h points of the observed history after point origin of the clean
// one.
func (f phases) at(origin, h int) float64 {
	if f.period == 0 {
		return 1
	}
	return f.relative[f.part(origin, h)]
}

func (f phases) part(origin, h int) int {
	return f.clock.point(origin+h/f.factor) % f.period * len(f.relative) / f.period
}

// trialPhases are the phases of a trial's errors, and what is needed to learn them
// again without some of its origins.
type trialPhases struct {
	phases
	parts  [][]int // by horizon and origin
	blocks [blocks]phaseSums
}

type phaseSums struct{ sum, count []float64 }

// phasesOf learns from errors, by horizon and origin, whose scale is otherwise
// even.
func (p *prepared) phasesOf(origins []int, errors [][]float64) trialPhases {
	f := trialPhases{phases: phases{factor: p.factor, clock: p.clock}}
	for _, period := range p.periods {
		if len(p.clean) >= minPhasesCycles*period {
			f.period = period
		}
	}
	if f.period == 0 || len(origins) < minOrigins {
		return trialPhases{}
	}
	n := min(f.period, maxPhases)
	f.relative = make([]float64, n)
	for b := range f.blocks {
		f.blocks[b] = phaseSums{make([]float64, n), make([]float64, n)}
	}
	sizes := sizesOf(errors)
	room := make([]int, len(errors)*len(origins))
	for h, at := range errors {
		parts := room[h*len(origins) : (h+1)*len(origins)]
		f.parts = append(f.parts, parts)
		for i, e := range at {
			part := f.part(origins[i], h)
			parts[i] = part
			if math.IsNaN(e) || sizes[h] == 0 {
				continue
			}
			sums := f.blocks[blockOf(i, len(origins))]
			sums.sum[part] += min(math.Abs(e)/sizes[h], maxPhaseError)
			sums.count[part]++
		}
	}
	f.relative = f.without(-1)
	return f
}

// without are the relative errors without those of a block of origins.
func (f trialPhases) without(block int) []float64 {
	n := len(f.relative)
	means, relative := make([]float64, n), make([]float64, n)
	for part := range means {
		sum, count := float64(phasesPrior), float64(phasesPrior)
		for b, sums := range f.blocks {
			if b != block {
				sum, count = sum+sums.sum[part], count+sums.count[part]
			}
		}
		means[part] = sum / count
	}
	for part := range means {
		relative[part] = means[part]
		if n >= smoothFrom {
			relative[part] = (means[(part+n-1)%n] + 2*means[part] + means[(part+1)%n]) / 4
		}
	}
	return relative
}

// divide takes the scale off errors of one horizon, of the origins from one on.
func (f trialPhases) divide(errors []float64, h, from int, relative []float64) {
	if f.period == 0 {
		return
	}
	for i, part := range f.parts[h][from : from+len(errors)] {
		errors[i] /= relative[part]
	}
}
