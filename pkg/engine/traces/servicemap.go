package traces

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace/topology"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// ServiceMapAnswer is the map of a system.
type ServiceMapAnswer struct {
	core.Provenance
	Service, Operation string
	Compared           bool
	// Start and End are the candidate's time.
	Start, End time.Time
	Map        topology.Map
	// Rates are calls per second: of nodes and edges by their ids.
	NodeRates, EdgeRates map[string]float64
	// MetricRates are those of the metrics generator, by edge; nil where there
	// are none to compare with.
	MetricRates map[string]float64
}

// ServiceMap answers which services call which, how often, how fast and how
// well, and what changed.
func (e Comparer) ServiceMap(ctx context.Context, q query.ServiceMap, window core.Window) (ServiceMapAnswer, error) {
	answer := ServiceMapAnswer{Service: q.Service, Operation: q.Operation}
	if e.Traces == nil {
		return answer, core.ErrNoTraces
	}
	s, err := e.samplesOf(ctx, subject{q.Service, q.Operation, q.Baseline, q.Candidate, q.Compare, q.MaxTraces, true}, window, &answer.Provenance)
	if err != nil {
		return answer, err
	}
	answer.Compared = s.compared
	answer.Start, answer.End = s.Candidate.Start, s.Candidate.End
	if err := core.Compute(ctx, func() { answer.Map = topology.Draw(s.after, s.before, topology.Options{}) }); err != nil {
		return answer, err
	}
	answer.AddNotice(answer.Map.Notices...)
	whole := q.Service == "" && q.Operation == "" && q.Candidate.TraceQL == ""
	scale, counted := e.scale(ctx, s, &answer.Provenance)
	answer.rate(scale)
	if e.Metrics != nil && whole && len(s.after) > 0 {
		answer.compareWithMetrics(ctx, e.Metrics, counted)
	}
	if !counted && len(answer.MetricRates) == 0 {
		answer.AddNotice("The rates are at least these: they are those of a sample, as the trace store does not count.")
	}
	return answer, nil
}

// scale is by how much the sample's counts must be multiplied to stand for all
// traffic: what the store counts of spans, against those in the sample. Where
// the store does not count, that is unknown.
func (e Comparer) scale(ctx context.Context, s samples, basis *core.Provenance) (scale float64, counted bool) {
	filter := s.Candidate
	if !s.truncated {
		return 1, true
	}
	step := max(filter.End.Sub(filter.Start)/100, time.Second).Truncate(time.Second)
	grid := upstream.Range{Start: core.Floor(filter.Start, step), End: core.Floor(filter.End, step), Step: step}
	counts, err := e.Traces.SpanCounts(ctx, filter.Service, grid)
	if err != nil {
		basis.AddNotice(fmt.Sprintf("The rates are the sample's: the spans of all traces could not be counted (%v).", err))
		return 1, false
	}
	if counts.Sampled {
		return 1, false
	}
	total, sampled := 0.0, 0
	for _, one := range counts.Series {
		if filter.Version != "" && one.Labels["service_version"] != filter.Version {
			continue
		}
		for _, count := range one.Values {
			total += core.Count(count)
		}
	}
	for i := range s.after {
		for j := range s.after[i].Spans {
			span := &s.after[i].Spans[j]
			if (filter.Service == "" || span.Service == filter.Service) && (filter.Version == "" || span.Version == filter.Version) {
				sampled++
			}
		}
	}
	if sampled == 0 || total < float64(sampled) {
		return 1, true
	}
	basis.AddNotice(fmt.Sprintf("Shares and durations are those of %d sampled traces; rates are scaled by %.3g, to the spans that the store counts.", len(s.after), total/float64(sampled)))
	return total / float64(sampled), true
}

func (a *ServiceMapAnswer) rate(scale float64) {
	seconds := a.End.Sub(a.Start).Seconds()
	if seconds <= 0 {
		return
	}
	a.SetParameter("scale", scale)
	a.NodeRates, a.EdgeRates = map[string]float64{}, map[string]float64{}
	for i := range a.Map.Nodes {
		a.NodeRates[a.Map.Nodes[i].ID] = float64(a.Map.Nodes[i].Now.Calls) * scale / seconds
	}
	for i := range a.Map.Edges {
		a.EdgeRates[a.Map.Edges[i].ID] = float64(a.Map.Edges[i].Now.Calls) * scale / seconds
	}
}

