package ops

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

const (
	// unusualPast is how far back a service's requests are compared.
	unusualPast, unusualStep = time.Hour, 5 * time.Minute
	// unusualErrors is a rise in the share of errors that is unusual of a service,
	// and nearSilence the part of its requests below which it has fallen silent.
	unusualErrors, nearSilence = 0.05, 0.1
	// minUnusual is how many steps of the past it takes to compare.
	minUnusual = 4
)

// unusualMetrics count requests and failed ones by service, the first that there
// are.
var unusualMetrics = requestsByService()

type serviceRequests struct{ label, requests, failed string }

func requestsByService() (all []serviceRequests) {
	http := wellknown.Served[0]
	for _, label := range []string{wellknown.ServiceLabels[0], "job"} { // OpenTelemetry's targets have the job alone
		all = append(all, serviceRequests{label, http.Count(), http.Count() + "{" + http.Failed + "}"})
	}
	for _, m := range wellknown.SpanCalls() {
		all = append(all, serviceRequests{
			m.Label, m.Calls + "{" + wellknown.ServedSpans + "}", m.Calls + "{" + wellknown.ServedSpans + ", " + wellknown.FailedSpans + "}",
		})
	}
	return all
}

// unusualServices counts the services that fell silent or fail far more than an
// hour ago: many at once point to telemetry, or to something that all share.
// Latencies do not count, since the callers of one slow service are slow with it.
func (e Advisor) unusualServices(ctx context.Context, window core.Window) (known, unusual int) {
	if e.Metrics == nil {
		return 0, 0
	}
	to := window.To
	if to.After(e.Now()) {
		to = e.Now()
	}
	to = core.Floor(to, core.MinStep)
	grid := upstream.Range{Start: to.Add(-unusualPast), End: to, Step: unusualStep}
	for _, m := range unusualMetrics {
		scrape, err := e.ScrapeInterval(ctx, m.requests, to)
		if err != nil {
			return 0, 0
		}
		rate := int(core.RateWindow(scrape).Seconds())
		requests, err := e.Metrics.QueryRange(ctx, fmt.Sprintf("sum by (%s) (rate(%s[%ds]))", m.label, m.requests, rate), grid)
		if err != nil {
			return 0, 0
		}
		if len(requests.Series) == 0 {
			continue
		}
		failed, err := e.Metrics.QueryRange(ctx, fmt.Sprintf("sum by (%s) (rate(%s[%ds]))", m.label, m.failed, rate), grid)
		if err != nil {
			return 0, 0
		}
		if known, unusual = countUnusual(m.label, requests.Series, failed.Series); known > 0 {
			return known, unusual
		}
	}
	return 0, 0
}

func countUnusual(label string, requests, failed []series.Series) (known, unusual int) {
	byService := map[string][]float64{}
	for _, one := range failed {
		byService[one.Labels[label]] = one.Values
	}
	for _, one := range requests {
		var rates, shares []float64
		bad := byService[one.Labels[label]]
		share := func(i int) float64 {
			if i < len(bad) && bad[i] > 0 && one.Values[i] > 0 {
				return bad[i] / one.Values[i]
			}
			return 0
		}
		last := one.Len() - 1
		for i := range last {
			if one.Values[i] > 0 {
				rates, shares = append(rates, one.Values[i]), append(shares, share(i))
			}
		}
		if one.Labels[label] == "" || len(rates) < minUnusual {
			continue
		}
		known++
		silent := !(one.Values[last] >= nearSilence*stats.MedianOf(rates))
		if silent || share(last)-stats.MedianOf(shares) > unusualErrors {
			unusual++
		}
	}
	return known, unusual
}

// unusualTraffic is the fact that a service is asked far more than is expected
// of the hour; none where it is not, or has no traffic metric.
func (e Advisor) unusualTraffic(ctx context.Context, service string, window core.Window) ([]playbook.Fact, error) {
	if e.Metrics == nil {
		return nil, nil
	}
	signal, err := e.Signals.Signal(ctx, service, signals.Traffic, window)
	var notFound *core.NotFoundError
	if errors.As(err, &notFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found, err := e.Evaluator.Anomaly(ctx, query.Anomaly{Expr: signal.Expr, Direction: string(anomaly.Above), Step: query.Duration(core.MinStep)}.WithDefaults(), window)
	if err != nil {
		return nil, err
	}
	var facts []playbook.Fact
	for _, one := range found.Series {
		r := one.Result
		for i := len(r.Score) - 1; i >= 0; i-- {
			if math.IsNaN(r.Score[i]) {
				continue // the newest minutes may not be scraped yet
			}
			if r.Score[i] >= query.DefaultThreshold && r.Actual.Values[i] > r.Expected[i] {
				facts = append(facts, playbook.Fact{
					Kind: playbook.UnusualTraffic, Service: service, At: r.Actual.Time(i), Strength: r.Score[i] / 100,
					Text: fmt.Sprintf("%.3g requests per second, where at most %.3g are usual at this time (score %.0f).", r.Actual.Values[i], r.Upper[i], r.Score[i]),
				})
			}
			break
		}
	}
	return facts, nil
}
