package shop

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// monday is a Monday at noon.
var monday = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// steady is a load that never changes.
type steady struct{ factor float64 }

func (s steady) Factor(time.Time) float64   { return s.factor }
func (steady) Contention(time.Time) float64 { return 0 }
func (steady) Reindexing(time.Time) bool    { return false }

// recorded is a shop whose telemetry is kept in memory.
type recorded struct {
	*Shop
	t       *testing.T
	now     time.Time
	spans   *tracetest.SpanRecorder
	readers []*sdkmetric.ManualReader
}

func open(t *testing.T, seed uint64, load Load, at time.Time) *recorded {
	t.Helper()
	r := &recorded{t: t, now: at, spans: tracetest.NewSpanRecorder()}
	telemetry := Telemetry{Spans: r.spans, Metrics: func(Identity) sdkmetric.Reader {
		reader := sdkmetric.NewManualReader()
		r.readers = append(r.readers, reader)
		return reader
	}}
	var err error
	r.Shop, err = New(Options{Seed: seed, Rate: 15, Load: load, Telemetry: telemetry}, at)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close(context.Background())) })
	return r
}

// run lets the shop proceed and returns the traces that it finished meanwhile.
func (r *recorded) run(length time.Duration) []tree {
	r.spans.Reset()
	r.now = r.now.Add(length)
	r.Run(r.now)
	return grow(r.spans.Ended())
}

// value reads the gauge or counter of a service, summed over the points that
// have all the attributes.
func (r *recorded) value(metric, service string, having ...attribute.KeyValue) (total float64) {
	r.t.Helper()
	found := false
	for _, reader := range r.readers {
		var data metricdata.ResourceMetrics
		if reader.Collect(context.Background(), &data) != nil {
			continue // of an instance that has been retired
		}
		if name, _ := data.Resource.Set().Value("service.name"); name.AsString() != service {
			continue
		}
		for _, m := range data.ScopeMetrics[0].Metrics {
			if m.Name != metric {
				continue
			}
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					if has(p.Attributes, having) {
						total, found = total+float64(p.Value), true
					}
				}
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					total, found = total+p.Value, true
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					if has(p.Attributes, having) {
						total, found = total+float64(p.Count), true
					}
				}
			}
		}
	}
	require.True(r.t, found, "%s sends no metric %s", service, metric)
	return total
}

func has(set attribute.Set, wanted []attribute.KeyValue) bool {
	for _, w := range wanted {
		if value, ok := set.Value(w.Key); !ok || value != w.Value {
			return false
		}
	}
	return true
}

// tree is the spans of one trace.
type tree struct {
	spans    []sdktrace.ReadOnlySpan
	byID     map[trace.SpanID]sdktrace.ReadOnlySpan
	children map[trace.SpanID][]sdktrace.ReadOnlySpan
}

// grow orders spans into traces and keeps those whose root has ended.
func grow(spans []sdktrace.ReadOnlySpan) []tree {
	trees := map[trace.TraceID]*tree{}
	var order []trace.TraceID
	for _, s := range spans {
		id := s.SpanContext().TraceID()
		if trees[id] == nil {
			trees[id] = &tree{byID: map[trace.SpanID]sdktrace.ReadOnlySpan{}, children: map[trace.SpanID][]sdktrace.ReadOnlySpan{}}
			order = append(order, id)
		}
		t := trees[id]
		t.spans = append(t.spans, s)
		t.byID[s.SpanContext().SpanID()] = s
		t.children[s.Parent().SpanID()] = append(t.children[s.Parent().SpanID()], s)
	}
	var whole []tree
	for _, id := range order {
		if len(trees[id].children[trace.SpanID{}]) == 1 {
			whole = append(whole, *trees[id])
		}
	}
	return whole
}

func (t tree) root() sdktrace.ReadOnlySpan { return t.children[trace.SpanID{}][0] }

// find returns the spans of a service with the given name.
func (t tree) find(service, name string) (found []sdktrace.ReadOnlySpan) {
	for _, s := range t.spans {
		if s.Name() == name && text(s, "service.name") == service {
			found = append(found, s)
		}
	}
	return found
}

// text is an attribute of the span or of its resource.
func text(s sdktrace.ReadOnlySpan, key attribute.Key) string {
	for _, a := range append(s.Attributes(), s.Resource().Attributes()...) {
		if a.Key == key {
			return a.Value.Emit()
		}
	}
	return ""
}

type span = sdktrace.ReadOnlySpan

func keyOf(name string) attribute.Key { return attribute.Key(name) }

func took(s sdktrace.ReadOnlySpan) time.Duration { return s.EndTime().Sub(s.StartTime()) }
