package ops

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// versioned is a way to count requests by version off metrics with well-known
// names, where they carry service_version.
type versioned struct{ count, failed, bucket, unit, also string }

var versionedMetrics = []versioned{
	{"http_server_request_duration_seconds_count", `http_response_status_code=~"5.."`, "http_server_request_duration_seconds_bucket", "s", ""},
	{"http_server_duration_milliseconds_count", `http_status_code=~"5.."`, "http_server_duration_milliseconds_bucket", "ms", ""},
	{"traces_spanmetrics_calls_total", signals.FailedSpans, "traces_spanmetrics_latency_bucket", "s", signals.ServedSpans},
	{"traces_span_metrics_calls_total", signals.FailedSpans, "traces_span_metrics_duration_milliseconds_bucket", "ms", signals.ServedSpans},
	{"traces_span_metrics_calls_total", signals.FailedSpans, "traces_span_metrics_duration_seconds_bucket", "s", signals.ServedSpans},
}

// countedQuantiles are those of the baseline whose buckets' limits requests are
// counted beyond.
var countedQuantiles = []float64{0.5, 0.9, 0.99}

// A quarter more slow requests are acceptable, or one in a thousand.
const acceptableSlow, leastSlowMargin = 0.25, 0.001

// versionSignals are the errors and slow requests of two versions, period by
// period; none where no metric tells the versions apart. Served is the end of
// the newest period in which both served.
func (e Advisor) versionSignals(ctx context.Context, c traces.Comparison, margin float64, basis *core.Provenance) (signals []canary.Signal, served time.Time, err error) {
	metric, matcher, found, err := e.versionedMetric(ctx, c)
	if err != nil || !found {
		return nil, served, err
	}
	window := periodsBefore(c.Candidate.Start, c.Candidate.End)
	step := window.Step
	ask := func(by, metric, also string) ([]series.Series, error) {
		promQL := fmt.Sprintf("sum by (%s) (increase(%s{%s}[%ds]))", by, metric, strings.Trim(matcher+", "+also, ", "), int(step.Seconds()))
		set, err := e.Metrics.QueryRange(ctx, promQL, window)
		basis.AddQuery("%s [%s to %s, step %s]", promQL, core.FormatTime(window.Start), core.FormatTime(window.End), window.Step)
		basis.AddNotice(set.Warnings...)
		return set.Series, err
	}
	all, err := ask("service_version", metric.count, "")
	if err != nil {
		return nil, served, err
	}
	failed, err := ask("service_version", metric.count, metric.failed)
	if err != nil {
		return nil, served, err
	}
	buckets, err := ask("service_version, le", metric.bucket, "")
	if err != nil {
		return nil, served, err
	}
	periods := periodsOf(c, window, all, func(version string, i int) float64 { return valueOf(failed, version, "", i) })
	for i, p := range periods {
		if p.Baseline.Requests > 0 && p.Candidate.Requests > 0 {
			served = window.Start.Add(time.Duration(i) * step)
		}
	}
	signals = append([]canary.Signal{{Name: "errors", Critical: true, Margin: margin, Periods: periods}},
		slowSignals(c, window, buckets, metric.unit)...)
	return signals, served, nil
}

// mostPeriods bounds what one verdict fetches of each series.
const mostPeriods = 1000

// periodsBefore are the ends of the periods of a window: the last one is its
// end, and not a full minute, since a bad version should not serve half a
// minute longer for the sake of a grid. The first may begin before the window.
func periodsBefore(start, end time.Time) upstream.Range {
	length := end.Sub(start)
	step := core.StepFor(length / mostPeriods)
	more := max((length-1)/step, 0)
	return upstream.Range{Start: end.Add(-more * step), End: end, Step: step}
}

