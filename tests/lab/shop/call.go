package shop

import (
	"context"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// request is one request of a customer, or one chunk of a job.
type request struct {
	shop      *Shop
	instances map[string]*instance // chosen once per request and service
	customer  int
	product   int
	items     int // in the cart
	orders    int // the customer's orders so far
}

// call is the execution of a request within one service.
type call struct {
	*request
	process  *process
	random   *rand.Rand
	instance *instance
	ctx      context.Context // carries the current span
}

// at returns the instance that serves this request for a service.
func (r *request) at(service string, random *rand.Rand) *instance {
	chosen, known := r.instances[service]
	if !known {
		chosen = r.shop.choose(service, random)
		r.instances[service] = chosen
	}
	return chosen
}

func (c *call) now() time.Time { return c.process.engine.now }

func (c *call) wait(l latency) { c.process.wait(l.draw(c.random)) }

// compute spends processor time of the service.
func (c *call) compute(l latency) {
	c.process.wait(c.instance.processor.work(l.draw(c.random)))
}

// chance is true with the given probability.
func (c *call) chance(probability float64) bool { return c.random.Float64() < probability }

// fault is the level of a fault for this call, 0 where it is off.
func (c *call) fault(name string) float64 { return c.shop.level(name, c.instance) }

// start begins a span now, as a child of the current one.
func (c *call) start(name string, kind trace.SpanKind, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	return c.instance.tracer.Start(c.ctx, name, trace.WithTimestamp(c.now()),
		trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
}

func (c *call) end(span trace.Span) { span.End(trace.WithTimestamp(c.now())) }

// internal runs body in a span of its own within the service.
func (c *call) internal(name string, body func(*call)) {
	ctx, span := c.start(name, trace.SpanKindInternal)
	inner := *c
	inner.ctx = ctx
	body(&inner)
	c.end(span)
}

// parallel runs the bodies side by side and waits for all.
func (c *call) parallel(bodies ...func(*call)) {
	processes := make([]func(*process), len(bodies))
	for i, body := range bodies {
		random := rand.New(rand.NewPCG(c.random.Uint64(), c.random.Uint64()))
		processes[i] = func(p *process) {
			branch := *c
			branch.process, branch.random = p, random
			body(&branch)
		}
	}
	c.process.parallel(processes...)
}

// detached runs body on its own: the caller does not wait.
func (c *call) detached(body func(*call)) {
	random := rand.New(rand.NewPCG(c.random.Uint64(), c.random.Uint64()))
	c.process.engine.spawn(func(p *process) {
		branch := *c
		branch.process, branch.random = p, random
		body(&branch)
	})
}

// fail marks a span as failed.
func fail(span trace.Span, errorType, message string) {
	span.SetStatus(codes.Error, message)
	span.SetAttributes(attribute.String("error.type", errorType))
}

// record adds a duration to a histogram, with the current span as exemplar.
func (c *call) record(ctx context.Context, h metric.Float64Histogram, since time.Time, unit time.Duration, attributes ...attribute.KeyValue) {
	h.Record(ctx, float64(c.now().Sub(since))/float64(unit), metric.WithAttributes(attributes...))
}
