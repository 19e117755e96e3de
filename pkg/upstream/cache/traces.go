package cache

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Traces is a trace store whose answers are remembered.
func Traces(inner upstream.Traces, store *Store) upstream.Traces {
	return &traces{inner, store}
}

type traces struct {
	inner upstream.Traces
	store *Store
}

func (t *traces) Search(ctx context.Context, filter upstream.TraceFilter) (upstream.TraceSet, error) {
	set, err := ask(ctx, t.store, nameOf(t.inner), key("Search", filter.Service, filter.Version, filter.Operation, filter.TraceQL, filter.Start, filter.End, filter.Limit, filter.PerEndpoint, filter.Attributes),
		func(ctx context.Context) (upstream.TraceSet, error) {
			return t.loaded(ctx, func(ctx context.Context) (upstream.TraceSet, error) { return t.inner.Search(ctx, filter) })
		},
		func(set upstream.TraceSet) (int64, time.Duration) {
			return sizeOfTraces(set), t.store.keep(filter.End, 0, len(set.Traces) > 0 && len(set.Warnings) == 0)
		})
	return t.analysed(ctx, set, err)
}

func (t *traces) Fetch(ctx context.Context, ids []trace.TraceID, near time.Time) (upstream.TraceSet, error) {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	set, err := ask(ctx, t.store, nameOf(t.inner), key("Fetch", texts, near),
		func(ctx context.Context) (upstream.TraceSet, error) {
			return t.loaded(ctx, func(ctx context.Context) (upstream.TraceSet, error) { return t.inner.Fetch(ctx, ids, near) })
		},
		func(set upstream.TraceSet) (int64, time.Duration) { return sizeOfTraces(set), short })
	return t.analysed(ctx, set, err)
}

// analysedSpan is what a span takes while it is analysed, in its tree and its call
// path, beside itself.
const analysedSpan = 600

// analysed charges a caller for what it makes of traces, which others may use too.
func (t *traces) analysed(ctx context.Context, set upstream.TraceSet, err error) (upstream.TraceSet, error) {
	if err != nil {
		return set, err
	}
	spans := 0
	for i := range set.Traces {
		spans += len(set.Traces[i].Spans)
	}
	return set, t.charge(ctx, analysedSpan*int64(spans))
}

// loaded charges for traces as long as anybody uses them. What decoding them took
// is given back.
func (t *traces) loaded(ctx context.Context, load func(context.Context) (upstream.TraceSet, error)) (upstream.TraceSet, error) {
	decoding, held := budget.Part(ctx)
	defer held.Close()
	set, err := load(decoding)
	if err != nil {
		return set, err
	}
	return set, t.charge(ctx, sizeOfTraces(set))
}

func (t *traces) charge(ctx context.Context, bytes int64) error {
	err := budget.Charge(ctx, bytes)
	if refused := upstream.Refusal(nameOf(t.inner), err); refused != nil {
		return refused
	}
	return err
}

func (t *traces) Services(ctx context.Context, start, end time.Time) ([]string, error) {
	return t.names(ctx, key("Services", start, end), end,
		func(ctx context.Context) ([]string, error) { return t.inner.Services(ctx, start, end) })
}

func (t *traces) Operations(ctx context.Context, service string, start, end time.Time) ([]string, error) {
	return t.names(ctx, key("Operations", service, start, end), end,
		func(ctx context.Context) ([]string, error) { return t.inner.Operations(ctx, service, start, end) })
}

func (t *traces) Versions(ctx context.Context, service string, start, end time.Time) ([]string, error) {
	return t.names(ctx, key("Versions", service, start, end), end,
		func(ctx context.Context) ([]string, error) { return t.inner.Versions(ctx, service, start, end) })
}

// Attributes implements upstream.AttributeLister, where the store does.
func (t *traces) Attributes(ctx context.Context, start, end time.Time) ([]string, error) {
	lister, is := t.inner.(upstream.AttributeLister)
	if !is {
		return nil, nil
	}
	return t.names(ctx, key("Attributes", start, end), end,
		func(ctx context.Context) ([]string, error) { return lister.Attributes(ctx, start, end) })
}

func (t *traces) names(ctx context.Context, key string, end time.Time, load func(context.Context) ([]string, error)) ([]string, error) {
	return ask(ctx, t.store, nameOf(t.inner), key, load, func(names []string) (int64, time.Duration) {
		return sizeOfTexts(names), t.store.keep(end, 0, len(names) > 0)
	})
}

func (t *traces) SpanCounts(ctx context.Context, service string, window upstream.Range) (upstream.SeriesSet, error) {
	return ask(ctx, t.store, nameOf(t.inner), key("SpanCounts", service, window),
		func(ctx context.Context) (upstream.SeriesSet, error) { return t.inner.SpanCounts(ctx, service, window) },
		func(set upstream.SeriesSet) (int64, time.Duration) {
			return sizeOfSeries(set), t.store.keep(window.End, window.Step, len(set.Series) > 0 && len(set.Warnings) == 0)
		})
}

// Probe is always asked anew: it serves the health check.
func (t *traces) Probe(ctx context.Context) (upstream.TraceCapabilities, error) {
	return t.inner.Probe(ctx)
}

// sizeOfTraces counts a text once, as spans share theirs.
func sizeOfTraces(set upstream.TraceSet) int64 {
	size := sizeOfTexts(set.Queries) + sizeOfTexts(set.Warnings)
	seen := map[string]struct{}{}
	text := func(text string) {
		if _, ok := seen[text]; !ok {
			seen[text] = struct{}{}
			size += int64(len(text))
		}
	}
	for _, one := range set.Traces {
		size += upstream.SizeOfSpans(one.Spans) + 2*sizeOfHeader
		for i := range one.Spans {
			span := &one.Spans[i]
			for _, attribute := range span.Others {
				text(attribute.Value)
			}
			for _, attribute := range span.Attributes {
				text(attribute.Value)
			}
			text(span.Name)
			text(span.StatusMessage)
		}
	}
	return size
}
