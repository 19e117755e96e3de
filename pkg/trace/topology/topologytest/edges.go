// Package topologytest describes service maps in short, for tests of decoders.
package topologytest

import (
	"fmt"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/topology"
)

// Edges are the calls of one trace, sorted: who calls whom, how often, how long at
// the median for either end in milliseconds (0 where it is not known), and how
// many of the calls failed.
func Edges(one trace.Trace) (lines []string) {
	m := topology.Draw([]trace.Trace{one}, nil, topology.Options{})
	for _, e := range m.Edges {
		l := &e.Now
		lines = append(lines, fmt.Sprintf("%s: %d calls, client %g, server %g, %g failed",
			e.ID, l.Calls, l.Client.P50/1e6, l.Server.P50/1e6, l.Errors.Estimate*float64(l.Calls)))
	}
	slices.Sort(lines)
	return lines
}

// Own are the services of one trace with the time of their own work in
// milliseconds, sorted.
func Own(one trace.Trace) (lines []string) {
	m := topology.Draw([]trace.Trace{one}, nil, topology.Options{})
	for _, n := range m.Nodes {
		if n.Type == topology.Service {
			lines = append(lines, fmt.Sprintf("%s %g", n.ID, n.Now.Own.P50/1e6))
		}
	}
	slices.Sort(lines)
	return lines
}
