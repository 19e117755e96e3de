package shop

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// gRPC status codes that the shop answers with.
const (
	rpcOK                 = 0
	rpcFailedPrecondition = 9
	rpcUnavailable        = 14
)

var rpcNames = map[int]string{rpcOK: "OK", rpcFailedPrecondition: "FAILED_PRECONDITION", rpcUnavailable: "UNAVAILABLE"}

// procedure is a gRPC method of a service.
type procedure struct {
	service, rpcService, method string
	handle                      func(*call) int // returns the gRPC status code
}

func (p procedure) name() string { return p.rpcService + "/" + p.method }

func (p procedure) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("rpc.system", "grpc"),
		attribute.String("rpc.service", p.rpcService),
		attribute.String("rpc.method", p.method),
	}
}

// rpcCall calls another service, again while it is unavailable and retries
// last, and returns the last status code.
func (c *call) rpcCall(p procedure, retries int) int {
	for attempt := 0; ; attempt++ {
		code := c.rpcAttempt(p)
		if code != rpcUnavailable || attempt >= retries {
			return code
		}
		c.wait(latency{50 * time.Millisecond << attempt, 0.2})
	}
}

func (c *call) rpcAttempt(p procedure) int {
	callee := c.at(p.service, c.random)
	address := attribute.String("server.address", p.service)
	began := c.now()
	ctx, span := c.start(p.name(), trace.SpanKindClient, append(p.attributes(), address,
		attribute.Int("server.port", definitions[p.service].port))...)
	c.wait(network)
	inner := &call{c.request, c.process, c.random, callee, ctx}
	code := inner.serveRPC(p)
	c.wait(network)

	status := attribute.Int("rpc.grpc.status_code", code)
	span.SetAttributes(status)
	if code != rpcOK {
		fail(span, rpcNames[code], "")
	}
	c.end(span)
	c.record(ctx, c.instance.instruments.rpcClient, began, time.Millisecond, append(p.attributes(), status, address)...)
	return code
}

func (c *call) serveRPC(p procedure) int {
	began := c.now()
	ctx, span := c.start(p.name(), trace.SpanKindServer, p.attributes()...)
	c.ctx = ctx
	code := p.handle(c)
	status := attribute.Int("rpc.grpc.status_code", code)
	span.SetAttributes(status)
	if code == rpcUnavailable { // the caller's own mistakes are no failures of a server
		fail(span, rpcNames[code], "")
	}
	c.end(span)
	c.record(ctx, c.instance.instruments.rpcServer, began, time.Millisecond, append(p.attributes(), status)...)
	return code
}
