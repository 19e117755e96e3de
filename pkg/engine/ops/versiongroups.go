package ops

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Labels under which metrics tell zones and endpoints apart. Of zones, as of pods,
// the first counts that is there; an endpoint is the values of all.
var (
	zoneLabels     = []string{"availability_zone", "cloud_availability_zone", "topology_kubernetes_io_zone", "zone"}
	endpointLabels = []string{"span_name", "http_request_method", "http_method", "http_route"}
)

const (
	// pastLength periods of the baseline teach what is usual.
	pastLength = 360
	// pastGrid is what the past ends on, so that the cache holds it.
	pastGrid = 10 * time.Minute
	// lastSeen is how long a series may have been missing and go on from where
	// it was; after that it is a new one.
	lastSeen = 15 * time.Minute
)

func pastPeriods(candidateStart time.Time, step time.Duration) upstream.Range {
	end := core.Floor(candidateStart, pastGrid)
	return upstream.Range{Start: end.Add(-(pastLength - 1) * step), End: end, Step: step}
}

// versionCounts reads the counts of two versions off one metric.
type versionCounts struct {
	metrics      upstream.Metrics
	comparison   traces.Comparison
	metric       versioned
	service      string // matcher of the service, of whatever version
	matcher      string // of both versions
	window, past upstream.Range

	mu       sync.Mutex
	queries  []string
	warnings []string
}

// countedIncrease is PromQL for the increases of counters within a step: what a
// series has now less what it had then, all of it where it is new or began
// anew. Nothing is extrapolated, so that the periods add up to what was counted,
// however often it is scraped.
func countedIncrease(selector string, step time.Duration) string {
	return fmt.Sprintf("((%[1]s - last_over_time(%[1]s[%[2]ds] offset %[3]ds)) >= 0 or %[1]s)", selector, int(lastSeen.Seconds()), int(step.Seconds()))
}

// sum is the increments by labels in each period.
func (v *versionCounts) sum(ctx context.Context, metric string, matchers []string, by []string, window upstream.Range) ([]series.Series, error) {
	selector := metric + "{" + strings.Join(slices.DeleteFunc(matchers, func(m string) bool { return m == "" }), ", ") + "}"
	promQL := fmt.Sprintf("sum by (%s) (%s)", strings.Join(by, ", "), countedIncrease(selector, window.Step))
	set, err := v.metrics.QueryRange(ctx, promQL, window)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.queries = append(v.queries, fmt.Sprintf("%s [%s to %s, step %s]", promQL, core.FormatTime(window.Start), core.FormatTime(window.End), window.Step))
	v.warnings = append(v.warnings, set.Warnings...)
	return set.Series, err
}

// record writes down what was asked, in an order that does not depend on which
// answer came first.
func (v *versionCounts) record(basis *core.Provenance) {
	slices.Sort(v.queries)
	slices.Sort(v.warnings)
	for _, query := range v.queries {
		basis.AddQuery("%s", query)
	}
	basis.AddNotice(v.warnings...)
}

// parts asks by pod, zone and endpoint; by version alone where that is more than
// an answer may hold.
func (v *versionCounts) parts(ctx context.Context, metric string, matchers, by []string, window upstream.Range) ([]series.Series, error) {
	return v.partsOf(ctx, metric, append([]string{v.matcher}, matchers...), by, window)
}

// partsOf is parts of whatever version the matchers name.
func (v *versionCounts) partsOf(ctx context.Context, metric string, matchers, by []string, window upstream.Range) ([]series.Series, error) {
	found, err := v.sum(ctx, metric, matchers, by, window)
	var failure *upstream.Error
	if errors.As(err, &failure) && failure.Category == upstream.TooLarge {
		return v.sum(ctx, metric, matchers, slices.DeleteFunc(slices.Clone(by), func(label string) bool {
			return label != "le" && label != "service_version"
		}), window)
	}
	return found, err
}

