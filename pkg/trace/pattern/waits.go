package pattern

import (
	"cmp"
	"maps"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// Most connection pools send no spans. Their waits are pauses before the first
// statement of a request, which grow with the requests at once.

// spot is a scope and the first statement that it makes.
type spot struct{ caller, call trace.PathID }

// pause is the time in which a request of a scope did nothing that can be seen
// before its first statement.
type pause struct {
	work
	statement int64 // the duration of the statement that followed
}

// recordPause notes the pause before a scope's first statement, where no span
// tells of a wait for a connection.
func (n *collector) recordPause(s *traceView, made *scope) {
	node := s.node(made.node)
	if s.batch || node.InnerDuration <= 0 {
		return
	}
	from := node.InnerStart
	for _, index := range made.calls {
		call := s.node(index)
		switch s.calls[index].role {
		case poolWait:
			return
		case query:
			if gap := call.Start - from; gap >= 0 {
				at := spot{s.paths[made.node], s.paths[index]}
				n.pauses[at] = append(n.pauses[at], pause{work{
					s.request, node.InnerStart, node.InnerStart + node.InnerDuration, gap, s.heldDuring(made.node, from, call.Start),
				}, call.Duration})
			}
			return
		}
		from = max(from, call.End())
	}
}

// addPauses adds pauses that grow with company as waits for a connection, and
// returns the callers whose own time grows for that.
func (n *collector) addPauses(o *Options) map[trace.PathID]bool {
	waiting := map[trace.PathID]bool{}
	for _, at := range sortedSpots(n.pauses) {
		pauses := n.pauses[at]
		works := make([]work, len(pauses))
		statements := make([]float64, len(pauses))
		for i, p := range pauses {
			works[i], statements[i] = p.work, float64(p.statement)
		}
		_, quiet, found := growsWithCompany(works)
		least := max(float64(o.MinPoolWait), minWaitShare*stats.MedianOf(statements))
		if !found || excessOf(works, quiet, 0.9) < least {
			continue
		}
		waiting[at.caller] = true
		for _, w := range works {
			if excess := float64(w.self) - quiet; excess >= least {
				n.record(place{kind: SilentWait, caller: at.caller, call: at.call}, occurrence{
					request: w.request, repeats: 1, time: w.self, saved: int64(min(excess, float64(w.held))), sure: true,
				})
			}
		}
	}
	return waiting
}

func sortedSpots(pauses map[spot][]pause) []spot {
	return slices.SortedFunc(maps.Keys(pauses), func(a, b spot) int {
		return cmp.Or(cmp.Compare(a.caller, b.caller), cmp.Compare(a.call, b.call))
	})
}

// excessOf is a quantile of what works take beyond the quiet ones.
func excessOf(works []work, quiet, quantile float64) float64 {
	times := make([]float64, len(works))
	for i, w := range works {
		times[i] = float64(w.self)
	}
	slices.Sort(times)
	return stats.Quantile(times, quantile) - quiet
}
