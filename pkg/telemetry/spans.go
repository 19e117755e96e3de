package telemetry

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/tracing"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// outcome is "ok", the category of an upstream's failure, or who else failed.
func outcome(err error) string {
	var fromUpstream *upstream.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &fromUpstream):
		return string(fromUpstream.Category)
	case errors.Is(err, context.DeadlineExceeded):
		return string(upstream.Timeout)
	case errors.Is(err, context.Canceled):
		return string(upstream.Cancelled)
	}
	return "error"
}

func start(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	return tracing.DefaultTracer().Start(ctx, name, trace.WithAttributes(attributes...))
}

func finish(span trace.Span, err error) {
	if err != nil {
		_ = tracing.Error(span, err)
	}
	span.End()
}

// Query starts the span and the clock of a query. The function that it returns
// ends both; the status of an error says whether its author can correct it.
func Query(ctx context.Context, kind, format string) (context.Context, func(err error, status int)) {
	begun := time.Now()
	ctx, span := start(ctx, "foresight.query", attribute.String("foresight.query.type", kind), attribute.String("foresight.query.format", format))
	return ctx, func(err error, status int) {
		result := outcome(err)
		if result == "error" && status < http.StatusInternalServerError {
			result = string(upstream.Rejected)
		}
		queries.WithLabelValues(kind, result).Observe(time.Since(begun).Seconds())
		finish(span, err)
	}
}

// Live starts the span of a computation of a live query. The function that it
// returns ends it.
func Live(ctx context.Context) (context.Context, func(error)) {
	ctx, span := start(ctx, "foresight.live")
	return ctx, func(err error) {
		streamUpdates.WithLabelValues(outcome(err)).Inc()
		finish(span, err)
	}
}

// Fetch is a request to an upstream.
type Fetch struct {
	upstream string
	span     trace.Span
	begun    time.Time
}

// StartFetch starts the span of a request, which waits for its turn.
func StartFetch(ctx context.Context, name string) (context.Context, *Fetch) {
	ctx, span := start(ctx, "foresight.fetch", attribute.String("foresight.upstream", name))
	return ctx, &Fetch{name, span, time.Now()}
}

// Admitted ends the wait for a turn.
func (f *Fetch) Admitted() {
	now := time.Now()
	fetchQueue.WithLabelValues(f.upstream).Observe(now.Sub(f.begun).Seconds())
	f.span.AddEvent("admitted")
	f.begun = now
}

// End ends the request. size is that of the answer in bytes.
func (f *Fetch) End(size int, err error) {
	fetches.WithLabelValues(f.upstream, outcome(err)).Observe(time.Since(f.begun).Seconds())
	f.span.SetAttributes(attribute.Int("foresight.response.bytes", size))
	finish(f.span, err)
}

// Route counts the requests to a route under its pattern, in a span of their
// own.
func Route(pattern string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		ctx, span := start(r.Context(), "foresight.api", attribute.String("http.route", pattern))
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			apiRequests.WithLabelValues(pattern, strconv.Itoa(recorder.status/100)+"xx").Observe(time.Since(begun).Seconds())
			span.SetAttributes(attribute.Int("http.response.status_code", recorder.status))
			span.End()
		}()
		handler.ServeHTTP(recorder, r.WithContext(ctx))
	})
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
