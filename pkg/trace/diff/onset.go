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
)

// findOnsets notes of every suspect when its difference began, where that was
// clearly after the candidate did.
func (c *comparison) findOnsets() {
	for i := range c.suspects {
		s := &c.suspects[i]
		id := slices.IndexFunc(c.results, func(p Path) bool { return p.Key == s.Path })
		value := map[Aspect]func(*call) int64{SelfTime: selfOf, OwnTail: ownOf, Gap: gapOf, Latency: durationOf, ErrorRate: failedOf}[s.Kind]
		if id < 0 || value == nil || !s.Finding.Worse {
			continue
		}
		s.Began = c.onset(trace.PathID(id), value)
	}
}

func failedOf(c *call) int64 { return int64(one(c.failed)) }

// onset is the instant in the candidate that parts requests like the baseline's
// from others best (the Mann–Whitney form of a test for one change point: Pettitt
// 1979); the zero time where the difference was there from the start, or its
// beginning is not clear.
func (c *comparison) onset(path trace.PathID, value func(*call) int64) time.Time {
	var usual []float64
	eachRequest(c.baseline.of(path), value, func(_ int32, mean float64) { usual = append(usual, mean) })
	type observed struct {
		start int64
		value float64
	}
	var now []observed
	eachRequest(c.candidate.of(path), value, func(request int32, mean float64) {
		now = append(now, observed{c.candidate.requests[request].start, mean})
	})
	if len(now) < 2*minOnset || len(usual) < minOnset {
		return time.Time{}
	}
	slices.SortStableFunc(now, func(a, b observed) int { return cmp.Compare(a.start, b.start) })
	ranked := make([]float64, len(now))
	for i := range now {
		ranked[i] = now[i].value
	}
	slices.Sort(ranked)
	best, most, sum := 0, 0.0, 0.0
	for i := range now[:len(now)-1] {
		sum += rankOf(now[i].value, ranked) - float64(len(now))/2
		if size := math.Abs(sum); i+1 >= minOnset && len(now)-i-1 >= minOnset && size > most {
			best, most = i+1, size
		}
	}
	if best == 0 {
		return time.Time{}
	}
	values := func(part []observed) []float64 {
		list := make([]float64, len(part))
		for i := range part {
			list[i] = part[i].value
		}
		slices.Sort(list)
		return list
	}
	slices.Sort(usual)
	early, late := values(now[:best]), values(now[best:])
	change := stats.MannWhitney(early, late)
	before := stats.MannWhitney(usual, early)
	if change.PValue > maxOnset || change.Superiority <= 0.5 || before.Superiority >= c.options.MinSuperiority && before.PValue < 0.01 {
		return time.Time{}
	}
	return time.Unix(0, now[best].start).UTC()
}
