package traces

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("trace-peers", "Nezha's faults told by four other ways to compare traces [-window 60s] [-against clean|faults]", tracePeers)
}

type peerFigures struct {
	First     float64 `json:"first"` // percent of the faults
	Three     float64 `json:"three"`
	FalseRate float64 `json:"false_rate"` // percent of the fault-free minutes
}

// tracePeers gives the same two populations to every method.
func tracePeers(o runner.Options) (any, error) {
	d, window, against, err := nezhaOptions("trace-peers", o)
	if err != nil {
		return nil, err
	}
	figures := map[string]peerFigures{}
	for name, method := range map[string]verdictOf{
		"foresight": foresight, "jaeger_structure": jaegerStructure, "drilldown_proportions": drilldownProportions,
		"kayenta_judge": kayentaJudge, "p95_threshold": p95Threshold,
	} {
		f, err := measure(d, window, against, method)
		if err != nil {
			return nil, err
		}
		figures[name] = peerFigures{f.First, f.Three, f.FalseRate}
	}
	return figures, nil
}

// suspicion is how strongly a method suspects each service.
type suspicion map[string]float64

func (s suspicion) raise(service string, weight float64) { s[service] = math.Max(s[service], weight) }

func (s suspicion) answer(alarm bool) ([]string, bool, string) {
	services := slices.SortedFunc(maps.Keys(s), func(a, b string) int { return cmp.Or(cmp.Compare(s[b], s[a]), cmp.Compare(a, b)) })
	if alarm {
		return services, true, "different"
	}
	return nil, false, "same"
}

// jaegerStructure is Jaeger's comparison of two traces: nodes are the chains of
// service and operation, compared by how many spans they hold. A person would
// compare a slow trace with a usual one: the candidate's slowest with the
// baseline's of median duration, of the same root.
func jaegerStructure(baseline, candidate []trace.Trace) ([]string, bool, string) {
	slowest := slices.MaxFunc(candidate, func(a, b trace.Trace) int { return cmp.Compare(lengthOf(&a), lengthOf(&b)) })
	root := rootOf(&slowest)
	alike := slices.DeleteFunc(slices.Clone(baseline), func(t trace.Trace) bool {
		other := rootOf(&t)
		return root == nil || other == nil || other.Service != root.Service || other.Name != root.Name
	})
	if len(alike) == 0 {
		return suspicion{}.answer(false)
	}
	slices.SortFunc(alike, func(a, b trace.Trace) int { return cmp.Compare(lengthOf(&a), lengthOf(&b)) })
	before, after := chains(&alike[len(alike)/2]), chains(&slowest)
	suspects := suspicion{}
	for _, side := range []map[chain]int{before, after} {
		for node := range side {
			if change := after[node] - before[node]; change != 0 {
				suspects.raise(node.service, math.Abs(float64(change)))
			}
		}
	}
	return suspects.answer(len(suspects) > 0)
}

// chain is a node of Jaeger's graph.
type chain struct{ path, service string }

func chains(t *trace.Trace) map[chain]int {
	byID := map[trace.SpanID]*trace.Span{}
	for i := range t.Spans {
		byID[t.Spans[i].ID] = &t.Spans[i]
	}
	counts := map[chain]int{}
	for i := range t.Spans {
		span := &t.Spans[i]
		var path strings.Builder
		for at, depth := span, 0; at != nil && depth < 64; at, depth = byID[at.ParentID], depth+1 {
			path.WriteString("\t" + at.Service + "\t" + at.Name)
		}
		counts[chain{path.String(), span.Service}]++
	}
	return counts
}

func rootOf(t *trace.Trace) *trace.Span {
	for i := range t.Spans {
		if t.Spans[i].ParentID == (trace.SpanID{}) {
			return &t.Spans[i]
		}
	}
	return nil
}

func lengthOf(t *trace.Trace) int64 {
	if root := rootOf(t); root != nil {
		return root.Duration
	}
	return 0
}

