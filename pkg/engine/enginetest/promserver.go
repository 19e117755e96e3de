package enginetest

import (
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// PromServer evaluates PromQL, by Prometheus' own engine, over series that are
// scraped as tests say.
type PromServer struct {
	upstream.Metrics // what is not needed is not there
	Queries          []string
	stored           []storage.Series

	lock sync.Mutex // of Queries: questions come side by side
}

// Scraped is a series with a sample every so often.
type Scraped struct {
	Labels   map[string]string
	From, To time.Time
	Every    time.Duration
	Value    func(at time.Time) float64
	// Histogram is in place of Value where the series is a native histogram.
	Histogram func(at time.Time) *histogram.FloatHistogram
}

// NewPromServer makes a server that holds the series.
func NewPromServer(all ...Scraped) *PromServer {
	return (&PromServer{}).With(all...)
}

// With is a server that holds further series too, in place of those with the same
// labels.
func (p *PromServer) With(all ...Scraped) *PromServer {
	server := &PromServer{}
	for _, known := range p.stored {
		if !slices.ContainsFunc(all, func(s Scraped) bool { return labels.Equal(labels.FromMap(s.Labels), known.Labels()) }) {
			server.stored = append(server.stored, known)
		}
	}
	for _, one := range all {
		var samples []chunks.Sample
		for at := one.From; !at.After(one.To); at = at.Add(one.Every) {
			if one.Histogram != nil {
				samples = append(samples, promSample{at: at.UnixMilli(), histogram: one.Histogram(at)})
				continue
			}
			samples = append(samples, promSample{at: at.UnixMilli(), value: one.Value(at)})
		}
		server.stored = append(server.stored, storage.NewListSeries(labels.FromMap(one.Labels), samples))
	}
	return server
}

// Counter is the value of a counter that grows so much a second.
func Counter(from time.Time, perSecond float64) func(time.Time) float64 {
	return func(at time.Time) float64 { return math.Floor(at.Sub(from).Seconds() * perSecond) }
}

// QueryRange implements upstream.Metrics.
func (p *PromServer) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	p.lock.Lock()
	p.Queries = append(p.Queries, promQL)
	p.lock.Unlock()
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true, Parser: promParser,
	})
	queried, err := engine.NewRangeQuery(ctx, p, nil, promQL, window.Start, window.End, window.Step)
	if err != nil {
		return upstream.SeriesSet{}, rejected(err)
	}
	defer queried.Close()
	matrix, err := queried.Exec(ctx).Matrix()
	if ctx.Err() != nil {
		return upstream.SeriesSet{}, ctx.Err()
	}
	if err != nil {
		return upstream.SeriesSet{}, rejected(err)
	}
	set := upstream.SeriesSet{}
	for _, one := range matrix {
		s := series.Series{Labels: one.Metric.Map(), Start: window.Start, Step: window.Step, Values: make([]float64, window.Points())}
		for i := range s.Values {
			s.Values[i] = math.NaN()
		}
		for _, point := range one.Floats {
			s.Values[s.Index(time.UnixMilli(point.T))] = point.F
		}
		set.Series = append(set.Series, s)
	}
	return set, nil
}

// rejected is an error of a query as clients of Prometheus tell it.
func rejected(err error) error {
	return &upstream.Error{Upstream: "Prometheus", Category: upstream.Rejected, Message: err.Error(), Err: err}
}

// LabelValues implements upstream.Metrics: of the series that have samples in the
// time.
func (p *PromServer) LabelValues(ctx context.Context, label string, selectors []string, from, to time.Time) ([]string, []string, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	found := map[string]bool{}
	if len(selectors) == 0 {
		selectors = []string{`{__name__!=""}`}
	}
	for _, selector := range selectors {
		matchers, err := promParser.ParseMetricSelector(selector)
		if err != nil {
			return nil, nil, err
		}
		for _, one := range p.matching(matchers) {
			if value := one.Labels().Get(label); value != "" && sampled(one, from, to) {
				found[value] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil, nil
}

// sampled tells whether a series has samples in a time.
func sampled(one storage.Series, from, to time.Time) bool {
	samples := one.Iterator(nil)
	if samples.Seek(from.UnixMilli()) == chunkenc.ValNone {
		return false
	}
	return samples.AtT() <= to.UnixMilli()
}

// LabelNames implements upstream.Metrics.
func (p *PromServer) LabelNames(_ context.Context, selectors []string, _, _ time.Time) ([]string, error) {
	if len(selectors) == 0 {
		selectors = []string{`{__name__!=""}`}
	}
	found := map[string]bool{}
	for _, selector := range selectors {
		matchers, err := promParser.ParseMetricSelector(selector)
		if err != nil {
			return nil, err
		}
		for _, one := range p.matching(matchers) {
			one.Labels().Range(func(l labels.Label) { found[l.Name] = true })
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

var promParser = parser.NewParser(parser.Options{EnableExperimentalFunctions: true})

func (p *PromServer) matching(matchers []*labels.Matcher) (found []storage.Series) {
	for _, one := range p.stored {
		set := one.Labels()
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(set.Get(m.Name)) }) {
			found = append(found, one)
		}
	}
	slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return found
}

// Querier implements storage.Queryable.
func (p *PromServer) Querier(int64, int64) (storage.Querier, error) { return promQuerier{p}, nil }

type promQuerier struct{ *PromServer }

func (q promQuerier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	return &promSet{found: q.matching(matchers), next: -1}
}
func (promQuerier) Close() error { return nil }
func (promQuerier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}
func (promQuerier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

type promSet struct {
	found []storage.Series
	next  int
}

func (s *promSet) Next() bool                      { s.next++; return s.next < len(s.found) }
func (s *promSet) At() storage.Series              { return s.found[s.next] }
func (*promSet) Err() error                        { return nil }
func (*promSet) Warnings() annotations.Annotations { return nil }

type promSample struct {
	at        int64
	value     float64
	histogram *histogram.FloatHistogram
}

func (s promSample) ST() int64             { return 0 }
func (s promSample) T() int64              { return s.at }
func (s promSample) F() float64            { return s.value }
func (promSample) H() *histogram.Histogram { return nil }

// FH is a copy: the engine changes what it gets.
func (s promSample) FH() *histogram.FloatHistogram {
	if s.histogram == nil {
		return nil
	}
	return s.histogram.Copy()
}
func (s promSample) Copy() chunks.Sample { return s }
func (s promSample) Type() chunkenc.ValueType {
	if s.histogram != nil {
		return chunkenc.ValFloatHistogram
	}
	return chunkenc.ValFloat
}

// Named is a set of labels with the metric's name.
func Named(name string, pairs ...string) map[string]string {
	set := map[string]string{model.MetricNameLabel: name}
	for i := 0; i+1 < len(pairs); i += 2 {
		set[pairs[i]] = pairs[i+1]
	}
	return set
}
