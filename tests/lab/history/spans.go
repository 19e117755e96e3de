package history

import (
	"context"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Names that Tempo's metrics generator gives to its span metrics.
const (
	spanCalls   = "traces_spanmetrics_calls_total"
	spanLatency = "traces_spanmetrics_latency"
)

// spanBounds are Tempo's default buckets, in seconds.
var spanBounds = func() []float64 {
	bounds := make([]float64, 14)
	for i := range bounds {
		bounds[i] = 0.002 * float64(uint(1)<<i)
	}
	return bounds
}()

// spanMetrics counts spans as Tempo's metrics generator does.
type spanMetrics struct{ counts map[spanKey]*spanStatistics }

type spanKey struct{ service, version, name, kind, status string }

type spanStatistics struct {
	buckets []float64
	sum     float64
}

func (s *spanMetrics) reset() { clear(s.counts) }

// OnEnd implements the SDK's SpanProcessor.
func (s *spanMetrics) OnEnd(span sdktrace.ReadOnlySpan) {
	key := spanKey{
		name:   span.Name(),
		kind:   "SPAN_KIND_" + strings.ToUpper(span.SpanKind().String()),
		status: "STATUS_CODE_" + strings.ToUpper(span.Status().Code.String()),
	}
	for _, a := range span.Resource().Attributes() {
		switch a.Key {
		case "service.name":
			key.service = a.Value.AsString()
		case "service.version":
			key.version = a.Value.AsString()
		}
	}
	counted := s.counts[key]
	if counted == nil {
		counted = &spanStatistics{buckets: make([]float64, len(spanBounds)+1)}
		s.counts[key] = counted
	}
	seconds := span.EndTime().Sub(span.StartTime()).Seconds()
	bucket, _ := slices.BinarySearch(spanBounds, seconds)
	counted.buckets[bucket]++
	counted.sum += seconds
}

// OnStart, Shutdown and ForceFlush complete the SDK's SpanProcessor.
func (s *spanMetrics) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (s *spanMetrics) Shutdown(context.Context) error                  { return nil }
func (s *spanMetrics) ForceFlush(context.Context) error                { return nil }

func (k spanKey) labels() labels.Labels {
	return labels.FromStrings("service", k.service, "service_version", k.version,
		"span_name", k.name, "span_kind", k.kind, "status_code", k.status)
}
