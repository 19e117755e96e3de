package diff

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// notices say what was left out or repaired, and what differs between the
// sides without being a change of the system.
func (c *comparison) notices() []string {
	notices := c.mixNotices()
	notices = append(notices, c.baseline.notices("baseline")...)
	notices = append(notices, c.candidate.notices("candidate")...)
	if folded := c.paths.Folded; folded > 0 {
		notices = append(notices, fmt.Sprintf(
			"%d calls stand on collective paths (\"(deeper)\", \"(other)\"): the call tree is deeper or wider than the limits.", folded))
	}
	if common := c.commonTraces(); common > 0 {
		notices = append(notices, fmt.Sprintf(
			"%d traces belong to both sides: the difference between the sides is understated.", common))
	}
	return notices
}

// commonTraces counts the traces that are on both sides.
func (c *comparison) commonTraces() (count int) {
	held := make(map[trace.TraceID]bool, len(c.baseline.requests))
	for i := range c.baseline.requests {
		held[c.baseline.requests[i].id] = true
	}
	for i := range c.candidate.requests {
		count += one(held[c.candidate.requests[i].id])
	}
	return count
}

// notices of one side.
func (p *population) notices(name string) []string {
	var notices []string
	add := func(count int, format string) {
		if count > 0 {
			notices = append(notices, fmt.Sprintf("%s: %d ", name, count)+format)
		}
	}
	add(p.repeated, "traces were given twice and are counted once.")
	add(p.empty, "traces without spans are left out.")
	add(p.summary.Incomplete, "traces are incomplete; calls missing in them do not count as removed.")
	return append(notices, p.repairs.Notices(name)...)
}

// notableDivergence is the Jensen–Shannon divergence (in bits) from which a
// shift of traffic between endpoints is told.
const notableDivergence = 0.05

// mixNotices tell a shift of traffic between endpoints and endpoints on one
// side only. Paths are compared within their endpoint, so neither makes a path
// look slower.
func (c *comparison) mixNotices() []string {
	totalA, totalB := float64(len(c.baseline.requests)), float64(len(c.candidate.requests))
	if totalA == 0 || totalB == 0 {
		return nil
	}
	divergence, most := 0.0, 0
	var onlyA, onlyB []string
	difference := func(e *endpoint) float64 {
		return math.Abs(float64(e.Candidate)/totalB - float64(e.Baseline)/totalA)
	}
	for i := range c.endpoints {
		e := &c.endpoints[i]
		p, q := float64(e.Baseline)/totalA, float64(e.Candidate)/totalB
		divergence += (informationOf(p, (p+q)/2) + informationOf(q, (p+q)/2)) / 2
		if difference(e) > difference(&c.endpoints[most]) {
			most = i
		}
		switch name := e.Service + " " + e.Operation; {
		case e.Baseline > 0 && e.Candidate == 0:
			onlyA = append(onlyA, fmt.Sprintf("%s (%d)", name, e.Baseline))
		case e.Candidate > 0 && e.Baseline == 0:
			onlyB = append(onlyB, fmt.Sprintf("%s (%d)", name, e.Candidate))
		}
	}
	var notices []string
	if divergence > notableDivergence {
		e := &c.endpoints[most]
		notices = append(notices, fmt.Sprintf(
			"The mix of requests changed (most: %s %s from %.0f %% to %.0f %% of the traces); paths are compared within each endpoint.",
			e.Service, e.Operation, 100*float64(e.Baseline)/totalA, 100*float64(e.Candidate)/totalB))
	}
	if len(onlyA) > 0 {
		notices = append(notices, "Only in the baseline: "+listed(onlyA)+".")
	}
	if len(onlyB) > 0 {
		notices = append(notices, "Only in the candidate: "+listed(onlyB)+".")
	}
	return notices
}

func informationOf(p, middle float64) float64 {
	if p == 0 {
		return 0
	}
	return p * math.Log2(p/middle)
}

// listed joins the first names of a list, sorted.
func listed(names []string) string {
	const shown = 5
	slices.Sort(names)
	if len(names) > shown {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", len(names)-shown)
	}
	return strings.Join(names, ", ")
}
