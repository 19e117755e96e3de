package ops

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/rollout"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// RolloutAnswer is the schedule of a rollout with what it rests on.
type RolloutAnswer struct {
	core.Provenance
	Service string
	At      time.Time
	// Signal is what the bad version is found by, Bad the share of requests that go
	// wrong by it now, and Ratio how many times as many would.
	Signal     string
	Bad, Ratio float64
	// Rate is the forecast of requests per second at the begin.
	Rate       float64
	Dispersion float64
	// Pods serve now; 0 where metrics do not distinguish them.
	Pods int
	Plan rollout.Plan
	// Even is the plan for an engine with one pause for all weights; without steps
	// where there is none.
	Even rollout.Plan
}

// verdictSignals share the error of a verdict: errors, and the limits of
// countedQuantiles.
var verdictSignals = 1 + len(countedQuantiles)

// Rollout answers how fast a new version can be rolled out from the end of the
// window on.
func (e Advisor) Rollout(ctx context.Context, q query.Rollout, window core.Window) (RolloutAnswer, error) {
	answer := RolloutAnswer{Service: q.Service}
	if e.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	answer.At = core.Floor(e.Present(window), core.MinStep)
	counts, err := e.servingCounts(ctx, q.Service, answer.At)
	if err != nil {
		return answer, err
	}
	service, err := counts.before(ctx, q, &answer)
	counts.record(&answer.Provenance)
	if err != nil {
		return answer, err
	}
	if err := e.expectRequests(ctx, q, counts, &service, &answer); err != nil {
		return answer, err
	}
	promise := rollout.Promise{
		Ratio: answer.Ratio, Probability: q.Probability, MaxHarmed: q.MaxHarmed, From: q.From, MaxWeight: q.MaxWeight,
		MinPause: time.Duration(q.MinPause), MaxDuration: time.Duration(q.MaxDuration),
	}
	if answer.Plan = rollout.Make(service, promise); answer.Plan.Kept() {
		answer.Even = rollout.MakeEven(service, promise)
	}
	return answer, ctx.Err()
}

// servingCounts are the counts of the version that serves a service: the one with
// the most requests.
func (e Advisor) servingCounts(ctx context.Context, service string, at time.Time) (*versionCounts, error) {
	var names []string
	for _, m := range versionedMetrics {
		names = append(names, m.count)
	}
	from := core.Floor(at.Add(-time.Hour), time.Hour)
	for _, named := range signals.Matchers(service) {
		selector := fmt.Sprintf("{__name__=~%q, %s}", strings.Join(names, "|"), named)
		existing, _, err := e.Metrics.LabelValues(ctx, "__name__", []string{selector}, from, at)
		if err != nil {
			return nil, err
		}
		for _, m := range versionedMetrics {
			if !slices.Contains(existing, m.count) {
				continue
			}
			matchers := named.String()
			if m.also != "" {
				matchers += ", " + m.also
			}
			scrape, err := e.ScrapeInterval(ctx, m.count+"{"+matchers+"}", at)
			if err != nil {
				return nil, err
			}
			counts := &versionCounts{metrics: e.Metrics, metric: m, service: named.String(), matcher: matchers, past: pastPeriods(at, core.StepFor(max(core.MinStep, 2*scrape)))}
			counts.window = upstream.Range{Start: counts.past.End, End: counts.past.End, Step: counts.past.Step}
			counts.comparison = traces.Comparison{Baseline: upstream.TraceFilter{Service: service}}
			found, err := counts.sum(ctx, m.count, []string{matchers}, []string{"service_version"}, counts.past)
			if err != nil {
				return nil, err
			}
			most := 0.0
			for _, s := range found {
				if served := total(s); served > most {
					most, counts.comparison.Baseline.Version = served, s.Labels["service_version"]
				}
			}
			if most > 0 {
				return counts, nil
			}
		}
	}
	return nil, core.NotFoundErrorf("no requests of service %q are counted before %s under a name that verdicts know: %s",
		service, core.FormatTime(at), strings.Join(names, ", "))
}

