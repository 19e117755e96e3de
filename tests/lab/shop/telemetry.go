package shop

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Telemetry says where spans and metrics go. Every instance gets providers and
// a resource of its own.
type Telemetry struct {
	Spans   sdktrace.SpanProcessor          // shared by all instances, never shut down by one
	Metrics func(Identity) sdkmetric.Reader // one per instance
}

// Identity is the resource of an instance.
type Identity []attribute.KeyValue

type providers struct {
	tracer   trace.TracerProvider
	meter    metric.MeterProvider
	shutdown func(context.Context) error
}

// rpcAsExponential turns the RPC histograms into exponential ones, which
// Prometheus stores as native histograms; the others stay classic, so that the
// lab has both kinds. Schema 3 divides each power of two into 8 buckets.
var rpcAsExponential = sdkmetric.NewView(
	sdkmetric.Instrument{Name: "rpc.*"},
	sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 3}},
)

func (t Telemetry) provide(identity Identity, ids sdktrace.IDGenerator) (providers, error) {
	described := resource.NewSchemaless(identity...)
	tracer := sdktrace.NewTracerProvider(
		sdktrace.WithResource(described),
		sdktrace.WithSpanProcessor(unowned{t.Spans}),
		sdktrace.WithIDGenerator(ids),
		sdktrace.WithSampler(sdktrace.AlwaysSample()),
	)
	meter := sdkmetric.NewMeterProvider(
		sdkmetric.WithResource(described),
		sdkmetric.WithReader(t.Metrics(identity)),
		sdkmetric.WithView(rpcAsExponential),
	)
	shutdown := func(ctx context.Context) error {
		return errors.Join(tracer.Shutdown(ctx), meter.Shutdown(ctx))
	}
	return providers{tracer, meter, shutdown}, nil
}

// unowned is a span processor that outlives the provider it is given to.
type unowned struct{ sdktrace.SpanProcessor }

func (unowned) Shutdown(context.Context) error { return nil }

// seededIDs makes span and trace ids from a seed.
type seededIDs struct {
	mutex  sync.Mutex
	random *rand.Rand
}

func newSeededIDs(seed, start uint64) *seededIDs {
	return &seededIDs{random: rand.New(rand.NewPCG(mix(seed), mix(start)))}
}

// NewIDs implements the SDK's IDGenerator.
func (g *seededIDs) NewIDs(context.Context) (id trace.TraceID, span trace.SpanID) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	binary.BigEndian.PutUint64(id[:8], g.random.Uint64())
	binary.BigEndian.PutUint64(id[8:], g.random.Uint64())
	return id, g.span()
}

// NewSpanID implements the SDK's IDGenerator.
func (g *seededIDs) NewSpanID(context.Context, trace.TraceID) trace.SpanID {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.span()
}

func (g *seededIDs) span() (id trace.SpanID) {
	binary.BigEndian.PutUint64(id[:], g.random.Uint64()|1) // the zero id is not valid
	return id
}
