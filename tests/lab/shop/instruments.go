package shop

import (
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Bucket bounds that the semantic conventions advise, in seconds.
var (
	httpBounds     = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	databaseBounds = []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10}
)

// instruments are the histograms that an instance records into.
type instruments struct {
	httpServer, httpClient metric.Float64Histogram // seconds
	rpcServer, rpcClient   metric.Float64Histogram // milliseconds, exponential buckets
	database, poolWait     metric.Float64Histogram // seconds
	processed              metric.Float64Histogram // seconds
}

func newInstruments(meter metric.Meter) (*instruments, error) {
	var failures []error
	histogram := func(name, unit, description string, bounds []float64) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit(unit), metric.WithDescription(description),
			metric.WithExplicitBucketBoundaries(bounds...))
		failures = append(failures, err)
		return h
	}
	i := &instruments{
		httpServer: histogram("http.server.request.duration", "s", "Duration of HTTP server requests.", httpBounds),
		httpClient: histogram("http.client.request.duration", "s", "Duration of HTTP client requests.", httpBounds),
		rpcServer:  histogram("rpc.server.duration", "ms", "Duration of inbound RPC.", nil),
		rpcClient:  histogram("rpc.client.duration", "ms", "Duration of outbound RPC.", nil),
		database:   histogram("db.client.operation.duration", "s", "Duration of database client operations.", databaseBounds),
		poolWait:   histogram("db.client.connection.wait_time", "s", "Time to obtain an open connection from the pool.", databaseBounds),
		processed:  histogram("messaging.process.duration", "s", "Duration of processing operation.", httpBounds),
	}
	return i, errors.Join(failures...)
}

// observePool makes the gauges of a connection pool.
func observePool(meter metric.Meter, p *pool) ([]metric.Observable, func(metric.Observer), error) {
	count, err1 := meter.Int64ObservableUpDownCounter("db.client.connection.count", metric.WithUnit("{connection}"),
		metric.WithDescription("Connections by state."))
	limit, err2 := meter.Int64ObservableUpDownCounter("db.client.connection.max", metric.WithUnit("{connection}"),
		metric.WithDescription("Maximum number of open connections allowed."))
	pending, err3 := meter.Int64ObservableUpDownCounter("db.client.connection.pending_requests", metric.WithUnit("{request}"),
		metric.WithDescription("Pending requests for an open connection."))
	timeouts, err4 := meter.Int64ObservableCounter("db.client.connection.timeouts", metric.WithUnit("{timeout}"),
		metric.WithDescription("Connection timeouts that occurred trying to obtain a connection from the pool."))

	name := attribute.String("db.client.connection.pool.name", p.name)
	only := metric.WithAttributes(name)
	used := metric.WithAttributes(name, attribute.String("db.client.connection.state", "used"))
	idle := metric.WithAttributes(name, attribute.String("db.client.connection.state", "idle"))
	observe := func(o metric.Observer) {
		o.ObserveInt64(count, int64(p.used), used)
		o.ObserveInt64(count, int64(p.max-p.used), idle)
		o.ObserveInt64(limit, int64(p.max), only)
		o.ObserveInt64(pending, int64(len(p.waiting)), only)
		o.ObserveInt64(timeouts, p.timeouts, only)
	}
	return []metric.Observable{count, limit, pending, timeouts}, observe, errors.Join(err1, err2, err3, err4)
}

// observeCache makes the cache's own counters, named as the OpenTelemetry
// Collector's Redis receiver names them.
func (s *Shop) observeCache(meter metric.Meter) ([]metric.Observable, func(metric.Observer), error) {
	hits, err1 := meter.Int64ObservableCounter("redis.keyspace.hits", metric.WithUnit("{hit}"),
		metric.WithDescription("Number of successful lookup of keys in the main dictionary."))
	misses, err2 := meter.Int64ObservableCounter("redis.keyspace.misses", metric.WithUnit("{miss}"),
		metric.WithDescription("Number of failed lookup of keys in the main dictionary."))
	observe := func(o metric.Observer) {
		o.ObserveInt64(hits, s.cacheHits)
		o.ObserveInt64(misses, s.cacheMisses)
	}
	return []metric.Observable{hits, misses}, observe, errors.Join(err1, err2)
}

// observeQueue makes the queue's depth, named as the Collector's RabbitMQ
// receiver names it.
func (s *Shop) observeQueue(meter metric.Meter) ([]metric.Observable, func(metric.Observer), error) {
	depth, err := meter.Int64ObservableUpDownCounter("rabbitmq.message.current", metric.WithUnit("{message}"),
		metric.WithDescription("The total number of messages currently in the queue."))
	ready := metric.WithAttributes(attribute.String("messaging.destination.name", confirmations), attribute.String("state", "ready"))
	unacknowledged := metric.WithAttributes(attribute.String("messaging.destination.name", confirmations), attribute.String("state", "unacknowledged"))
	observe := func(o metric.Observer) {
		o.ObserveInt64(depth, int64(len(s.consumers.waiting)), ready)
		o.ObserveInt64(depth, int64(s.consumers.used), unacknowledged)
	}
	return []metric.Observable{depth}, observe, err
}