// versionedMetric is the first metric that knows the candidate, with the
// matcher of both versions.
func (e Advisor) versionedMetric(ctx context.Context, c traces.Comparison) (metric versioned, matcher string, found bool, err error) {
	var names []string
	for _, m := range versionedMetrics {
		names = append(names, m.bucket)
	}
	for _, label := range signals.ServiceLabels {
		service := label + "=" + strconv.Quote(c.Candidate.Service)
		selector := fmt.Sprintf("{__name__=~%q, %s, service_version=%q}", strings.Join(names, "|"), service, c.Candidate.Version)
		existing, _, err := e.Metrics.LabelValues(ctx, "__name__", []string{selector}, c.Candidate.Start, c.Candidate.End)
		if err != nil {
			return metric, "", false, err
		}
		for _, m := range versionedMetrics {
			if !slices.Contains(existing, m.bucket) || c.Candidate.Operation != "" && m.also == "" {
				continue
			}
			parts := []string{service, fmt.Sprintf("service_version=~%q",
				regexp.QuoteMeta(c.Baseline.Version)+"|"+regexp.QuoteMeta(c.Candidate.Version))}
			if m.also != "" {
				parts = append(parts, m.also)
			}
			if c.Candidate.Operation != "" {
				parts = append(parts, "span_name="+strconv.Quote(c.Candidate.Operation))
			}
			return m, strings.Join(parts, ", "), true, nil
		}
	}
	return metric, "", false, nil
}

// periodsOf pairs what both versions served; the bad requests come from a
// function of the version and the instant.
func periodsOf(c traces.Comparison, window upstream.Range, all []series.Series, bad func(version string, i int) float64) (periods []canary.Period) {
	tally := func(version string, i int) canary.Tally {
		requests := valueOf(all, version, "", i)
		return canary.Tally{Requests: requests, Bad: math.Min(bad(version, i), requests)}
	}
	for i := range window.Points() {
		periods = append(periods, canary.Period{Baseline: tally(c.Baseline.Version, i), Candidate: tally(c.Candidate.Version, i)})
	}
	return periods
}

// slowSignals count the requests beyond the buckets that hold the baseline's
// quantiles.
func slowSignals(c traces.Comparison, window upstream.Range, buckets []series.Series, unit string) (signals []canary.Signal) {
	total := func(limit string) (sum float64) {
		for i := range window.Points() {
			sum += valueOf(buckets, c.Baseline.Version, limit, i)
		}
		return sum
	}
	var limits []string
	for _, one := range buckets {
		if one.Labels["service_version"] == c.Baseline.Version && one.Labels["le"] != "+Inf" {
			limits = append(limits, one.Labels["le"])
		}
	}
	slices.SortFunc(limits, func(a, b string) int { return int(math.Copysign(1, seconds(a)-seconds(b))) })
	var endless []series.Series
	for _, one := range buckets {
		if one.Labels["le"] == "+Inf" {
			endless = append(endless, series.Series{Labels: series.Labels{"service_version": one.Labels["service_version"]},
				Start: one.Start, Step: one.Step, Values: one.Values})
		}
	}
	seen := map[string]bool{}
	for _, quantile := range countedQuantiles {
		at := slices.IndexFunc(limits, func(limit string) bool { return total(limit) >= quantile*total("+Inf") })
		if at < 0 || seen[limits[at]] || total("+Inf") == 0 {
			continue
		}
		limit := limits[at]
		seen[limit] = true
		signals = append(signals, canary.Signal{
			Name:     fmt.Sprintf("share of requests over %s %s", limit, unit),
			Critical: true, Margin: max(leastSlowMargin, acceptableSlow*(1-total(limit)/total("+Inf"))),
			Periods: periodsOf(c, window, endless, func(version string, i int) float64 {
				return math.Max(0, valueOf(endless, version, "", i)-valueOf(buckets, version, limit, i))
			}),
		})
	}
	return signals
}

func seconds(limit string) float64 {
	value, err := strconv.ParseFloat(limit, 64)
	if err != nil {
		return math.Inf(1)
	}
	return value
}

// valueOf is the count of a version in one period; 0 where there is none.
func valueOf(counts []series.Series, version, limit string, i int) float64 {
	for _, one := range counts {
		if one.Labels["service_version"] == version && one.Labels["le"] == limit && i < len(one.Values) {
			return core.Count(one.Values[i])
		}
	}
	return 0
}
