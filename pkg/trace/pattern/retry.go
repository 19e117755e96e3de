package pattern

import (
	"github.com/foresight-observability/foresight/pkg/trace"
)

const (
	// minAmplification is how many calls the callee sees for each that is meant,
	// at one layer, for a storm; minProduct over several layers that each
	// multiply by at least minLayer.
	minAmplification = 1.5
	minProduct       = 3
	minLayer         = 1.2
	// minMeant is the least number of calls meant, for any word on a storm.
	minMeant = 10
)

// attempts counts the calls that were meant, and those that were made for them.
type attempts struct{ meant, made int }

func (a attempts) amplification() float64 {
	if a.meant == 0 {
		return 1
	}
	return float64(a.made) / float64(a.meant)
}

// recordRetries notes calls that a scope makes again after they failed.
func (n *collector) recordRetries(s *traceView, made *scope) {
	byPath := map[trace.PathID][]int32{}
	var order []trace.PathID
	for _, index := range made.calls {
		if role := s.calls[index].role; role != query && role != remote && role != cacheGet && role != cacheSet {
			continue
		}
		path := s.paths[index]
		if byPath[path] == nil {
			order = append(order, path)
		}
		byPath[path] = append(byPath[path], index)
	}
	for _, path := range order {
		calls := byPath[path]
		meant := 0
		for start := 0; start < len(calls); {
			end := start + 1
			for end < len(calls) && s.repeatsFailed(calls[end-1], calls[end]) {
				end++
			}
			chain := calls[start:end]
			start = end
			meant++
			if len(chain) < 2 || len(chain) < len(calls) && !s.certain(chain) {
				meant += len(chain) - 1
				continue
			}
			last := chain[len(chain)-1]
			n.record(place{kind: Retry, caller: s.paths[made.node], call: path}, occurrence{
				request: s.request, repeats: len(chain), time: s.time(chain[:len(chain)-1]), sure: true,
				saved: s.heldDuring(made.node, s.node(chain[0]).Start, s.node(last).Start),
			})
		}
		held := n.attempts[path]
		n.attempts[path] = attempts{held.meant + meant, held.made + len(calls)}
	}
}

// repeatsFailed says that a call comes after the same one has failed.
func (s *traceView) repeatsFailed(before, now int32) bool {
	earlier, later := s.node(before), s.node(now)
	a, b := &s.calls[before], &s.calls[now]
	return earlier.Failed && later.Start >= earlier.End()-tolerance(earlier.Duration) &&
		(a.raw == b.raw || a.raw == "" || b.raw == "") && (a.address == b.address || a.address == "" || b.address == "")
}

// certain says that a chain is one call tried again, and not a loop of which
// some calls fail: the values are known and the same, or the client says so.
func (s *traceView) certain(chain []int32) bool {
	for _, index := range chain[1:] {
		if !s.calls[index].resend && s.calls[index].raw == "" {
			return false
		}
	}
	return true
}

// storm says whether retries multiply the load of a callee: at this layer, or
// together with the layers above it.
func (n *collector) storm(p place, numbers *trace.Paths) (amplification float64, isStorm bool) {
	own := n.attempts[p.call]
	if own.meant < minMeant {
		return own.amplification(), false
	}
	product, layers := own.amplification(), 1
	for path := p.caller; path != trace.None; path = numbers.Path(path).Parent {
		if above := n.attempts[path]; above.meant >= minMeant && above.amplification() >= minLayer {
			product *= above.amplification()
			layers++
		}
	}
	return product, own.amplification() >= minAmplification || layers >= 2 && product >= minProduct && own.amplification() >= minLayer
}
