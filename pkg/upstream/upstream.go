// Package upstream asks metrics and trace stores and fills the plain types of
// series and trace. One client per protocol, one transport below them.
package upstream

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// Range is a window aligned to its step: Start ≤ t ≤ End, both on the grid.
type Range struct {
	Start, End time.Time
	Step       time.Duration
}

// Points is the number of instants of the window; 0 for one that is empty or
// has no step.
func (r Range) Points() int {
	if r.Step <= 0 || r.End.Before(r.Start) {
		return 0
	}
	return int(r.End.Sub(r.Start)/r.Step) + 1
}

// Metrics is a Prometheus-compatible server. What it returns may be shared with
// other askers: it is to be read, never to be changed.
type Metrics interface {
	// QueryRange evaluates PromQL over a window. Series come sorted by labels,
	// on the range's grid, absent samples as NaN. A window of more points than
	// the server allows in one query (11,000) is asked in parts.
	QueryRange(ctx context.Context, promQL string, window Range) (SeriesSet, error)
	// LabelValues lists the values of a label over the series that match any
	// of the selectors (all series for none), sorted.
	LabelValues(ctx context.Context, label string, selectors []string, start, end time.Time) ([]string, []string, error)
	// LabelNames lists the names of the labels of the series that match any of
	// the selectors (all series for none), sorted.
	LabelNames(ctx context.Context, selectors []string, start, end time.Time) ([]string, error)
	// Describe tells what those who expose a metric say of it; nothing where the
	// server does not know.
	Describe(ctx context.Context, metric string) (MetricDescription, error)
	// Exemplars are the traces that the samples of any series in the PromQL
	// point to, each once, the newest first.
	Exemplars(ctx context.Context, promQL string, start, end time.Time) ([]Exemplar, error)
	// Probe tells what the server is and can do.
	Probe(ctx context.Context) (MetricsCapabilities, error)
}

// MetricDescription is what stands beside a metric where it is exposed.
type MetricDescription struct {
	Type string // "counter", "gauge", "histogram", ...
	Help string
}

// Exemplar is a trace behind a sample.
type Exemplar struct {
	Trace trace.TraceID
	At    time.Time
}

// SeriesSet is the answer to one metrics query.
type SeriesSet struct {
	Series   []series.Series
	Warnings []string // what the server, or a limit of ours, left out
	// Sampled says that counts are those of a sample, and no totals.
	Sampled bool
}

// MetricsCapabilities is what a metrics server said of itself.
type MetricsCapabilities struct {
	Product          string // "Prometheus", "Mimir", ...
	Version          string
	SpanMetrics      bool // series of Tempo's metrics generator exist
	ServiceGraph     bool
	NativeHistograms bool     // of latencies, under the names that Tempo and OpenTelemetry use
	SpanVersions     bool     // span metrics distinguish versions (service_version)
	Exemplars        bool     // span metrics point to traces
	Warnings         []string // what could not be found out, and why
}

// TraceFilter selects traces that contain a matching span. Empty fields match
// everything.
type TraceFilter struct {
	Service   string
	Version   string
	Operation string // span name
	// TraceQL is a further spanset filter, "{ ... }", that the trace must match;
	// stores without TraceQL refuse it.
	TraceQL string
	// The trace began in Start ≤ t < End.
	Start, End time.Time
	// Limit is the size of the sample. A large one is spread evenly over the
	// time range; in each part of it the newest traces win.
	Limit int
	// PerEndpoint is how many traces of a kind of request (the first span's
	// service and name) a sample should hold, where there are more traces than
	// the limit; 0 leaves the kinds as frequent as they are. Not every store can.
	PerEndpoint int
	// Attributes are further ones to read of every span, as AttributeLister names
	// them; stores that give whole spans read all.
	Attributes []string
}

// AttributeLister is a trace store that reads attributes of spans only by name.
type AttributeLister interface {
	// Attributes lists those that may explain why some requests are slow or fail
	// (see trace.MayExplain), in the store's own terms, sorted.
	Attributes(ctx context.Context, start, end time.Time) ([]string, error)
}

// TraceSet is a sample of traces, newest first.
type TraceSet struct {
	Traces    []trace.Trace
	Queries   []string // what was asked, for the reader
	Filter    string   // the filter in the store's own language, to see such traces in Explore
	Truncated bool     // more traces matched than the limit
	Warnings  []string // what the store, or a limit of ours, left out
}

// Traces is a trace store: Tempo, or later Jaeger. What it returns may be shared
// with other askers: it is to be read, never to be changed.
type Traces interface {
	// Search fetches whole traces that contain a span matching the filter.
	Search(ctx context.Context, filter TraceFilter) (TraceSet, error)
	// Fetch fetches whole traces by their ids, near an instant; it may know
	// traces that a search does not find yet. Those that are not found are left
	// out, with a warning.
	Fetch(ctx context.Context, ids []trace.TraceID, near time.Time) (TraceSet, error)
	// Services, Operations (span names) and Versions are sorted.
	Services(ctx context.Context, start, end time.Time) ([]string, error)
	Operations(ctx context.Context, service string, start, end time.Time) ([]string, error)
	Versions(ctx context.Context, service string, start, end time.Time) ([]string, error)
	// SpanCounts counts the spans of a service (of all services where it is
	// empty) by service and version: one series for each pair, with labels
	// service_name and service_version. The value at t counts the spans that
	// began in t - step < s ≤ t. Without spans it is 0; where the store could
	// not count it is missing.
	SpanCounts(ctx context.Context, service string, window Range) (SeriesSet, error)
	// Probe tells what the server is and can do.
	Probe(ctx context.Context) (TraceCapabilities, error)
}

// TraceCapabilities is what a trace store said and showed of itself.
type TraceCapabilities struct {
	Product        string // "Tempo", "Jaeger"
	Version        string
	TraceQLMetrics bool
	MetricsMessage string        // why TraceQL metrics are not available
	Freshness      time.Duration // age of the newest searchable trace; negative where there is none
	// Hidden is the newest time that searches never look at, by a setting of the
	// store; 0 for none, or none that it tells of. Traces by id are not hidden.
	Hidden time.Duration
}
