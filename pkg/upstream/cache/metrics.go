package cache

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Metrics is a metrics server whose answers are remembered.
func Metrics(inner upstream.Metrics, store *Store) upstream.Metrics {
	return &metrics{inner, store}
}

type metrics struct {
	inner upstream.Metrics
	store *Store
}

func (m *metrics) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	return ask(ctx, m.store, nameOf(m.inner), key("QueryRange", promQL, window),
		func(ctx context.Context) (upstream.SeriesSet, error) { return m.inner.QueryRange(ctx, promQL, window) },
		func(set upstream.SeriesSet) (int64, time.Duration) {
			return sizeOfSeries(set), m.store.keep(window.End, window.Step, len(set.Series) > 0)
		})
}

// Exemplars are of the newest samples: they are asked for once by those who
// ask at the same time, and not kept for long.
func (m *metrics) Exemplars(ctx context.Context, promQL string, start, end time.Time) ([]upstream.Exemplar, error) {
	return ask(ctx, m.store, nameOf(m.inner), key("Exemplars", promQL, start, end),
		func(ctx context.Context) ([]upstream.Exemplar, error) {
			return m.inner.Exemplars(ctx, promQL, start, end)
		},
		func(found []upstream.Exemplar) (int64, time.Duration) { return int64(len(found)) * 48, short })
}

// labelValues is the answer of LabelValues as one value.
type labelValues struct{ values, warnings []string }

func (m *metrics) LabelValues(ctx context.Context, label string, selectors []string, start, end time.Time) ([]string, []string, error) {
	found, err := ask(ctx, m.store, nameOf(m.inner), key("LabelValues", label, selectors, start, end),
		func(ctx context.Context) (labelValues, error) {
			values, warnings, err := m.inner.LabelValues(ctx, label, selectors, start, end)
			return labelValues{values, warnings}, err
		},
		func(found labelValues) (int64, time.Duration) {
			return sizeOfTexts(found.values) + sizeOfTexts(found.warnings), m.store.keep(end, 0, len(found.values) > 0 && len(found.warnings) == 0)
		})
	return found.values, found.warnings, err
}

func (m *metrics) LabelNames(ctx context.Context, selectors []string, start, end time.Time) ([]string, error) {
	return ask(ctx, m.store, nameOf(m.inner), key("LabelNames", selectors, start, end),
		func(ctx context.Context) ([]string, error) { return m.inner.LabelNames(ctx, selectors, start, end) },
		func(found []string) (int64, time.Duration) {
			return sizeOfTexts(found), m.store.keep(end, 0, len(found) > 0)
		})
}

func (m *metrics) Describe(ctx context.Context, metric string) (upstream.MetricDescription, error) {
	return ask(ctx, m.store, nameOf(m.inner), key("Describe", metric),
		func(ctx context.Context) (upstream.MetricDescription, error) { return m.inner.Describe(ctx, metric) },
		func(found upstream.MetricDescription) (int64, time.Duration) {
			return int64(len(found.Type) + len(found.Help)), short
		})
}

// Probe is always asked anew: it serves the health check.
func (m *metrics) Probe(ctx context.Context) (upstream.MetricsCapabilities, error) {
	return m.inner.Probe(ctx)
}

// key names a question so that no two questions share a name.
func key(parts ...any) string {
	var b strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case time.Time:
			fmt.Fprintf(&b, "%d,", part.UnixNano())
		case upstream.Range:
			fmt.Fprintf(&b, "%d,%d,%d,", part.Start.UnixNano(), part.End.UnixNano(), part.Step)
		case int:
			fmt.Fprintf(&b, "%d,", part)
		default: // texts
			fmt.Fprintf(&b, "%q,", part)
		}
	}
	return b.String()
}

// Sizes in memory, rounded up: of a slice or text, of a map's entry.
const (
	sizeOfHeader = 24
	sizeOfEntry  = 64
)

func sizeOfSeries(set upstream.SeriesSet) int64 {
	size := sizeOfTexts(set.Warnings) + sizeOfHeader
	for _, s := range set.Series {
		size += int64(8*cap(s.Values)) + sizeOfLabels(s.Labels) + 4*sizeOfHeader
	}
	return size
}

func sizeOfLabels(labels series.Labels) int64 {
	size := int64(sizeOfEntry)
	for name, value := range labels {
		size += int64(len(name)+len(value)) + sizeOfEntry
	}
	return size
}

func sizeOfTexts(texts []string) int64 {
	size := int64(sizeOfHeader)
	for _, text := range texts {
		size += int64(len(text)) + sizeOfHeader
	}
	return size
}
