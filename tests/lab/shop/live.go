package shop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// How often the shop sends.
const (
	spanDelay      = time.Second
	metricInterval = 5 * time.Second
)

// Receiver takes spans over OTLP and HTTP, for a tenant where it knows tenants.
type Receiver struct{ URL, Tenant string }

// LiveTelemetry sends spans over OTLP to every receiver, and metrics. An empty
// address sends nothing of its kind. Close it after the shop.
func LiveTelemetry(ctx context.Context, receivers []Receiver, metricsURL string) (t Telemetry, closing func(context.Context) error, err error) {
	t = Telemetry{Spans: discardSpans{}, Metrics: func(Identity) sdkmetric.Reader { return sdkmetric.NewManualReader() }}
	var closers []func(context.Context) error
	closing = func(ctx context.Context) error {
		var failures []error
		for _, f := range closers {
			failures = append(failures, f(ctx))
		}
		return errors.Join(failures...)
	}
	var everywhere allSpans
	for _, receiver := range receivers {
		exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(receiver.URL+"/v1/traces"),
			otlptracehttp.WithHeaders(receiver.headers()))
		if err != nil {
			return t, closing, fmt.Errorf("OTLP trace exporter: %w", err)
		}
		batches := sdktrace.NewBatchSpanProcessor(exporter,
			sdktrace.WithBatchTimeout(spanDelay), sdktrace.WithMaxQueueSize(65536), sdktrace.WithMaxExportBatchSize(4096))
		everywhere = append(everywhere, batches)
		t.Spans = everywhere
		closers = append(closers, batches.Shutdown)
	}
	if metricsURL != "" {
		exporter, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(metricsURL+"/api/v1/otlp/v1/metrics"))
		if err != nil {
			return t, closing, fmt.Errorf("OTLP metric exporter: %w", err)
		}
		t.Metrics = func(Identity) sdkmetric.Reader {
			return sdkmetric.NewPeriodicReader(unownedMetrics{exporter}, sdkmetric.WithInterval(metricInterval))
		}
		closers = append(closers, exporter.Shutdown)
	}
	return t, closing, nil
}

func (r Receiver) headers() map[string]string {
	if r.Tenant == "" {
		return nil
	}
	return map[string]string{"X-Scope-OrgID": r.Tenant}
}

// allSpans gives every span to several processors.
type allSpans []sdktrace.SpanProcessor

func (all allSpans) OnStart(ctx context.Context, span sdktrace.ReadWriteSpan) {
	for _, one := range all {
		one.OnStart(ctx, span)
	}
}

func (all allSpans) OnEnd(span sdktrace.ReadOnlySpan) {
	for _, one := range all {
		one.OnEnd(span)
	}
}

func (all allSpans) Shutdown(ctx context.Context) error {
	var failures []error
	for _, one := range all {
		failures = append(failures, one.Shutdown(ctx))
	}
	return errors.Join(failures...)
}

func (all allSpans) ForceFlush(ctx context.Context) error {
	var failures []error
	for _, one := range all {
		failures = append(failures, one.ForceFlush(ctx))
	}
	return errors.Join(failures...)
}

// unownedMetrics is an exporter that outlives the readers it is given to.
type unownedMetrics struct{ sdkmetric.Exporter }

func (unownedMetrics) Shutdown(context.Context) error { return nil }

type discardSpans struct{}

func (discardSpans) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discardSpans) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discardSpans) Shutdown(context.Context) error                  { return nil }
func (discardSpans) ForceFlush(context.Context) error                { return nil }
