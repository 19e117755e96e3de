package pattern

import (
	"regexp"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// Calls in a row that could run at once. Traces do not show data flow, so
// independence needs evidence: the calls' order varies, or they overlap in
// some traces, or every value in the later call was known before the first.
// And the later call must always follow: one that is made only sometimes may
// hang on what the earlier one answered.

// pair is two calls of one scope, the smaller path first.
type pair struct{ scope, a, b trace.PathID }

// meeting counts how the two calls of a pair lie in time.
type meeting struct{ aFirst, bFirst, overlap, onlyA int }

const (
	minStatementsInRow = 2
	minCallsInRow      = 3
	// maxPause is the largest part of two calls' time that may pass between
	// them: work on the first answer takes longer.
	maxPause = 0.1
	// maxScope bounds the pairs that a scope is looked at for.
	maxScope = 12
	// enough is the share of traces in which evidence must hold.
	enough = 0.95
)

// gate names calls that the others wait for by design: who is asking, and what
// is switched on.
var gate = regexp.MustCompile(`(?i)auth|session|login|token|permission|polic(y|ies)|feature|flag|tenant|config|rate.?limit|lock`)

// recordRows notes reads of one scope that run one after the other.
func (n *collector) recordRows(s *traceView, made *scope) {
	if s.isAgent(made) {
		return
	}
	n.recordOrder(s, made)
	var row []int32
	transaction := false
	for _, index := range made.calls {
		c, node := &s.calls[index], s.node(index)
		transaction = (transaction || c.begins) && !c.ends
		if c.role == control || c.role == poolWait {
			continue
		}
		fits := c.read && (c.role == query || c.role == remote) && !node.Failed && !transaction && !node.Apart
		if fits && len(row) > 0 {
			last := s.node(row[len(row)-1])
			pause := node.Start - last.End()
			fits = s.calls[row[0]].role == c.role && pause >= -tolerance(last.Duration) &&
				float64(pause) < maxPause*float64(node.Duration+last.Duration)
		}
		if !fits {
			n.recordRow(s, made, row)
			row = row[:0]
		}
		if c.read && (c.role == query || c.role == remote) && !node.Failed && !transaction && !node.Apart && !s.isGate(index) {
			row = append(row, index)
		}
	}
	n.recordRow(s, made, row)
}

// isGate says that the others wait for a call by design.
func (s *traceView) isGate(index int32) bool {
	path := s.paths[index]
	known, exists := s.cache.gates[path]
	if !exists {
		span := &s.tree.Trace.Spans[s.node(index).Span]
		known = gate.MatchString(span.Name) || gate.MatchString(s.calls[index].address) || gate.MatchString(firstOf(span, "db.statement", "db.query.text"))
		s.cache.gates[path] = known
	}
	return known
}

func (n *collector) recordRow(s *traceView, made *scope, row []int32) {
	least := minStatementsInRow
	if len(row) > 0 && s.calls[row[0]].role == remote {
		least = minCallsInRow
	} else if s.graph {
		return
	}
	if len(row) < least || !s.differ(row) {
		return
	}
	// Those whose values were known before the first could run with it, whatever
	// the others wait for.
	free, knownBefore := []int32{row[0]}, s.knownBefore(row[0])
	for _, index := range row[1:] {
		if s.needsOnly(knownBefore, index) {
			free = append(free, index)
		}
	}
	if len(free) >= least && s.differ(free) {
		row = free
	}
	known := len(row) == len(free)
	var paths []trace.PathID
	for _, index := range row {
		paths = append(paths, s.paths[index])
	}
	slices.Sort(paths)
	total, longest := s.heldByAll(row)
	n.record(place{kind: Serial, caller: s.paths[made.node], call: paths[0], others: writePaths(paths[1:])}, occurrence{
		request: s.request, repeats: len(row), time: s.time(row), saved: total - longest, sure: known,
	})
}

// knownBefore are the values that were known before the first call of a row:
// those in it, and in the request itself.
func (s *traceView) knownBefore(first int32) []string {
	known := append(valuesOf(s.calls[first].raw), valuesOf(s.calls[first].address)...)
	for at := s.node(first).Parent; at != trace.None; at = s.node(at).Parent {
		node := s.node(at)
		for _, spanIndex := range []int32{node.Span, node.Server} {
			if spanIndex != trace.None {
				span := &s.tree.Trace.Spans[spanIndex]
				known = append(known, valuesOf(firstOf(span, "http.target", "url.path"))...)
			}
		}
	}
	return known
}

// needsOnly says that a call shows its values, and that all of them are among
// those known.
func (s *traceView) needsOnly(known []string, index int32) bool {
	raw, path := s.calls[index].raw, s.paths[index]
	if raw == "" {
		return false
	}
	names, exists := s.cache.names[path]
	if !exists { // what stands in the operation is part of a name, and no value
		names = valuesOf(s.numbers.Path(path).Operation)
		s.cache.names[path] = names
	}
	for {
		start, end := nextValue(raw)
		if start < 0 {
			return true
		}
		if own := raw[start:end]; !slices.Contains(known, own) && !slices.Contains(names, own) {
			return false
		}
		raw = raw[end:]
	}
}

// recordOrder counts how the reads of a scope lie in time.
func (n *collector) recordOrder(s *traceView, made *scope) {
	var first []int32 // of every path
	for _, index := range made.calls {
		c := &s.calls[index]
		if c.read && (c.role == query || c.role == remote) && !s.node(index).Failed &&
			!slices.ContainsFunc(first, func(other int32) bool { return s.paths[other] == s.paths[index] }) {
			first = append(first, index)
		}
	}
	if len(first) > maxScope {
		return
	}
	scope := s.paths[made.node]
	for i, x := range first {
		n.addOrder(pair{scope, s.paths[x], s.paths[x]}, meeting{onlyA: 1})
		for _, y := range first[i+1:] {
			a, b := s.node(x), s.node(y)
			met := meeting{aFirst: 1}
			if b.Start < a.End()-tolerance(a.Duration) {
				met = meeting{overlap: 1}
			}
			if s.paths[x] < s.paths[y] {
				n.addOrder(pair{scope, s.paths[x], s.paths[y]}, met)
			} else {
				n.addOrder(pair{scope, s.paths[y], s.paths[x]}, meeting{bFirst: met.aFirst, overlap: met.overlap})
			}
		}
	}
}

func (n *collector) addOrder(p pair, o meeting) {
	held := n.orders[p]
	held.aFirst += o.aFirst
	held.bFirst += o.bFirst
	held.overlap += o.overlap
	held.onlyA += o.onlyA
	n.orders[p] = held
}

// independent says whether there is evidence that all calls of a row could run
// at once.
func (n *collector) independent(p place, seen []occurrence) bool {
	sure := 0
	for _, o := range seen {
		if o.sure {
			sure++
		}
	}
	known := float64(sure) >= enough*float64(len(seen))
	paths := append([]trace.PathID{p.call}, readPaths(p.others)...)
	paths = slices.Compact(paths)
	for i, a := range paths {
		for _, b := range paths[i+1:] {
			met := n.orders[pair{p.caller, a, b}]
			both := met.aFirst + met.bFirst + met.overlap
			alone := max(n.orders[pair{p.caller, a, a}].onlyA, n.orders[pair{p.caller, b, b}].onlyA)
			if float64(both) < enough*float64(alone) {
				return false // one of them is made only sometimes
			}
			turned := max(min(met.aFirst, met.bFirst), met.overlap)
			if !known && (turned < 2 || turned*20 < both) {
				return false
			}
		}
	}
	return true
}

// saves says that running the calls at once pays: by a fixed time, or by a
// tenth of the endpoint's median duration.
func saves(seen []occurrence, endpointMedian float64, o *Options) bool {
	saved := make([]float64, len(seen))
	for i := range seen {
		saved[i] = float64(seen[i].saved)
	}
	median := stats.MedianOf(saved)
	return median >= float64(o.MinSaving) || median >= 0.1*endpointMedian && median > 0
}
