package promapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/promqlcost"
)

// querier is what the PromQL engine reads: a selector of a derived metric is
// evaluated by the engine of answers. It is never empty: what cannot be answered
// fails the whole expression, so that no "or vector(0)" can hide it.
type querier struct{ api *API }

func (q querier) Querier(_, _ int64) (storage.Querier, error) { return q, nil }

func (querier) Close() error { return nil }

func (q querier) Select(ctx context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	m, err := metricOf(matchers)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	selectors, err := m.selectors(matchers)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	set := &seriesSet{next: -1, warnings: annotations.Annotations{}}
	for _, s := range selectors {
		var rows []timeSeries
		err := budget.Wait(ctx, func(ctx context.Context) (err error) {
			rows, err = q.api.evaluate(ctx, s, timeRangeOf(hints, q.api.Now()))
			return err
		})
		if err != nil {
			return storage.ErrSeriesSet(err)
		}
		for _, row := range rows {
			set.add(s, row, matchers)
		}
	}
	if len(set.series) == 0 {
		return storage.ErrSeriesSet(fmt.Errorf("no series matches the selector of %s", m.name))
	}
	if err := promqlcost.Selected(ctx, labelsOf(set.series)); err != nil {
		return storage.ErrSeriesSet(err)
	}
	slices.SortFunc(set.series, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	for i := 1; i < len(set.series); i++ {
		if labels.Equal(set.series[i-1].Labels(), set.series[i].Labels()) {
			return storage.ErrSeriesSet(fmt.Errorf("more than one series has the labels %s: aggregate the expression behind it", set.series[i].Labels()))
		}
	}
	return set
}

// LabelValues and LabelNames serve functions of the engine that need them; the
// routes answer from the catalog.
func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.New("label values are answered by /api/v1/label/<name>/values")
}

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.New("label names are answered by /api/v1/labels")
}

// metricOf is the derived metric that a vector selector names.
func metricOf(matchers []*labels.Matcher) (metric, error) {
	for _, matcher := range matchers {
		if matcher.Name == model.MetricNameLabel && matcher.Type == labels.MatchEqual {
			if m, ok := metricNamed(matcher.Value); ok {
				return m, nil
			}
			return metric{}, fmt.Errorf("%.60q is not served here: only foresight_* is; ask your Prometheus for others", matcher.Value)
		}
	}
	return metric{}, errors.New("a selector must name its metric, as foresight_anomaly_score{service=\"…\"} does")
}

// timeRangeOf is the instants that the PromQL engine needs samples at.
func timeRangeOf(hints *storage.SelectHints, now time.Time) timeRange {
	end := time.UnixMilli(hints.End)
	if end.After(now) {
		end = now
	}
	start := time.UnixMilli(hints.Start).Add(-time.Millisecond)
	if hints.Range == 0 {
		start = start.Add(lookback)
	}
	r := timeRange{step: max(time.Duration(hints.Step)*time.Millisecond, resolution), to: end.Truncate(resolution).UTC()}
	if r.from = start.Truncate(resolution).UTC(); hints.Range == 0 && hints.Step == 0 || r.from.After(r.to) {
		r.from = r.to
	}
	return r
}

// evaluate computes a selector, or takes it from the cache. Evaluations of now
// share one entry from minute to minute.
func (a *API) evaluate(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	key := fmt.Sprintf("%d %d %d", r.from.Unix(), r.to.Unix(), r.step)
	now := r.instant() && a.Now().Sub(r.to) < 2*resolution
	if now {
		key = "now"
	}
	return a.results.Get(ctx, s.key()+"\x00"+key, a.Timeout, func(ctx context.Context) ([]timeSeries, error) {
		if now {
			r.to = a.Now().Truncate(resolution).UTC()
			r.from = r.to
		}
		return s.evaluate(a, ctx, s, r)
	})
}

// seriesSet implements storage.SeriesSet, with the warnings of its series.
type seriesSet struct {
	series   []storage.Series
	next     int
	warnings annotations.Annotations
}

func (s *seriesSet) Next() bool                        { s.next++; return s.next < len(s.series) }
func (s *seriesSet) At() storage.Series                { return s.series[s.next] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return s.warnings }

// add adds a series that the matchers select. Its labels are those of the
// expression behind it, and those of the selector, which win.
func (s *seriesSet) add(from selector, row timeSeries, matchers []*labels.Matcher) {
	all := maps.Clone(row.labels)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, from.labels)
	all[model.MetricNameLabel] = from.name
	for _, m := range matchers {
		if !m.Matches(all[m.Name]) {
			return
		}
	}
	samples := make([]chunks.Sample, len(row.points))
	for i, p := range row.points {
		samples[i] = sample{p.at.UnixMilli(), p.value}
	}
	s.series = append(s.series, storage.NewListSeries(labels.FromMap(all), samples))
	for _, warning := range row.warnings {
		s.warnings.Add(errors.New(from.String() + ": " + warning))
	}
}

// sample implements chunks.Sample.
type sample struct {
	milliseconds int64
	value        float64
}

func (s sample) ST() int64                     { return 0 }
func (s sample) T() int64                      { return s.milliseconds }
func (s sample) F() float64                    { return s.value }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }
