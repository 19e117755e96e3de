package shop

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// route is an HTTP endpoint of a service.
type route struct {
	service, method, template string
	handle                    func(*call) int // returns the status code
}

func (r route) name() string { return r.method + " " + r.template }

// httpCall calls another service, again after a 5xx while retries last, and
// returns the last status code.
func (c *call) httpCall(r route, path string, retries int) int {
	for attempt := 0; ; attempt++ {
		status := c.httpAttempt(r, path, attempt)
		if status < 500 || attempt >= retries {
			return status
		}
		c.wait(latency{50 * time.Millisecond << attempt, 0.2})
	}
}

func (c *call) httpAttempt(r route, path string, attempt int) int {
	callee := c.at(r.service, c.random)
	port := definitions[r.service].port
	attributes := []attribute.KeyValue{
		attribute.String("http.request.method", r.method),
		attribute.String("url.full", fmt.Sprintf("http://%s:%d%s", r.service, port, path)),
		attribute.String("url.template", r.template),
		attribute.String("server.address", r.service),
		attribute.Int("server.port", port),
	}
	if attempt > 0 {
		attributes = append(attributes, attribute.Int("http.request.resend_count", attempt))
	}
	began := c.now()
	ctx, span := c.start(r.name(), trace.SpanKindClient, attributes...)
	c.wait(network)
	inner := &call{c.request, c.process, c.random, callee, ctx}
	status := inner.serve(r, path)
	c.wait(network)

	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= 400 {
		fail(span, strconv.Itoa(status), "")
	}
	c.end(span)
	c.record(ctx, c.instance.instruments.httpClient, began, time.Second, httpMetric(status, r.method,
		attribute.String("server.address", r.service), attribute.Int("server.port", port))...)
	return status
}

// serve runs the endpoint within its service.
func (c *call) serve(r route, path string) int {
	began := c.now()
	ctx, span := c.start(r.name(), trace.SpanKindServer,
		attribute.String("http.request.method", r.method),
		attribute.String("http.route", r.template),
		attribute.String("url.path", path),
		attribute.String("url.scheme", "http"),
	)
	c.ctx = ctx
	status := r.handle(c)
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= 500 {
		fail(span, strconv.Itoa(status), http.StatusText(status))
	}
	c.end(span)
	c.record(ctx, c.instance.instruments.httpServer, began, time.Second, httpMetric(status, r.method,
		attribute.String("http.route", r.template), attribute.String("url.scheme", "http"))...)
	return status
}

// externalPost calls a service of someone else: a client span with no server
// span below it.
func (c *call) externalPost(host, path string, took latency, status int) int {
	began := c.now()
	ctx, span := c.start("POST "+path, trace.SpanKindClient,
		attribute.String("http.request.method", http.MethodPost),
		attribute.String("url.full", "https://"+host+path),
		attribute.String("url.template", path),
		attribute.String("server.address", host),
		attribute.Int("server.port", 443),
		attribute.String("peer.service", host),
	)
	c.wait(took)
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= 400 {
		fail(span, strconv.Itoa(status), "")
	}
	c.end(span)
	c.record(ctx, c.instance.instruments.httpClient, began, time.Second, httpMetric(status, http.MethodPost,
		attribute.String("server.address", host), attribute.Int("server.port", 443))...)
	return status
}

// httpMetric adds the attributes that all HTTP metrics share.
func httpMetric(status int, method string, attributes ...attribute.KeyValue) []attribute.KeyValue {
	attributes = append(attributes,
		attribute.String("http.request.method", method),
		attribute.Int("http.response.status_code", status))
	if status >= 500 {
		attributes = append(attributes, attribute.String("error.type", strconv.Itoa(status)))
	}
	return attributes
}

// arrive runs a request from outside on its entry endpoint.
func (s *Shop) arrive(r route, path func(*request) string) {
	random := s.newRandom()
	s.engine.spawn(func(p *process) {
		request := s.newRequest(random)
		c := &call{request, p, random, request.at(r.service, random), s.background}
		c.serve(r, path(request))
	})
}

// newRandom returns the randomness of one request. It depends on the request's
// number alone, so that a fault in one request leaves the others as they were.
func (s *Shop) newRandom() *rand.Rand {
	s.requests++
	return rand.New(rand.NewPCG(mix(s.options.Seed), s.requests))
}