func (v *versionCounts) signals(ctx context.Context, margin float64) ([]canary.Signal, error) {
	limits, err := v.limits(ctx)
	if err != nil {
		return nil, err
	}
	version := []string{"service_version"}
	units := slices.Concat(version, signals.PodLabels, zoneLabels)
	all := slices.Concat(units, endpointLabels)
	var counted, failed, timed, countedBefore, failedBefore, timedBefore []series.Series
	group, ctx := parallel.WithContext(ctx)
	fetch := func(to *[]series.Series, metric string, matcher string, by []string, window upstream.Range) {
		group.Go(func() (err error) {
			matchers := []string{matcher}
			if window == v.past {
				matchers = append(matchers, v.baselineOnly())
			}
			*to, err = v.parts(ctx, metric, matchers, by, window)
			return err
		})
	}
	fetch(&counted, v.metric.count, "", all, v.window)
	fetch(&failed, v.metric.count, v.metric.failed, all, v.window)
	fetch(&countedBefore, v.metric.count, "", units, v.past)
	fetch(&failedBefore, v.metric.count, v.metric.failed, units, v.past)
	le := matchLimits(limits)
	var starts [][]float64
	group.Go(func() (err error) {
		starts, err = v.starts(ctx, units, le, limits)
		return err
	})
	if len(limits) > 0 {
		fetch(&timed, v.metric.bucket, le, append([]string{"le"}, all...), v.window)
		fetch(&timedBefore, v.metric.bucket, le, append([]string{"le"}, units...), v.past)
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	signals := []canary.Signal{{
		Name: "errors", Critical: true, Margin: margin,
		Groups: v.groups(counted, failed, "", "", false),
		Noise:  canary.Learn(v.groups(countedBefore, failedBefore, "", "", false)),
		Start:  starts[0],
	}}
	for i, limit := range limits {
		start := starts[1+i]
		if start == nil {
			start = canary.SlowStart(limit.beyond, v.window.Step)
		}
		signals = append(signals, canary.Signal{
			Name:     fmt.Sprintf("share of requests over %s %s", limit.text, v.metric.unit),
			Critical: true, Margin: max(minSlowMargin, acceptableSlow*limit.beyond), Starting: startingSlow,
			Groups: v.groups(timed, timed, "+Inf", limit.text, true),
			Noise:  canary.Learn(v.groups(timedBefore, timedBefore, "+Inf", limit.text, true)),
			Start:  start,
			Spread: canary.SlowSpread(limit.beyond),
		})
	}
	return signals, nil
}

// operation is the matcher of the only operation that is judged; empty for all.
func (v *versionCounts) operation() string {
	if v.comparison.Candidate.Operation == "" {
		return ""
	}
	return "span_name=" + strconv.Quote(v.comparison.Candidate.Operation)
}

func (v *versionCounts) baselineOnly() string {
	return fmt.Sprintf("service_version=%q", v.comparison.Baseline.Version)
}

// matchLimits is the matcher of the buckets of limits, and of all requests.
func matchLimits(limits []bucketLimit) string {
	var texts []string
	for _, limit := range append(slices.Clip(limits), bucketLimit{text: "+Inf"}) {
		texts = append(texts, regexp.QuoteMeta(limit.text))
	}
	return fmt.Sprintf("le=~%q", strings.Join(texts, "|"))
}

// bucketLimit is the upper limit of a histogram's bucket and the share of the
// baseline's requests beyond it.
type bucketLimit struct {
	text   string
	beyond float64
}

// limits are the buckets that hold the baseline's quantiles: before the
// candidate came, so that every look asks of the same; else now.
func (v *versionCounts) limits(ctx context.Context) (limits []bucketLimit, err error) {
	baseline := v.baselineOnly()
	for _, window := range []upstream.Range{v.past, v.window} {
		length := window.End.Sub(window.Start) + window.Step
		selector := fmt.Sprintf("%s{%s, %s}", v.metric.bucket, v.matcher, baseline)
		promQL := fmt.Sprintf("sum by (le) (increase(%s[%ds]))", selector, int(length.Seconds()))
		set, err := v.metrics.QueryRange(ctx, promQL, upstream.Range{Start: window.End, End: window.End, Step: time.Minute})
		if err != nil {
			return nil, err
		}
		v.queries = append(v.queries, fmt.Sprintf("%s [at %s]", promQL, core.FormatTime(window.End)))
		if limits = quantileLimits(set.Series); len(limits) > 0 {
			break
		}
	}
	return limits, nil
}

func quantileLimits(buckets []series.Series) (limits []bucketLimit) {
	type bucket struct {
		text         string
		limit, count float64
	}
	var all []bucket
	for _, s := range buckets {
		if limit, err := strconv.ParseFloat(s.Labels["le"], 64); err == nil && len(s.Values) > 0 {
			all = append(all, bucket{s.Labels["le"], limit, core.Count(s.Values[len(s.Values)-1])})
		}
	}
	slices.SortFunc(all, func(a, b bucket) int { return int(math.Copysign(1, a.limit-b.limit)) })
	if len(all) == 0 || !math.IsInf(all[len(all)-1].limit, 1) || !(all[len(all)-1].count > 0) {
		return nil
	}
	total := all[len(all)-1].count
	for _, quantile := range countedQuantiles {
		at := slices.IndexFunc(all, func(b bucket) bool { return b.count >= quantile*total })
		if at < 0 || math.IsInf(all[at].limit, 1) || slices.ContainsFunc(limits, func(l bucketLimit) bool { return l.text == all[at].text }) {
			continue
		}
		limits = append(limits, bucketLimit{all[at].text, 1 - all[at].count/total})
	}
	return limits
}

// groups pairs counts of requests with those of bad ones, which are the
// difference of two buckets where besides. The series of both have the same
// labels, but for those without a bad request.
func (v *versionCounts) groups(requests, bad []series.Series, le, badLE string, besides bool) (groups []canary.Group) {
	return v.groupsOf(v.comparison.Baseline.Version, v.comparison.Candidate.Version, requests, bad, le, badLE, besides)
}

// groupsOf is groups of other versions; candidate is empty for none.
func (v *versionCounts) groupsOf(baseline, candidate string, requests, bad []series.Series, le, badLE string, besides bool) (groups []canary.Group) {
	pod, zone := v.unitLabel(requests, signals.PodLabels), v.unitLabel(requests, zoneLabels)
	if pod != "" && sharedByVersions(requests, pod) {
		pod = "" // it names who tells, and not who served
	}
	byLabels := map[string]series.Series{}
	for _, s := range bad {
		if s.Labels["le"] == badLE {
			byLabels[identity(s.Labels)] = s
		}
	}
	for _, s := range requests {
		version := s.Labels["service_version"]
		if s.Labels["le"] != le || version != baseline && (version != candidate || candidate == "") {
			continue
		}
		of := byLabels[identity(s.Labels)]
		group := canary.Group{Candidate: version == candidate && candidate != "", Pod: s.Labels[pod], Zone: s.Labels[zone], Endpoint: endpointOf(s.Labels)}
		for i, value := range s.Values {
			t := canary.Tally{Requests: core.Count(value)}
			if i < len(of.Values) {
				t.Bad = core.Count(of.Values[i])
			}
			if besides {
				t.Bad = t.Requests - t.Bad
			}
			t.Bad = min(max(t.Bad, 0), t.Requests)
			group.Periods = append(group.Periods, t)
		}
		groups = append(groups, group)
	}
	return groups
}

// unitLabel is the first of the labels that all series have; empty for none.
func (v *versionCounts) unitLabel(all []series.Series, labels []string) string {
	for _, label := range labels {
		if len(all) > 0 && !slices.ContainsFunc(all, func(s series.Series) bool { return s.Labels[label] == "" }) {
			return label
		}
	}
	return ""
}

func sharedByVersions(all []series.Series, label string) bool {
	versions := map[string]string{}
	for _, s := range all {
		value, version := s.Labels[label], s.Labels["service_version"]
		if before, known := versions[value]; known && before != version {
			return true
		}
		versions[value] = version
	}
	return false
}

func endpointOf(labels series.Labels) string {
	var parts []string
	for _, label := range endpointLabels {
		if labels[label] != "" {
			parts = append(parts, labels[label])
		}
	}
	return strings.Join(parts, " ")
}

// identity is all labels but the bucket.
func identity(labels series.Labels) string {
	var parts []string
	for name, value := range labels {
		if name != "le" {
			parts = append(parts, name+"\x00"+value)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "\x00")
}

// served is the end of the newest period in which both versions served.
func (v *versionCounts) served(groups []canary.Group) (newest time.Time) {
	for i := range v.window.Points() {
		var both [2]bool
		for _, g := range groups {
			if i < len(g.Periods) && g.Periods[i].Requests > 0 {
				both[map[bool]int{true: 1}[g.Candidate]] = true
			}
		}
		if both[0] && both[1] {
			newest = v.window.Start.Add(time.Duration(i) * v.window.Step)
		}
	}
	return newest
}
