// Package enginetest has stores of metrics and traces for tests of the engine.
package enginetest

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Noon is when tests of metrics ask.
var Noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// Midnight is when the shop's traces begin; half a minute later orders is
// deployed.
var (
	Midnight = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	Deployed = Midnight.Add(30 * time.Second)
	Window   = core.Window{From: Midnight.Add(-10 * time.Second), To: Midnight.Add(2 * time.Minute)}
)

// Traces is a store that holds all it is given.
type Traces struct {
	upstream.Traces // what is not needed is not there
	Stored          []trace.Trace
	Limit           int  // a store that gives fewer than it has
	Sampled         bool // and does not count
	Filters         []upstream.TraceFilter

	lock sync.Mutex // of Filters: both sides are searched at once
}

// Search returns the stored traces that the filter fits.
func (f *Traces) Search(_ context.Context, filter upstream.TraceFilter) (upstream.TraceSet, error) {
	f.lock.Lock()
	f.Filters = append(f.Filters, filter)
	f.lock.Unlock()
	set := upstream.TraceSet{Queries: []string{"search"}, Filter: "{ " + filter.Service + " " + filter.Version + " }"}
	for i := len(f.Stored) - 1; i >= 0; i-- {
		t := &f.Stored[i]
		start := t.Start()
		if start.Before(filter.Start) || start.After(filter.End) || !slices.ContainsFunc(t.Spans, func(s trace.Span) bool {
			return (filter.Service == "" || s.Service == filter.Service) && (filter.Version == "" || s.Version == filter.Version)
		}) {
			continue
		}
		if most := min(filter.Limit, max(f.Limit, 1)); f.Limit > 0 && len(set.Traces) >= most {
			set.Truncated = true
			break
		}
		set.Traces = append(set.Traces, *t)
	}
	return set, nil
}

// Services lists the services of the shop.
func (f *Traces) Services(context.Context, time.Time, time.Time) ([]string, error) {
	return []string{"cart", "catalog", "orders", "payment", "web"}, nil
}

// Versions lists two versions for every service.
func (f *Traces) Versions(context.Context, string, time.Time, time.Time) ([]string, error) {
	return []string{"1", "2"}, nil
}

// SpanCounts counts the stored spans by service and version.
func (f *Traces) SpanCounts(_ context.Context, service string, window upstream.Range) (upstream.SeriesSet, error) {
	values := map[string][]float64{}
	for i := range f.Stored {
		for _, s := range f.Stored[i].Spans {
			step := int(time.Unix(0, s.Start).Sub(window.Start) / window.Step)
			if service != "" && s.Service != service || step < 0 || step >= window.Points() {
				continue
			}
			key := s.Service + "\x00" + s.Version
			if values[key] == nil {
				values[key] = make([]float64, window.Points())
			}
			values[key][step]++
		}
	}
	set := upstream.SeriesSet{Sampled: f.Sampled}
	for key, counts := range values {
		service, version, _ := strings.Cut(key, "\x00")
		set.Series = append(set.Series, series.Series{
			Labels: series.Labels{"service_name": service, "service_version": version}, Start: window.Start, Step: window.Step, Values: counts,
		})
	}
	return set, nil
}

// ShopWithDeploy is the shop before and after a deploy of orders.
func ShopWithDeploy(after tracetest.Shop) *Traces {
	before := tracetest.Shop{Seed: 1, Traces: 300}
	after.Seed, after.Traces, after.Start, after.Version = 2, 300, Deployed, "2"
	return &Traces{Stored: append(before.Generate(), after.Generate()...)}
}

// Metrics answers every query by a function of the PromQL and the time.
type Metrics struct {
	upstream.Metrics
	Value func(promQL string, at time.Time) []series.Series
	Err   error
}

// QueryRange evaluates Value at each step of the window.
func (f Metrics) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	set := upstream.SeriesSet{}
	if strings.Contains(promQL, "count_over_time(") { // how often it scrapes is unknown
		return set, f.Err
	}
	for i := range window.Points() {
		at := window.Start.Add(time.Duration(i) * window.Step)
		for j, one := range f.Value(promQL, at) {
			if i == 0 {
				one.Start, one.Step = window.Start, window.Step
				set.Series = append(set.Series, one)
				continue
			}
			set.Series[j].Values = append(set.Series[j].Values, one.Values...)
		}
	}
	return set, f.Err
}

// ServiceMetrics has the span metrics of one service: a daily rhythm with an outage
// of traffic, and a creeping latency, at the end.
type ServiceMetrics struct {
	upstream.Metrics
	End time.Time
}

// LabelValues names the metrics of the service shop.
func (s ServiceMetrics) LabelValues(_ context.Context, _ string, selectors []string, _, _ time.Time) ([]string, []string, error) {
	if strings.Contains(selectors[0], `service="shop"`) {
		return []string{"traces_spanmetrics_calls_total", "traces_spanmetrics_latency_bucket"}, nil, nil
	}
	return nil, nil, nil
}

// QueryRange returns the metrics of the service shop.
func (s ServiceMetrics) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	one := series.Series{Start: window.Start, Step: window.Step}
	for at := window.Start; !at.After(window.End); at = at.Add(window.Step) {
		minute := float64(at.Unix() / 60)
		noise := math.Sin(minute*1.7) + math.Sin(minute*2.9+math.Sin(minute))
		left := s.End.Sub(at)
		switch {
		case strings.Contains(promQL, "STATUS_CODE_ERROR"):
			one.Values = append(one.Values, 0.01+0.001*noise)
		case strings.Contains(promQL, "histogram_quantile"):
			value := 0.2 + 0.005*noise
			if left < 40*time.Minute {
				value += 0.01 * (40 - left.Minutes())
			}
			one.Values = append(one.Values, value)
		default:
			value := 100 + 30*math.Sin(2*math.Pi*minute/1440) + 2*noise
			if left < 20*time.Minute {
				value /= 10
			}
			one.Values = append(one.Values, value)
		}
	}
	return upstream.SeriesSet{Series: []series.Series{one}}, nil
}

// Announcements is a place where deploys are announced.
type Announcements struct {
	All []annotation.Deploy
	Err error
}

func (a Announcements) Read(_ context.Context, start, end time.Time) (found []annotation.Deploy, warnings []string, err error) {
	for _, m := range a.All {
		if !m.At.Before(start) && !m.At.After(end) {
			found = append(found, m)
		}
	}
	return found, nil, a.Err
}

// WithoutVersions is the shop whose traces carry no versions.
func WithoutVersions(store *Traces) *Traces {
	for i := range store.Stored {
		for j := range store.Stored[i].Spans {
			store.Stored[i].Spans[j].Version = ""
		}
	}
	return store
}

// Feedback is a Grafana with annotations that judge events, or an error.
type Feedback struct {
	All []annotation.Feedback
	Err error
}

func (v Feedback) Read(context.Context, time.Time, time.Time) ([]annotation.Feedback, []string, error) {
	return v.All, nil, v.Err
}
