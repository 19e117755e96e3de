package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// storedLookBack is how old a sample may be to count as the value of now, as in
// Prometheus.
const storedLookBack = 5 * time.Minute

// querier is what the PromQL engine reads: a selector of a derived metric is
// answered by asking the engine of answers. It is never empty: what cannot be
// answered fails the whole expression, so that no "or vector(0)" can hide it.
type querier struct{ hooks *Hooks }

func (q querier) Querier(_, _ int64) (storage.Querier, error) { return q, nil }

func (querier) Close() error { return nil }

func (q querier) Select(ctx context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	asked, err := metricOf(matchers)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	questions, err := asked.questions(matchers)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	found := &answered{next: -1, warnings: annotations.Annotations{}}
	for _, question := range questions {
		rows, err := q.hooks.ask(ctx, question, spanOf(hints, q.hooks.engine.Now()))
		if err != nil {
			return storage.ErrSeriesSet(err)
		}
		for _, r := range rows {
			found.add(question, r, matchers)
		}
	}
	if len(found.series) == 0 {
		return storage.ErrSeriesSet(noTrust("no series matches the selector of %s", asked.name))
	}
	slices.SortFunc(found.series, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	for i := 1; i < len(found.series); i++ {
		if labels.Equal(found.series[i-1].Labels(), found.series[i].Labels()) {
			return storage.ErrSeriesSet(noTrust("more than one series has the labels %s: aggregate the expression behind it", found.series[i].Labels()))
		}
	}
	return found
}

// LabelValues and LabelNames serve functions of the engine that need them; the
// routes answer from the list of what can be asked.
func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.New("label values are answered by /api/v1/label/<name>/values")
}

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.New("label names are answered by /api/v1/labels")
}

// metricOf is the derived metric that a selector names.
func metricOf(matchers []*labels.Matcher) (derived, error) {
	for _, m := range matchers {
		if m.Name == labels.MetricName && m.Type == labels.MatchEqual {
			if d, ok := derivedNamed(m.Value); ok {
				return d, nil
			}
			return derived{}, noTrust("%.60q is not served here: only foresight_* is; ask your Prometheus for others", m.Value)
		}
	}
	return derived{}, noTrust("a selector must name its metric, as foresight_anomaly_score{service=\"…\"} does")
}

// spanOf are the instants that the PromQL engine needs samples at.
func spanOf(hints *storage.SelectHints, now time.Time) span {
	end := time.UnixMilli(hints.End)
	if end.After(now) {
		end = now
	}
	start := time.UnixMilli(hints.Start).Add(-time.Millisecond)
	if hints.Range == 0 {
		start = start.Add(storedLookBack)
	}
	s := span{every: max(time.Duration(hints.Step)*time.Millisecond, finestStep), to: end.Truncate(finestStep).UTC()}
	if s.from = start.Truncate(finestStep).UTC(); hints.Range == 0 && hints.Step == 0 || s.from.After(s.to) {
		s.from = s.to
	}
	return s
}

// ask works out a question, or remembers its answer. Those about now share one
// from minute to minute.
func (h *Hooks) ask(ctx context.Context, q question, s span) ([]row, error) {
	moment := fmt.Sprintf("%d %d %d", s.from.Unix(), s.to.Unix(), s.every)
	if s.single() && h.engine.Now().Sub(s.to) < 2*finestStep {
		moment = "now"
	}
	return h.remembered.ask(ctx, q.key()+"\x00"+moment, h.settings.Timeout, func(ctx context.Context) ([]row, error) {
		if moment == "now" {
			s.to = h.engine.Now().Truncate(finestStep).UTC()
			s.from = s.to
		}
		return q.work(h, ctx, q, s)
	})
}

// answered is a set of series with the warnings that come with them.
type answered struct {
	series   []storage.Series
	next     int
	warnings annotations.Annotations
}

func (a *answered) Next() bool                        { a.next++; return a.next < len(a.series) }
func (a *answered) At() storage.Series                { return a.series[a.next] }
func (a *answered) Err() error                        { return nil }
func (a *answered) Warnings() annotations.Annotations { return a.warnings }

// add takes a row in that the matchers select. Its labels are those of the
// expression behind it, and those of the question, which win.
func (a *answered) add(q question, r row, matchers []*labels.Matcher) {
	named := maps.Clone(r.labels)
	if named == nil {
		named = map[string]string{}
	}
	maps.Copy(named, q.labels)
	named[labels.MetricName] = q.name
	for _, m := range matchers {
		if !m.Matches(named[m.Name]) {
			return
		}
	}
	samples := make([]chunks.Sample, len(r.points))
	for i, p := range r.points {
		samples[i] = sample{p.at.UnixMilli(), p.value}
	}
	a.series = append(a.series, storage.NewListSeries(labels.FromMap(named), samples))
	for _, warning := range r.warnings {
		a.warnings.Add(errors.New(q.selector() + ": " + warning))
	}
}

// selector is a question as it is asked.
func (q question) selector() string {
	with := maps.Clone(q.labels)
	with[labels.MetricName] = q.name
	return labels.FromMap(with).String()
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
