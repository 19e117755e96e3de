package pattern

import (
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

const (
	// slowerThanUsual is how many times its usual 95th percentile a statement
	// must take to be slow, where it is not by itself.
	slowerThanUsual = 3
	// minSlow is below any question.
	minSlow = float64(10 * time.Millisecond)
	// minUsual is how many durations make a usual one.
	minUsual = 10
)

// usual is what a statement took in the baseline, nanoseconds.
type usual struct{ median, p95 float64 }

// usuals are the usual durations of statements.
func (n *collector) usuals() map[trace.PathID]usual {
	known := map[trace.PathID]usual{}
	for path, durations := range n.queries {
		if len(durations) < minUsual {
			continue
		}
		ascending := slices.Sorted(slices.Values(durations))
		known[path] = usual{stats.Quantile(ascending, 0.5), stats.Quantile(ascending, 0.95)}
	}
	return known
}

// recordStatements notes slow statements, and the sizes of answers.
func (n *collector) recordStatements(s *traceView, known map[trace.PathID]usual, o *Options) {
	for i := range s.calls {
		c, node, path := &s.calls[i], s.node(int32(i)), s.paths[i]
		if c.size > 0 {
			n.sizes[path] = append(n.sizes[path], weight{s.request, float64(c.size), float64(node.Duration), float64(s.heldBy(int32(i)))})
			n.recordSize(s, int32(i))
		}
		if c.role != query || c.cut || s.batch || node.Parent == trace.None {
			continue
		}
		duration := float64(node.Duration)
		n.queries[path] = append(n.queries[path], duration)
		limit, typical := float64(o.SlowQuery), float64(o.SlowQuery)
		if past, exists := known[path]; exists {
			limit = min(limit, max(slowerThanUsual*past.p95, minSlow))
			typical = min(past.median, limit)
		}
		if duration < limit {
			continue
		}
		saved := float64(s.heldBy(int32(i))) * (1 - typical/duration)
		n.record(place{kind: SlowQuery, caller: s.paths[node.Parent], call: path}, occurrence{
			request: s.request, repeats: 1, time: node.Duration, saved: int64(saved), sure: true,
		})
	}
}

// minWaitShare is the least wait for a connection, against the statement that
// needs it.
const minWaitShare = 0.2

// recordPoolWaits notes waits for a connection that are long by themselves and
// against the statement that comes after. After a wait in vain there is none.
func (n *collector) recordPoolWaits(s *traceView, o *Options) {
	for i := range s.calls {
		node := s.node(int32(i))
		if s.calls[i].role != poolWait || node.Duration < int64(o.MinPoolWait) || node.Parent == trace.None {
			continue
		}
		if next, exists := s.nextStatement(int32(i)); exists && float64(node.Duration) < minWaitShare*float64(s.node(next).Duration) {
			continue
		}
		n.record(place{kind: PoolWait, caller: s.paths[node.Parent], call: s.paths[i]}, occurrence{
			request: s.request, repeats: 1, time: node.Duration, saved: s.heldBy(int32(i)), sure: true,
		})
	}
}

// nextStatement is the sister after a node that is a statement.
func (s *traceView) nextStatement(index int32) (next int32, exists bool) {
	parent := s.node(index).Parent
	for sister := s.node(index).Last; sister < s.node(parent).Last; sister = s.node(sister).Last {
		if s.calls[sister].role == query {
			return sister, true
		}
	}
	return 0, false
}