func total(s series.Series) (sum float64) {
	for _, v := range s.Values {
		sum += core.Count(v)
	}
	return sum
}

// before is what the counts of the past tell of a service: of its errors, or of the
// limit of latency by which a slowdown is found soonest.
func (v *versionCounts) before(ctx context.Context, q query.Rollout, answer *RolloutAnswer) (rollout.Service, error) {
	units := slices.Concat([]string{"service_version"}, signals.PodLabels, zoneLabels)
	service := rollout.Service{Period: v.past.Step, Signals: verdictSignals}
	if v.comparison.Baseline.Version == "" {
		answer.AddNotice("The metric " + v.metric.count + " has no label " + wellknown.VersionLabel + ": verdicts over the rollout need it.")
	}
	counted, err := v.parts(ctx, v.metric.count, []string{v.baselineOnly()}, units, v.past)
	if err != nil {
		return service, err
	}
	var groups []canary.Group
	if q.Slowdown > 0 {
		limit, ratio, err := v.slowed(ctx, q.Slowdown)
		if err != nil {
			return service, err
		}
		timed, err := v.parts(ctx, v.metric.bucket, []string{v.baselineOnly(), matchLimits([]bucketLimit{limit})}, append([]string{"le"}, units...), v.past)
		if err != nil {
			return service, err
		}
		groups = v.groups(timed, timed, "+Inf", limit.text, true)
		answer.Ratio = ratio
		service.Signal = canary.Signal{
			Name:   fmt.Sprintf("share of requests over %s %s", limit.text, v.metric.unit),
			Margin: max(minSlowMargin, acceptableSlow*limit.beyond), Starting: startingSlow,
			Start: canary.SlowStart(limit.beyond, v.past.Step), Spread: canary.SlowSpread(limit.beyond),
		}
	} else {
		failed, err := v.parts(ctx, v.metric.count, []string{v.baselineOnly(), v.metric.failed}, units, v.past)
		if err != nil {
			return service, err
		}
		groups = v.groups(counted, failed, "", "", false)
		answer.Ratio, service.Signal = q.Ratio, canary.Signal{Name: "errors", Margin: q.Margin}
	}
	service.Signal.Noise = canary.Learn(groups)
	var all canary.Tally
	serving := map[string]bool{}
	for _, g := range groups {
		for i, t := range g.Periods {
			all.Bad, all.Requests = all.Bad+t.Bad, all.Requests+t.Requests
			if t.Requests > 0 && i >= len(g.Periods)-freshSizes && g.Pod != "" {
				serving[g.Pod] = true
			}
		}
	}
	if all.Requests <= 0 {
		return service, core.NotFoundErrorf("service %q served no requests in the %s before %s", q.Service, query.Duration(v.past.End.Sub(v.past.Start)), core.FormatTime(v.past.End))
	}
	if all.Bad == 0 {
		answer.AddNotice(fmt.Sprintf("None of %.0f requests went wrong: half a request is taken for their number.", all.Requests))
		all.Bad = 0.5
	}
	service.Bad, service.Pods = all.Rate(), len(serving)
	if service.Pods == 0 {
		answer.AddNotice("The metrics do not distinguish pods: a verdict needs more evidence, since one pod may be bad.")
	}
	service.Requests = []float64{all.Requests / float64(v.past.Points())}
	answer.Signal, answer.Bad, answer.Pods, answer.Dispersion = service.Signal.Name, service.Bad, service.Pods, service.Signal.Noise.Dispersion()
	return service, nil
}

