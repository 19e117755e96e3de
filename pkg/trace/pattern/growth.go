package pattern

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// weight is the size and the duration of one answer, and how long it held up
// the request.
type weight struct {
	request              int32
	size, duration, held float64
}

const (
	// largePayload is the size from which on an answer is large by itself, and
	// largeTakes what it must take to matter.
	largePayload = 300_000
	largeTakes   = int64(100 * time.Millisecond)
)

// download is what is large by design.
var download = regexp.MustCompile(`(?i)/(download|export|file|image|media|video|backup)s?\b|\.(pdf|zip|t?gz|csv|xlsx?|png|jpe?g|gif|webp|mp4|js|css|bin)(\?|$)`)

// recordSize notes answers that are large by themselves.
func (n *collector) recordSize(s *traceView, index int32) {
	c, node := &s.calls[index], s.node(index)
	if c.role != remote || c.size < largePayload || node.Duration < largeTakes || node.Parent == trace.None || s.batch || download.MatchString(c.address) {
		return
	}
	n.record(place{kind: LargePayload, caller: s.paths[node.Parent], call: s.paths[index]}, occurrence{
		request: s.request, repeats: 1, time: node.Duration, sure: true,
		saved: int64(float64(s.heldBy(index)) * (1 - largePayload/float64(c.size))),
	})
}

// minGrowth is the least ratio of sizes.
const minGrowth = 2

// payloads are the paths whose answers became larger and slower.
func payloads(before, now *collector, o *Options) []grown {
	var found []grown
	for path, present := range now.sizes {
		past := before.sizes[path]
		if len(past) < o.MinBaseline || len(present) < o.MinBaseline {
			continue
		}
		size := func(w weight) float64 { return w.size }
		duration := func(w weight) float64 { return w.duration }
		sizes := stats.MannWhitney(ascending(past, size), ascending(present, size))
		durations := stats.MannWhitney(ascending(past, duration), ascending(present, duration))
		ratio := stats.Quantile(ascending(present, size), 0.5) / stats.Quantile(ascending(past, size), 0.5)
		if ratio < minGrowth || sizes.PValue > o.FalseDiscoveryRate || durations.PValue > o.FalseDiscoveryRate || durations.Superiority < 0.64 {
			continue
		}
		found = append(found, grown{path, ratio, stats.Quantile(ascending(past, duration), 0.5)})
	}
	slices.SortFunc(found, func(a, b grown) int { return cmp.Compare(a.path, b.path) })
	return found
}

// grown is a path whose answers grew by a ratio, and the usual duration of the
// smaller ones.
type grown struct {
	path    trace.PathID
	ratio   float64
	typical float64
}

func ascending(weights []weight, value func(weight) float64) []float64 {
	values := make([]float64, len(weights))
	for i, w := range weights {
		values[i] = value(w)
	}
	slices.Sort(values)
	return values
}

// work is one stretch of a service's own work for one request.
type work struct {
	request    int32
	start, end int64
	self, held int64
}

const (
	// minOwn is the part of a call's time that must be its own work.
	minOwn = 0.7
	// minWorks is the least number of calls for a rank correlation.
	minWorks = 40
	// minCorrelation is Spearman's, between a call's own time and the number of
	// calls at once; and maxCorrelationP the most doubt about it.
	minCorrelation, maxCorrelationP = 0.5, 1e-4
)

// recordWork notes calls that are mostly their service's own work.
func (n *collector) recordWork(s *traceView) {
	for i := range s.calls {
		node := s.node(int32(i))
		if node.Span == trace.None || s.batch || node.InnerDuration <= 0 {
			continue
		}
		inner := node.Span
		if node.Server != trace.None {
			inner = node.Server
		}
		if s.tree.Trace.Spans[inner].Kind != trace.Server {
			continue
		}
		n.works[s.paths[i]] = append(n.works[s.paths[i]], work{
			s.request, node.InnerStart, node.InnerStart + node.InnerDuration, node.Self, s.heldBy(int32(i)),
		})
	}
}

// contended says whether calls are their service's own work, which takes the
// longer the more of them run at once: a lock, or one processor for all.
func contended(works []work) (correlation, quiet float64, found bool) {
	if len(works) < minWorks {
		return 0, 0, false
	}
	share := make([]float64, len(works))
	for i, w := range works {
		share[i] = float64(w.self) / float64(w.end-w.start)
	}
	if stats.MedianOf(share) < minOwn {
		return 0, 0, false
	}
	return growsWithCompany(works)
}

// growsWithCompany says whether works take the longer the more of them run at
// once. The sample's calls stand for all of them, which is fair as a rank. quiet
// is the median time of the calls with the least company.
func growsWithCompany(works []work) (correlation, quiet float64, found bool) {
	if len(works) < minWorks {
		return 0, 0, false
	}
	own := make([]float64, len(works))
	company := make([]float64, len(works))
	var starts, ends []int64
	for _, w := range works {
		starts, ends = append(starts, w.start), append(ends, w.end)
	}
	slices.Sort(starts)
	slices.Sort(ends)
	// A call's duration itself makes others overlap it, so company is counted
	// at the instant when it began: begun before, not yet over.
	for i, w := range works {
		own[i] = float64(w.self)
		begun, _ := slices.BinarySearch(starts, w.start)
		over, _ := slices.BinarySearch(ends, w.start+1)
		company[i] = float64(begun - over)
	}
	correlation = stat.Correlation(ranks(own), ranks(company), nil)
	if math.IsNaN(correlation) || correlation < minCorrelation {
		return correlation, 0, false
	}
	freedom := float64(len(works) - 2)
	t := correlation * math.Sqrt(freedom/(1-min(correlation*correlation, 1-1e-12)))
	p := 2 * (distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}).Survival(t)
	if p > maxCorrelationP {
		return correlation, 0, false
	}
	limit := stats.Quantile(slices.Sorted(slices.Values(company)), 0.25)
	var alone []float64
	for i := range works {
		if company[i] <= limit {
			alone = append(alone, own[i])
		}
	}
	return correlation, stats.MedianOf(alone), true
}

// ranks are the places of values in their order, equal values sharing the mean
// of theirs.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	ranked := make([]float64, len(values))
	for start := 0; start < len(order); {
		end := start
		for end < len(order) && values[order[end]] == values[order[start]] {
			end++
		}
		for _, index := range order[start:end] {
			ranked[index] = float64(start+end-1) / 2
		}
		start = end
	}
	return ranked
}
