package shop

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Services of the shop. The database, the cache and the queue send metrics
// only: their part of a trace is the client span of the service that calls.
const (
	Web      = "web"
	Checkout = "checkout"
	Cart     = "cart"
	Catalog  = "catalog"
	Payment  = "payment"
	Orders   = "orders"
	Mailer   = "mailer"
	Database = "orders-db"
	Cache    = "cache"
	Queue    = "queue"
)

// definition is what a service is made of. Cores and connections are for the
// default rate and grow with it.
type definition struct {
	version     string
	cores       float64
	connections int // of its pool to the database; 0 for no pool
	port        int
}

const defaultRate = 15

var definitions = map[string]definition{
	Web:      {"3.4.0", 0.32, 0, 8080},
	Checkout: {"1.7.2", 0.015, 0, 8080},
	Cart:     {"2.1.0", 0.05, 6, 8080},
	Catalog:  {"5.0.3", 0.16, 16, 8080},
	Payment:  {"1.2.0", 0.012, 0, 9090},
	Orders:   {"1.9.4", 0.045, 10, 8080},
	Mailer:   {"1.0.1", 0.05, 0, 8080},
	Database: {"16.4", 1.60, 0, 5432},
	Cache:    {"7.4.0", 0.08, 0, 6379},
	Queue:    {"3.13.0", 0.005, 0, 5672},
}

// serviceOrder fixes the order of starting, for determinism.
var serviceOrder = []string{Web, Checkout, Cart, Catalog, Payment, Orders, Mailer, Database, Cache, Queue}

// instance is one version of a service that runs.
type instance struct {
	service, version string
	tracer           trace.Tracer
	instruments      *instruments
	processor        processor
	pool             *pool
	release          func(context.Context) error // flushes and ends its telemetry
}

// processor is the computing power of an instance. Work on a busy processor
// takes longer.
type processor struct {
	cores       float64
	busy        time.Duration // since the last tick
	utilization float64
}

const processorTick = time.Second

func (p *processor) tick(contention float64) {
	current := p.busy.Seconds()/processorTick.Seconds()/p.cores + contention
	p.utilization += 0.2 * (current - p.utilization)
	p.busy = 0
}

// work returns how long computing of length d takes now, and books it.
func (p *processor) work(d time.Duration) time.Duration {
	p.busy += d
	utilization := min(p.utilization, 2.5)
	return scaled(d, 1+1.2*utilization*utilization)
}

func (s *Shop) newInstance(service, version string) (*instance, error) {
	d, known := definitions[service]
	if !known {
		return nil, fmt.Errorf("there is no service %q; there are %v", service, serviceOrder)
	}
	scale := s.options.Rate / defaultRate
	i := &instance{service: service, version: version, processor: processor{cores: d.cores * scale}}
	if d.connections > 0 {
		i.pool = &pool{
			engine: &s.engine, name: service + "-db", acquireWithin: 2 * time.Second,
			max: max(4, int(float64(d.connections)*scale+0.5)),
		}
	}
	providers, err := s.options.Telemetry.provide(identity(service, version), s.ids)
	if err != nil {
		return nil, fmt.Errorf("telemetry of %s %s: %w", service, version, err)
	}
	i.tracer = providers.tracer.Tracer("foresight.shop")
	i.release = providers.shutdown
	if i.instruments, err = newInstruments(providers.meter.Meter("foresight.shop")); err != nil {
		return nil, fmt.Errorf("instruments of %s: %w", service, err)
	}
	if err := s.observe(i, providers.meter.Meter("foresight.shop")); err != nil {
		return nil, fmt.Errorf("gauges of %s: %w", service, err)
	}
	return i, nil
}

// identity is the OpenTelemetry resource of an instance.
func identity(service, version string) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("service.name", service),
		attribute.String("service.namespace", "shop"),
		attribute.String("service.version", version),
		attribute.String("service.instance.id", service+"-"+version+"-0"),
		attribute.String("deployment.environment.name", "lab"),
	}
}

// observe registers the gauges of an instance: what is read at each export.
func (s *Shop) observe(i *instance, meter metric.Meter) error {
	utilization, err := meter.Float64ObservableGauge("process.cpu.utilization", metric.WithUnit("1"),
		metric.WithDescription("Share of the available processors in use."))
	if err != nil {
		return err
	}
	observables := []metric.Observable{utilization}
	observe := func(o metric.Observer) { o.ObserveFloat64(utilization, min(1, i.processor.utilization)) }

	var more func(metric.Observer)
	var added []metric.Observable
	switch {
	case i.pool != nil:
		added, more, err = observePool(meter, i.pool)
	case i.service == Cache:
		added, more, err = s.observeCache(meter)
	case i.service == Queue:
		added, more, err = s.observeQueue(meter)
	}
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		observe(o)
		if more != nil {
			more(o)
		}
		return nil
	}, append(observables, added...)...)
	return err
}