const (
	// maxDisagreement is the difference of rates, against the larger one, up to
	// which traces and metrics agree, besides the error of the sample: scrapes
	// are not aligned.
	maxDisagreement = 0.2
	// minCompared is the least number of sampled calls of an edge to compare.
	minCompared = 30
)

// compareWithMetrics states how far the map agrees with the service graph that
// Tempo's metrics generator counts from all spans. Where the traces were not
// counted, their rates are first brought to its level.
func (a *ServiceMapAnswer) compareWithMetrics(ctx context.Context, metrics upstream.Metrics, counted bool) {
	seconds := int(a.End.Sub(a.Start).Seconds())
	if seconds < 60 {
		return // too few scrapes for a rate
	}
	promQL := fmt.Sprintf("sum by (client, server) (rate(%s[%ds]))", wellknown.GraphRequests, seconds)
	at := core.Floor(a.End, time.Second)
	patience, cancel := context.WithTimeout(ctx, core.SideTimeout)
	defer cancel()
	set, err := metrics.QueryRange(patience, promQL, upstream.Range{Start: at, End: at, Step: time.Second})
	a.AddQuery("%s at %s", promQL, core.FormatTime(at))
	if err != nil {
		a.AddNotice(fmt.Sprintf("Not compared with the service graph's metrics: %v", err))
		return
	}
	rates := map[[2]string]float64{}
	for _, one := range set.Series {
		if len(one.Values) > 0 && one.Values[0] > 0 {
			rates[[2]string{one.Labels["client"], one.Labels["server"]}] = one.Values[0]
		}
	}
	if len(rates) == 0 {
		a.AddNotice("Not compared with metrics: Prometheus has no " + wellknown.GraphRequests + " in this time.")
		return
	}
	a.MetricRates = map[string]float64{}
	for i := range a.Map.Edges {
		edge := &a.Map.Edges[i]
		if rate, found := metricRate(rates, a.names(edge.From), a.names(edge.To)); found {
			a.MetricRates[edge.ID] = rate
		}
	}
	if !counted {
		a.calibrate()
	}
	var apart []string
	compared, both := 0, 0
	for i := range a.Map.Edges {
		edge := &a.Map.Edges[i]
		rate, found := a.MetricRates[edge.ID]
		if !found || edge.Now.Calls < minCompared {
			continue
		}
		compared++
		own := a.EdgeRates[edge.ID]
		sampling := 1.96 / math.Sqrt(float64(edge.Now.Traces))
		if math.Abs(own-rate) > (maxDisagreement+sampling)*math.Max(own, rate) {
			apart = append(apart, fmt.Sprintf("%s (%.3g/s in traces, %.3g/s in metrics)", edge.ID, own, rate))
			continue
		}
		both++
	}
	if compared == 0 {
		a.AddNotice("Not compared with metrics: no edge with enough calls is in both.")
		return
	}
	text := fmt.Sprintf("%d of %d edges agree with Tempo's service-graph metrics within %.0f %% and the error of the sample.", both, compared, 100*maxDisagreement)
	if len(apart) > 0 {
		slices.Sort(apart)
		text += " Apart, by sampling, missing instrumentation or calls that were never paired: " + core.List(apart) + "."
	}
	a.AddNotice(text)
}

// calibrate brings the rates to the level of the metrics: by the median ratio
// over the edges that both know.
func (a *ServiceMapAnswer) calibrate() {
	var ratios []float64
	for id, rate := range a.MetricRates {
		if a.EdgeRates[id] > 0 {
			ratios = append(ratios, rate/a.EdgeRates[id])
		}
	}
	if len(ratios) == 0 {
		return
	}
	scale := stats.MedianOf(ratios)
	for _, rates := range []map[string]float64{a.NodeRates, a.EdgeRates} {
		for id := range rates {
			rates[id] *= scale
		}
	}
	a.AddNotice(fmt.Sprintf("The rates of the sample are scaled by %.3g, to the level of the service graph's metrics.", scale))
}

// names are those by which metrics may know a node.
func (a *ServiceMapAnswer) names(id string) []string {
	for i := range a.Map.Nodes {
		if a.Map.Nodes[i].ID == id {
			return append([]string{a.Map.Nodes[i].Name}, a.Map.Nodes[i].Names...)
		}
	}
	return nil
}

func metricRate(rates map[[2]string]float64, clients, servers []string) (float64, bool) {
	for _, client := range clients {
		for _, server := range servers {
			if rate, found := rates[[2]string{client, server}]; found {
				return rate, true
			}
		}
	}
	return 0, false
}