// slowed is the limit by which a slowdown is found soonest, and how many times as
// many requests would be beyond it.
func (v *versionCounts) slowed(ctx context.Context, slowdown float64) (best bucketLimit, ratio float64, err error) {
	length := v.past.End.Sub(v.past.Start) + v.past.Step
	promQL := fmt.Sprintf("sum by (le) (increase(%s{%s, %s}[%ds]))", v.metric.bucket, v.matcher, v.baselineOnly(), int(length.Seconds()))
	set, err := v.metrics.QueryRange(ctx, promQL, upstream.Range{Start: v.past.End, End: v.past.End, Step: time.Minute})
	if err != nil {
		return best, 0, err
	}
	v.queries = append(v.queries, fmt.Sprintf("%s [at %s]", promQL, core.FormatTime(v.past.End)))
	most := 0.0
	for _, limit := range quantileLimits(set.Series) {
		at, err := strconv.ParseFloat(limit.text, 64)
		if err != nil || !(limit.beyond > 0) {
			continue
		}
		times := beyond(set.Series, at/slowdown) / limit.beyond
		if math.Log(times) < pastSpreads*canary.SlowSpread(limit.beyond) {
			continue // pods of one version differ by as much
		}
		// The information in a request (Kullback and Leibler).
		if information := limit.beyond * (times*math.Log(times) - times + 1); information > most {
			most, best, ratio = information, limit, times
		}
	}
	if most == 0 {
		return best, 0, core.UserErrorf("a slowdown by %.3g moves no bucket of %s far enough for a verdict: look for a larger slowdown, or record finer buckets", slowdown, v.metric.bucket)
	}
	return best, ratio, nil
}

// pastSpreads is by how many deviations of pods a slowdown must stand out.
const pastSpreads = 4

// beyond is the share of requests that take longer than a time, by straight lines
// between the buckets' limits, as in histogram_quantile.
func beyond(buckets []series.Series, limit float64) float64 {
	type point struct{ limit, count float64 }
	points := []point{{0, 0}}
	for _, s := range buckets {
		if le, err := strconv.ParseFloat(s.Labels["le"], 64); err == nil && len(s.Values) > 0 {
			points = append(points, point{le, core.Count(s.Values[len(s.Values)-1])})
		}
	}
	slices.SortFunc(points, func(a, b point) int { return int(math.Copysign(1, a.limit-b.limit)) })
	all := points[len(points)-1].count
	for i := 1; i < len(points); i++ {
		from, to := points[i-1], points[i]
		if limit > to.limit {
			continue
		}
		below := from.count
		if !math.IsInf(to.limit, 1) {
			below += (to.count - from.count) * (limit - from.limit) / (to.limit - from.limit)
		}
		return 1 - below/all
	}
	return 0
}

// expectRequests forecasts the requests of each period of the rollout; where there
// is no forecast, they stay as in the past.
func (e Advisor) expectRequests(ctx context.Context, q query.Rollout, counts *versionCounts, service *rollout.Service, answer *RolloutAnswer) error {
	horizon := time.Duration(q.MaxDuration)
	step := core.StepFor(max(service.Period, horizon/360))
	expr := fmt.Sprintf("sum(rate(%s{%s}[%ds]))", counts.metric.count, counts.matcher, int(max(step, 4*service.Period).Seconds()))
	asked := query.Forecast{Expr: expr, Horizon: query.Duration(horizon), History: q.History, Step: query.Duration(step)}.WithDefaults()
	found, err := e.Evaluator.Forecast(ctx, asked, core.Window{From: answer.At.Add(-10 * step), To: answer.At, Step: step})
	if err != nil {
		return err
	}
	answer.Queries = append(answer.Queries, found.Queries...)
	answer.AddNotice(found.Notices...)
	if len(found.Series) == 1 && found.Series[0].Problem == "" {
		var expected []float64
		for _, rate := range found.Series[0].Forecast.Mean {
			for range int(step / service.Period) {
				expected = append(expected, max(0, rate)*service.Period.Seconds())
			}
		}
		if len(expected) > 0 {
			service.Requests = expected
			answer.SetParameter("forecast model", found.Series[0].Forecast.Model)
		}
	} else {
		answer.AddNotice("The traffic could not be forecast: the schedule takes it to stay as it was in the hours before.")
	}
	answer.Rate = service.Requests[0] / service.Period.Seconds()
	return nil
}