// drilldownProportions is the comparison of Grafana's Traces Drilldown: for
// every value of an attribute (the data have service and name) its share of
// the selected spans against that of the others, ranked by the largest
// difference. Selected are the candidate's spans. It has no threshold: it
// always shows a list, therefore always raises an alarm.
func drilldownProportions(baseline, candidate []trace.Trace) ([]string, bool, string) {
	before, after := shares(baseline), shares(candidate)
	suspects := suspicion{}
	for _, side := range []map[measured]float64{before, after} {
		for value := range side {
			suspects.raise(value.service, math.Abs(after[value]-before[value]))
		}
	}
	return suspects.answer(true)
}

// measured is what the methods that know no traces measure: the spans of a
// service with a name; the service as a whole where that is empty.
type measured struct{ service, name string }

func shares(traces []trace.Trace) map[measured]float64 {
	counts, all := map[measured]float64{}, 0.0
	for i := range traces {
		for j := range traces[i].Spans {
			span := &traces[i].Spans[j]
			counts[measured{span.Service, span.Name}]++
			counts[measured{span.Service, ""}]++
			all++
		}
	}
	for value := range counts {
		counts[value] /= all
	}
	return counts
}

// kayentaJudge is Kayenta's classifier of metrics: the mean duration of every
// service's operation in steps of 5 s, High where the lower 98 % confidence
// limit of the shift exceeds a quarter of its estimate. The canary fails where
// fewer than 75 % of the metrics pass (the documented limit for marginal); the
// failing metrics are ranked by the ratio of means.
func kayentaJudge(baseline, candidate []trace.Trace) ([]string, bool, string) {
	before, after := steps(baseline), steps(candidate)
	suspects := suspicion{}
	metrics, failed := 0, 0
	for metric, b := range after {
		a := before[metric]
		if len(a) < 2 || len(b) < 2 {
			continue
		}
		metrics++
		slices.Sort(a)
		slices.Sort(b)
		if shift := stats.HodgesLehmann(a, b, 0.98); shift.Lower > 0.25*math.Abs(shift.Estimate) {
			failed++
			suspects.raise(metric.service, average(b)/average(a))
		}
	}
	return suspects.answer(metrics > 0 && float64(metrics-failed) < 0.75*float64(metrics))
}

// steps are the mean durations of every operation in steps of 5 s.
func steps(traces []trace.Trace) map[measured][]float64 {
	type cell struct {
		measured
		step int64
	}
	sums, counts := map[cell]float64{}, map[cell]float64{}
	for i := range traces {
		for j := range traces[i].Spans {
			span := &traces[i].Spans[j]
			at := cell{measured{span.Service, span.Name}, span.Start / int64(5*time.Second)}
			sums[at] += float64(span.Duration)
			counts[at]++
		}
	}
	series := map[measured][]float64{}
	for at, sum := range sums {
		series[at.measured] = append(series[at.measured], sum/counts[at])
	}
	return series
}

// p95Threshold raises an alarm where the 95th percentile of an operation's
// durations exceeds one and a half times the baseline's; ranked by the ratio.
func p95Threshold(baseline, candidate []trace.Trace) ([]string, bool, string) {
	before, after := durations(baseline), durations(candidate)
	suspects := suspicion{}
	for operation, b := range after {
		a := before[operation]
		if len(a) < 20 || len(b) < 20 {
			continue
		}
		slices.Sort(a)
		slices.Sort(b)
		if ratio := stats.Quantile(b, 0.95) / stats.Quantile(a, 0.95); ratio > 1.5 {
			suspects.raise(operation.service, ratio)
		}
	}
	return suspects.answer(len(suspects) > 0)
}

func durations(traces []trace.Trace) map[measured][]float64 {
	held := map[measured][]float64{}
	for i := range traces {
		for j := range traces[i].Spans {
			span := &traces[i].Spans[j]
			at := measured{span.Service, span.Name}
			held[at] = append(held[at], float64(span.Duration))
		}
	}
	return held
}

func average(values []float64) (mean float64) {
	for _, value := range values {
		mean += value / float64(len(values))
	}
	return mean
}
