package upstream

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// Work is what an answer asked of one upstream. What was remembered, or was
// asked for by somebody else at the same moment, is not part of it.
type Work struct {
	Requests int64
	Bytes    int64 // of answers, as they were read
	Series   int64
	Samples  int64
	Traces   int64
	Spans    int64 // as they were returned
}

func (w *Work) add(more Work) {
	w.Requests += more.Requests
	w.Bytes += more.Bytes
	w.Series += more.Series
	w.Samples += more.Samples
	w.Traces += more.Traces
	w.Spans += more.Spans
}

// Meter sums up what one answer cost its upstreams.
type Meter struct {
	mu   sync.Mutex
	work map[string]*Work
}

type meterKey struct{}

// WithMeter makes all questions below the context count.
func WithMeter(ctx context.Context) (context.Context, *Meter) {
	meter := &Meter{work: map[string]*Work{}}
	return context.WithValue(ctx, meterKey{}, meter), meter
}

// Count adds work done for the context by the named upstream.
func Count(ctx context.Context, name string, work Work) {
	meter, ok := ctx.Value(meterKey{}).(*Meter)
	if !ok {
		return
	}
	meter.mu.Lock()
	defer meter.mu.Unlock()
	if meter.work[name] == nil {
		meter.work[name] = &Work{}
	}
	meter.work[name].add(work)
}

// SizeOfSpans is what spans take in memory, in bytes, rounded up and without their
// texts, which spans share.
func SizeOfSpans(spans []trace.Span) int64 {
	const span, attribute = 176, 32
	size := span * int64(cap(spans))
	for i := range spans {
		size += attribute * int64(cap(spans[i].Attributes)+cap(spans[i].Others))
	}
	return size
}

// WorkOf is the work of returning traces.
func WorkOf(traces []trace.Trace) Work {
	work := Work{Traces: int64(len(traces))}
	for i := range traces {
		work.Spans += int64(len(traces[i].Spans))
	}
	return work
}

// Each hands over the work of each upstream that did any, by name.
func (m *Meter) Each(see func(name string, work Work)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(m.work)) {
		see(name, *m.work[name])
	}
}
