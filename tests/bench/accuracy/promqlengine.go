package accuracy

import (
	"context"
	"fmt"
	"math"
	"slices"
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
)

// rule is a recording rule; the last of a group is the alert's condition.
type rule struct{ record, expr string }

// runRules evaluates a group of rules over a series, named input, with
// Prometheus' own engine: each at every point of the grid, in their order, what
// one records being there for the next. It tells where the last one holds.
func runRules(h series.Series, group []rule) ([]bool, error) {
	p := parser.NewParser(parser.Options{})
	engine := promql.NewEngine(promql.EngineOpts{
		Parser: p, MaxSamples: 100_000_000, Timeout: 10 * time.Minute, LookbackDelta: 5 * time.Minute,
		NoStepSubqueryIntervalFn: func(int64) int64 { return h.Step.Milliseconds() },
	})
	recorded := recording{}
	for i, v := range h.Values {
		if !math.IsNaN(v) {
			recorded["input"] = append(recorded["input"], sample{h.Time(i).UnixMilli(), v})
		}
	}
	ctx := context.Background()
	for _, r := range group {
		queried, err := engine.NewRangeQuery(ctx, recorded, nil, r.expr, h.Start, h.Time(h.Len()-1), h.Step)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.record, err)
		}
		matrix, err := queried.Exec(ctx).Matrix()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.record, err)
		}
		if len(matrix) > 1 {
			return nil, fmt.Errorf("%s: %d series instead of one", r.record, len(matrix))
		}
		for _, one := range matrix {
			for _, point := range one.Floats {
				recorded[r.record] = append(recorded[r.record], sample{point.T, point.F})
			}
		}
		queried.Close()
	}
	on := make([]bool, h.Len())
	for _, s := range recorded[group[len(group)-1].record] {
		on[h.Index(time.UnixMilli(s.T()))] = true
	}
	return on, nil
}

// recording holds one series per name, as a storage of Prometheus.
type recording map[string][]chunks.Sample

func (r recording) Querier(_, _ int64) (storage.Querier, error) { return r, nil }

func (r recording) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	name := slices.IndexFunc(matchers, func(m *labels.Matcher) bool { return m.Name == model.MetricNameLabel })
	samples := r[matchers[name].Value]
	if len(samples) == 0 {
		return storage.EmptySeriesSet()
	}
	return &single{series: storage.NewListSeries(labels.FromStrings(model.MetricNameLabel, matchers[name].Value), samples)}
}

func (recording) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (recording) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (recording) Close() error { return nil }

// single is a set of one series.
type single struct {
	series storage.Series
	read   bool
}

func (s *single) Next() bool {
	again := s.read
	s.read = true
	return !again
}

func (s *single) At() storage.Series                { return s.series }
func (s *single) Err() error                        { return nil }
func (s *single) Warnings() annotations.Annotations { return nil }

type sample struct {
	at    int64 // milliseconds since the epoch
	value float64
}

func (s sample) T() int64                      { return s.at }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.value }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }
