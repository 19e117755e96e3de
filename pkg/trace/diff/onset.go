package diff

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// A version arrives with what it brings, but an incident may begin at any time
// after it. When a difference began tells the two apart.

const (
	// minOnset is the least number of requests before a difference began, for
	// whom nothing is different, and after.
	minOnset = 12
	// maxOnset is the p-value up to which requests after an instant count as
	// different from those before it.
	maxOnset = 1e-6
	// maxEarly is the p-value up to which the first requests count as different
	// from the baseline's, and maxGrowth that up to which values grow with time.
	maxEarly, maxGrowth = 0.01, 1e-3
)

// Course is how a difference developed in the candidate.
type Course struct {
	// Began is when it began, where that was clearly after the candidate did; the
	// zero time elsewhere.
	Began time.Time
	// FromStart says that the candidate's first requests had it already.
	FromStart bool
	// Grows says that it grew from the candidate's begin to its end, as a leak does.
	Grows bool
}

// observed is a request's value, at its time.
type observed struct {
	start int64
	value float64
}

// findOnsets notes the course of every suspect's difference.
func (c *comparison) findOnsets() {
	places := make(map[string]trace.PathID, len(c.results))
	for id := range c.results {
		places[c.results[id].Key] = trace.PathID(id)
	}
	for i := range c.suspects {
		s := &c.suspects[i]
		at := places[s.Path]
		if callee, isCaller := c.ways[s.Path]; isCaller && s.Kind == Gap {
			at = callee
		}
		if usual, now := c.valuesOf(s, at); min(len(usual), len(now)) >= minOnset {
			s.Course = c.courseOf(usual, now)
		}
		if s.Kind == New || s.Kind == Calls {
			s.Grows = s.Grows || c.takesLonger(at)
		}
	}
}

// valuesOf are the values of the requests of both sides that a suspect's finding is
// about, the larger the more of it.
func (c *comparison) valuesOf(s *Suspect, at trace.PathID) (usual []float64, now []observed) {
	var value func(*call) int64
	switch s.Kind {
	case SelfTime:
		value = selfOf
	case OwnTail:
		value = ownOf
	case Gap:
		value = gapOf
	case Latency:
		value = durationOf
	case ErrorRate:
		value = func(held *call) int64 { return int64(one(held.failed)) }
	default:
		return c.callsOf(s, at)
	}
	if !s.Finding.Worse {
		return nil, nil
	}
	eachRequest(c.baseline.of(at), value, func(_ int32, mean float64) { usual = append(usual, mean) })
	eachRequest(c.candidate.of(at), value, func(request int32, mean float64) {
		now = append(now, observed{c.candidate.requests[request].start, mean})
	})
	return usual, now
}

// callsOf are the calls of a path per call of its caller; negative where there are
// fewer than before.
func (c *comparison) callsOf(s *Suspect, at trace.PathID) (usual []float64, now []observed) {
	parent := c.paths.Path(at).Parent
	if parent == trace.None {
		return nil, nil
	}
	sign := 1.0
	if s.Kind == Gone || s.Kind == Calls && s.Finding.Effect < 1 {
		sign = -1
	}
	var before, after callCounts
	before.read(c.baseline, c.baseline.of(at), c.baseline.of(parent))
	after.read(c.candidate, c.candidate.of(at), c.candidate.of(parent))
	for i := range before.counts {
		usual = append(usual, sign*before.counts[i]/before.callers[i])
	}
	for i, request := range after.requests {
		now = append(now, observed{c.candidate.requests[request].start, sign * after.counts[i] / after.callers[i]})
	}
	return usual, now
}

// takesLonger says that the calls of a path take longer and longer, from the
// candidate's begin to its end.
func (c *comparison) takesLonger(path trace.PathID) bool {
	var now []observed
	eachRequest(c.candidate.of(path), durationOf, func(request int32, mean float64) {
		now = append(now, observed{c.candidate.requests[request].start, mean})
	})
	slices.SortStableFunc(now, func(a, b observed) int { return cmp.Compare(a.start, b.start) })
	return grows(now[:len(now)/2]) && grows(now[len(now)/2:])
}

// courseOf parts the requests like the baseline's from others at the instant where
// that works best (the Mann–Whitney form of a test for one change point: Pettitt
// 1979).
func (c *comparison) courseOf(usual []float64, now []observed) (course Course) {
	slices.SortStableFunc(now, func(a, b observed) int { return cmp.Compare(a.start, b.start) })
	slices.Sort(usual)
	isWorse := func(part []observed) bool {
		change := stats.MannWhitney(usual, ascending(part))
		return change.Superiority >= c.options.MinSuperiority && change.PValue < maxEarly
	}
	first := max(minOnset, min(len(now)/10, 10*minOnset))
	course.FromStart = isWorse(now[:first])
	if len(now) < 2*minOnset {
		return course
	}
	at := changePoint(now)
	course.Grows = grows(now[:at]) && grows(now[at:])
	change := stats.MannWhitney(ascending(now[:at]), ascending(now[at:]))
	if change.PValue <= maxOnset && change.Superiority > 0.5 && !course.FromStart && !isWorse(now[:at]) {
		course.Began = time.Unix(0, now[at].start).UTC()
	}
	return course
}

// changePoint is the index that parts lower values from higher ones best.
func changePoint(now []observed) (best int) {
	ranked := ascending(now)
	best, most, sum := minOnset, 0.0, 0.0
	for i := range now[:len(now)-minOnset] {
		sum += rankOf(now[i].value, ranked) - float64(len(now))/2
		if i+1 >= minOnset && -sum > most {
			best, most = i+1, -sum
		}
	}
	return best
}

// grows says that values increase with time: Spearman's rank correlation.
func grows(part []observed) bool {
	if len(part) < 2*minOnset {
		return false
	}
	ranked, middle := ascending(part), float64(len(part)-1)/2
	product, times, values := 0.0, 0.0, 0.0
	for i := range part {
		x, y := float64(i)-middle, rankOf(part[i].value, ranked)-float64(len(part))/2
		product, times, values = product+x*y, times+x*x, values+y*y
	}
	if values == 0 {
		return false
	}
	z := product / math.Sqrt(times*values) * math.Sqrt(float64(len(part)-1))
	return math.Erfc(z/math.Sqrt2)/2 <= maxGrowth
}

func ascending(part []observed) []float64 {
	list := make([]float64, len(part))
	for i := range part {
		list[i] = part[i].value
	}
	slices.Sort(list)
	return list
}
