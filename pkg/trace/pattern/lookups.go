package pattern

import (
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// lookups counts what a scope reads from.
type lookups struct {
	times  int // that the scope was entered
	cached int // of those, with a read of a cache
	reads  map[trace.PathID]int
}

const (
	// minCached is the share of a scope's times with a read of the cache in the
	// baseline that makes it a cached lookup.
	minCached = 0.5
	// maxMissed is the share of misses above which a cache was of no use before.
	maxMissed = 0.5
	// minMissRatio and minMissChange are the least growth of the misses.
	minMissRatio, minMissChange = 2, 0.1
)

// recordLookups counts what a scope reads, and notes the statements: whether a
// cache used to answer them, the baseline tells.
func (n *collector) recordLookups(s *traceView, made *scope) {
	path := s.paths[made.node]
	held := n.lookups[path]
	if held == nil {
		held = &lookups{reads: map[trace.PathID]int{}}
		n.lookups[path] = held
	}
	held.times++
	seen := map[trace.PathID]bool{}
	for _, index := range made.calls {
		c, node := &s.calls[index], s.node(index)
		switch {
		case c.role == cacheGet && !seen[trace.None]:
			seen[trace.None] = true
			held.cached++
		case (c.role == query || c.role == remote) && c.read && !node.Failed:
			if !seen[s.paths[index]] {
				seen[s.paths[index]] = true
				held.reads[s.paths[index]]++
			}
			n.record(place{kind: LostCache, caller: path, call: s.paths[index]}, occurrence{
				request: s.request, repeats: 1, time: node.Duration, saved: s.heldBy(index), sure: true,
			})
		}
	}
}

// lostCache says whether reads that a cache used to answer now go past it:
// they follow misses more often, or the cache is not asked any more.
func lostCache(p place, before, now *collector) (misses, missesBefore float64, lost bool) {
	past, present := before.lookups[p.caller], now.lookups[p.caller]
	if past == nil || present == nil || float64(past.cached) < minCached*float64(past.times) {
		return 0, 0, false
	}
	a := stats.Proportion{Successes: past.reads[p.call], Trials: past.times}
	b := stats.Proportion{Successes: present.reads[p.call], Trials: present.times}
	lost = a.Rate() <= maxMissed && b.Rate() >= minMissRatio*a.Rate() && b.Rate()-a.Rate() >= minMissChange &&
		stats.FisherMidP(a, b) <= 0.01
	return b.Rate(), a.Rate(), lost
}
