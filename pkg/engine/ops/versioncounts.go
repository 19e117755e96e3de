package ops

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// versioned is a way to count requests by version off metrics with well-known
// names, where they carry service_version.
type versioned struct{ count, failed, bucket, unit, also string }

var versionedMetrics = requestsByVersion()

func requestsByVersion() (all []versioned) {
	unit := func(h wellknown.Histogram) string {
		if h.Unit == 1 {
			return "s"
		}
		return "ms"
	}
	for _, r := range wellknown.Served {
		all = append(all, versioned{r.Count(), r.Failed, r.Bucket(), unit(r.Histogram), ""})
	}
	for _, m := range wellknown.SpanMetrics {
		all = append(all, versioned{m.Calls, wellknown.FailedSpans, m.Duration.Bucket(), unit(m.Duration), wellknown.ServedSpans})
	}
	return all
}

// countedQuantiles are those of the baseline whose buckets' limits requests are
// counted beyond.
var countedQuantiles = []float64{0.5, 0.9, 0.99}

// Half as many slow requests again are acceptable, or one in a thousand: what
// another mix of requests makes of them. A version that starts may be slow for
// half of its requests.
const acceptableSlow, minSlowMargin, startingSlow = 0.5, 0.001, 0.5

// versionSignals are the errors and slow requests of two versions, period by
// period; none where no metric distinguishes the versions. Served is the end of
// the newest period in which both served; a period is that long.
func (e Advisor) versionSignals(ctx context.Context, c traces.Comparison, margin float64, basis *core.Provenance) (signals []canary.Signal, period time.Duration, served time.Time, err error) {
	metric, service, matcher, found, err := e.versionedMetric(ctx, c)
	if err != nil || !found {
		return nil, 0, served, err
	}
	scrape, err := e.ScrapeInterval(ctx, metric.count+"{"+matcher+"}", c.Candidate.End)
	if err != nil {
		return nil, 0, served, err
	}
	counts := versionCounts{metrics: e.Metrics, comparison: c, metric: metric, service: service, matcher: matcher, window: periodsBefore(c.Candidate.Start, c.Candidate.End, scrape)}
	counts.past = pastPeriods(c.Candidate.Start, counts.window.Step)
	signals, err = counts.signals(ctx, margin)
	counts.record(basis)
	if err != nil {
		return nil, 0, served, err
	}
	return signals, counts.window.Step, counts.served(signals[0].Groups), nil
}

// maxPeriods bounds what one verdict fetches of each series.
const maxPeriods = 1000

// periodsBefore are the ends of the periods of a window: the last one is its
// end, and not a full minute, since a bad version should not serve half a
// minute longer for the sake of a grid. The first may begin before the window.
//
// A period has two scrapes at least: of one, it would have none where the next
// has two.
func periodsBefore(start, end time.Time, scrape time.Duration) upstream.Range {
	length := end.Sub(start)
	step := core.StepFor(max(length/maxPeriods, 2*scrape))
	more := max((length-1)/step, 0)
	return upstream.Range{Start: end.Add(-more * step), End: end, Step: step}
}

// versionedMetric is the first metric that knows the candidate, with the
// matchers of the service and of both versions.
func (e Advisor) versionedMetric(ctx context.Context, c traces.Comparison) (metric versioned, service, matcher string, found bool, err error) {
	var names []string
	for _, m := range versionedMetrics {
		names = append(names, m.bucket)
	}
	for _, named := range signals.Matchers(c.Candidate.Service) {
		service = named.String()
		selector := fmt.Sprintf("{__name__=~%q, %s, %s=%q}", strings.Join(names, "|"), service, wellknown.VersionLabel, c.Candidate.Version)
		existing, _, err := e.Metrics.LabelValues(ctx, "__name__", []string{selector}, c.Candidate.Start, c.Candidate.End)
		if err != nil {
			return metric, "", "", false, err
		}
		for _, m := range versionedMetrics {
			if !slices.Contains(existing, m.bucket) || c.Candidate.Operation != "" && m.also == "" {
				continue
			}
			parts := []string{service, fmt.Sprintf("%s=~%q", wellknown.VersionLabel,
				regexp.QuoteMeta(c.Baseline.Version)+"|"+regexp.QuoteMeta(c.Candidate.Version))}
			if m.also != "" {
				parts = append(parts, m.also)
			}
			if c.Candidate.Operation != "" {
				parts = append(parts, "span_name="+strconv.Quote(c.Candidate.Operation))
			}
			return m, service, strings.Join(parts, ", "), true, nil
		}
	}
	return metric, "", "", false, nil
}
