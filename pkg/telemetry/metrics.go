// Package telemetry is what Foresight tells of its own work: Prometheus metrics,
// which the plugin SDK serves and Grafana exposes at /api/plugins/<id>/metrics,
// and spans through the SDK's tracer. Labels are bounded: they never hold a
// query, a service or the name of a user.
package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const namespace = "foresight_plugin"

// seconds are buckets from a cached answer to the deadline of a query.
var seconds = []float64{.005, .025, .1, .25, .5, 1, 2.5, 5, 10, 25, 60}

func histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	return promauto.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: seconds}, labels)
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return promauto.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

var (
	queries = histogram("query_duration_seconds", "Duration of queries of panels, rules and Explore.", "type", "outcome")
	stages  = histogram("stage_duration_seconds", "Duration of the stages of an answer inside the plugin: the wait for a processor, the computation, the training of a forecasting model in it, and the shaping of frames.", "stage")

	fetches      = histogram("upstream_request_duration_seconds", "Duration of requests to upstreams, retries included, the wait for a turn not.", "upstream", "outcome")
	fetchQueue   = histogram("upstream_queue_duration_seconds", "Wait for a turn at an upstream (limits.concurrency).", "upstream")
	retries      = counter("upstream_retries_total", "Requests that were sent again because the upstream was at its limit (HTTP 429).", "upstream")
	breakerOpens = counter("upstream_breaker_openings_total", "Times that a circuit breaker opened.", "upstream")

	cacheRequests = counter("cache_requests_total", "Requests to the caches, by whether the answer was there.", "cache", "result")

	streams       = promauto.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "streams", Help: "Live streams that run."})
	streamUpdates = counter("stream_updates_total", "Computations of live queries.", "outcome")

	apiRequests = histogram("api_request_duration_seconds", "Duration of requests of engines, senders and people to the data source's HTTP routes.", "route", "code")
	deliveries  = counter("webhook_deliveries_total", "Events sent to webhooks, retries not counted.", "outcome")
)

// Stage is a part of an answer's time inside the plugin.
type Stage string

// The stages.
const (
	Queue    Stage = "queue"    // the wait for a processor
	Compute  Stage = "compute"  // training included
	Training Stage = "training" // of forecasting models
	Shape    Stage = "shape"    // of frames
)

// Time starts a stage; the function that it returns ends it.
func Time(stage Stage) (end func()) {
	begun := time.Now()
	return func() { stages.WithLabelValues(string(stage)).Observe(time.Since(begun).Seconds()) }
}

// CacheHit counts a request that a cache answered, and CacheMiss one that it did
// not.
func CacheHit(cache string) { cacheRequests.WithLabelValues(cache, "hit").Inc() }

// CacheMiss counts a request that a cache could not answer.
func CacheMiss(cache string) { cacheRequests.WithLabelValues(cache, "miss").Inc() }

// Retried counts a request that is sent again.
func Retried(upstream string) { retries.WithLabelValues(upstream).Inc() }

// BreakerOpened counts a circuit breaker that keeps requests from an upstream
// from now on; each of those has the outcome "unavailable".
func BreakerOpened(upstream string) { breakerOpens.WithLabelValues(upstream).Inc() }

// StreamStarted counts a stream until the function that it returns is called.
func StreamStarted() (end func()) {
	streams.Inc()
	return streams.Dec
}

// Delivered counts an event that was sent to a webhook, or could not be.
func Delivered(err error) {
	result := "delivered"
	if err != nil {
		result = "failed"
	}
	deliveries.WithLabelValues(result).Inc()
}
