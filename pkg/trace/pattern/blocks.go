package pattern

import (
	"strconv"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// maxBlock is the largest number of calls in a block that repeats.
const maxBlock = 8

// minBlockShare is the least part of the caller's duration that the blocks'
// statements and calls take.
const minBlockShare = 0.05

// recordBlocks notes a sequence of different calls that a scope makes again and
// again (Sentry's MN+1), and returns the paths in it.
func (n *collector) recordBlocks(s *traceView, made *scope, o *Options) map[trace.PathID]bool {
	if len(made.calls) < 2*o.MinBlocks {
		return nil
	}
	var row []int32
	for _, index := range made.calls {
		switch s.calls[index].role {
		case query, remote, cacheGet, cacheSet:
			if !s.node(index).Failed {
				row = append(row, index)
			}
		}
	}
	row = s.sequential(row)
	covered := map[trace.PathID]bool{}
	for start := 0; start < len(row); {
		length, repeats := s.blockAt(row[start:], o)
		if repeats == 0 {
			start++
			continue
		}
		calls := row[start : start+length*repeats]
		start += len(calls)
		if !s.matters(made, calls, o) || s.repeatsValues(calls, length) || !s.asks(made, calls) {
			continue
		}
		for _, index := range calls[:length] {
			covered[s.paths[index]] = true
		}
		total, longest := int64(0), int64(0)
		for at := 0; at < len(calls); at += length {
			held, _ := s.heldByAll(calls[at : at+length])
			total += held
			longest = max(longest, held)
		}
		first, others := s.canonical(calls[:length])
		n.record(place{kind: Loop, caller: s.paths[made.node], call: first, others: others}, occurrence{
			request: s.request, repeats: repeats, time: s.time(calls), saved: total - longest, sure: true,
		})
	}
	return covered
}

// blockAt is the block that repeats from the start of a row and covers most of
// it, the shortest of those; no repeats where there is none.
func (s *traceView) blockAt(row []int32, o *Options) (length, repeats int) {
	for candidate := 2; candidate <= maxBlock && candidate*o.MinBlocks <= len(row); candidate++ {
		if !s.differ(row[:candidate]) {
			continue
		}
		matching := candidate
		for matching < len(row) && s.paths[row[matching]] == s.paths[row[matching-candidate]] {
			matching++
		}
		count := matching / candidate
		if count >= o.MinBlocks && count*candidate > length*repeats {
			length, repeats = candidate, count
		}
	}
	return length, repeats
}

// differ says that there are at least two paths among the calls.
func (s *traceView) differ(calls []int32) bool {
	for _, index := range calls {
		if s.paths[index] != s.paths[calls[0]] {
			return true
		}
	}
	return false
}

// repeatsValues says that every block is known to ask the very same.
func (s *traceView) repeatsValues(calls []int32, length int) bool {
	for i, index := range calls {
		c := &s.calls[index]
		if c.raw == "" || !c.read || c.raw != s.calls[calls[i%length]].raw {
			return false
		}
	}
	return true
}

// asks says that databases or services, and not a cache alone, take a part of
// the caller's time.
func (s *traceView) asks(made *scope, calls []int32) bool {
	time := int64(0)
	for _, index := range calls {
		if role := s.calls[index].role; role == query || role == remote {
			time += s.node(index).Duration
		}
	}
	return time > 0 && float64(time) >= minBlockShare*float64(s.node(made.node).Duration)
}

// canonical is the paths of a block from its smallest on, so that a loop that
// is entered in the middle is the same loop.
func (s *traceView) canonical(block []int32) (first trace.PathID, others string) {
	start := 0
	for i := range block {
		if s.paths[block[i]] < s.paths[block[start]] {
			start = i
		}
	}
	var paths []trace.PathID
	for i := range block {
		paths = append(paths, s.paths[block[(start+i)%len(block)]])
	}
	return paths[0], writePaths(paths[1:])
}

func writePaths(paths []trace.PathID) string {
	var texts []string
	for _, path := range paths {
		texts = append(texts, strconv.Itoa(int(path)))
	}
	return strings.Join(texts, " ")
}

func readPaths(text string) []trace.PathID {
	var paths []trace.PathID
	for _, field := range strings.Fields(text) {
		if path, err := strconv.Atoi(field); err == nil {
			paths = append(paths, trace.PathID(path))
		}
	}
	return paths
}
