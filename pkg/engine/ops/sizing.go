package ops

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/sizing"
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// SizingAnswer holds every size that a service may need: a recommendation, or
// why there is none.
type SizingAnswer struct {
	core.Provenance
	Service         string
	At              time.Time
	Recommendations []sizing.Recommendation
}

const (
	// sizingLook is the recent past that tells of now: the window of a rule.
	sizingLook = 30 * time.Minute
	// ordinary is how far back tells of ordinary times.
	ordinary = 7 * 24 * time.Hour
	day      = 24 * time.Hour
	// coarse is the step of what changes slowly.
	coarse = 5 * time.Minute
	// freshSizes is how many steps old the newest sample may be.
	freshSizes = 5
	// waiting is the share of requests that may wait longer for a connection.
	waiting = 0.01
	// warmHorizon is how far ahead a cache is looked after, at least.
	warmHorizon = time.Hour
)

// sizes is what is known of a service, to size it.
type sizes struct {
	query.Sizing
	sets     map[string][]series.Series
	demand   sizing.Demand
	capacity stats.Interval
	memory   stats.Interval // the zero value where memory does not grow with the load
	workers  stats.Interval // the same of threads and workers
	files    stats.Interval // the same of file descriptors
	replicas float64        // NaN where not known
	scrape   time.Duration  // of the service's metrics
}

// Sizing answers what a service needs at the end of the window. It looks at the
// same recent past whatever the window's length, so that panels, rules and
// hooks get the same numbers.
func (e Advisor) Sizing(ctx context.Context, q query.Sizing, window core.Window) (SizingAnswer, error) {
	answer := SizingAnswer{Service: q.Service}
	if e.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	answer.At = core.Floor(e.Present(window), core.MinStep)
	from, until := core.Hourly(core.Window{From: answer.At.Add(-sizingLook), To: answer.At})
	presets, err := e.Signals.Presets(ctx, q.Service, from, until)
	if err != nil {
		return answer, err
	}
	known := sizes{Sizing: q, demand: unknownDemand(q), replicas: math.NaN()}
	if known.scrape, err = e.slowestScrape(ctx, q.Service, presets, answer.At); err != nil {
		return answer, err
	}
	if known.sets, err = e.readings(ctx, sizingReadings(q.Service, presets, known.scrape), answer.At, &answer.Provenance); err != nil {
		return answer, err
	}
	if len(presets) == 0 && len(known.sets) == 0 {
		return answer, core.NotFoundErrorf(
			"no metrics of service %q under a well-known name before %s: requests, processors, connection pools and caches were looked for under the labels %s",
			q.Service, core.FormatTime(answer.At), core.List(wellknown.ServiceLabels))
	}
	if traffic := named(presets, signals.Traffic); traffic != nil {
		if err := e.demand(ctx, &known, traffic.Expr(q.Service, core.RateWindow(known.scrape)), answer.At, &answer.Provenance); err != nil {
			return answer, err
		}
	} else {
		answer.AddNotice("No metric counts the requests of " + q.Service + ".")
	}
	known.replicas = known.now("replicas")
	if math.IsNaN(known.replicas) {
		answer.AddNotice("The number of running replicas is unknown: neither kube-state-metrics nor the processes' own metrics name " + q.Service + ".")
	}
	known.capacity = known.perReplica(&answer.Provenance)
	known.memory, known.workers, known.files = known.byShare("memory past"), known.byShare("workers past"), known.byShare("files past")
	warm, err := e.cacheWarm(ctx, known, answer.At, &answer.Provenance)
	if err != nil {
		return answer, err
	}
	answer.Recommendations = slices.Concat([]sizing.Recommendation{known.replicasNeeded()}, known.pools(),
		[]sizing.Recommendation{known.concurrency(), known.breaker().Outliers(), known.breaker().Circuit(), warm, known.shed()})
	return answer, nil
}

func named(presets []signals.BoundPreset, kind string) *signals.BoundPreset {
	i := slices.IndexFunc(presets, func(p signals.BoundPreset) bool { return p.Kind == kind })
	if i < 0 {
		return nil
	}
	return &presets[i]
}

// slowestScrape is the longest scrape interval of a service's metrics.
func (e Advisor) slowestScrape(ctx context.Context, service string, presets []signals.BoundPreset, at time.Time) (time.Duration, error) {
	scrapes, err := e.Signals.ScrapeIntervals(ctx, service, presets, at)
	return slices.Max(append(scrapes, 0)), err
}

// sizingReadings are all that is read beside the forecast, of metrics that are
// scraped so often.
func sizingReadings(service string, presets []signals.BoundPreset, scrape time.Duration) map[string]reading {
	recent := core.RateWindow(scrape)
	coarse := max(coarse, recent)
	queried := map[string]reading{
		"replicas":      {replicasOf(service, recent), sizingLook, core.MinStep},
		"replicas past": {replicasOf(service, recent), ordinary, coarse},
		"use past":      {processorUse.For(service, coarse), ordinary, coarse},
		"memory past":   {memoryUse.For(service, coarse), ordinary, coarse},
		"workers past":  {workersUse.For(service, coarse), ordinary, coarse},
		"files past":    {descriptorsUse.For(service, coarse), ordinary, coarse},
		"used by day":   {poolUsed.For(service, coarse), day, coarse},
		"taken by day":  {poolTaken.For(service, coarse), day, coarse},
		"late by day":   {poolTimeouts.For(service, coarse), day, coarse},
		"pool used":     {poolUsed.For(service, recent), sizingLook, core.MinStep},
		"pool peak":     {poolPeak.For(service, coarse), day, coarse},
		"pool most":     {poolMost.For(service, recent), sizingLook, core.MinStep},
		"pool taken":    {poolTaken.For(service, recent), sizingLook, core.MinStep},
		"pool timeouts": {poolTimeouts.For(service, recent), sizingLook, core.MinStep},
		"hits":          {cacheHits.For(service, coarse), ordinary, coarse},
		"misses":        {cacheMisses.For(service, coarse), ordinary, coarse},
	}
	if p := named(presets, signals.Traffic); p != nil {
		queried["load past"] = reading{p.Expr(service, coarse), ordinary, coarse}
		queried["load by hour"] = reading{p.Expr(service, time.Hour), ordinary, time.Hour}
	}
	if p := named(presets, signals.Errors); p != nil {
		queried["errors by hour"] = reading{p.Expr(service, time.Hour), ordinary, time.Hour}
	}
	if p := named(presets, signals.Latency); p != nil && !p.Custom {
		queried["slow past"] = reading{p.At(0.99).Expr(service, coarse), day, coarse}
	}
	return queried
}

func unknownDemand(q query.Sizing) sizing.Demand {
	nan := math.NaN()
	return sizing.Demand{Now: nan, Expected: nan, Peak: nan, Lead: time.Duration(q.Lead), Quantile: q.Quantile}
}

// demand forecasts the load up to the lead.
func (e Advisor) demand(ctx context.Context, known *sizes, expr string, at time.Time, basis *core.Provenance) error {
	course, err := e.course(ctx, known.Sizing, expr, time.Duration(known.Lead), at, basis)
	if err != nil || len(course.upper) == 0 {
		return err
	}
	known.demand.Now, known.demand.Expected, known.demand.Peak = course.now, slices.Max(course.mean), slices.Max(course.upper)
	if past := known.only("load past"); past.Len() > 0 {
		for _, v := range past.Between(at.Add(-day), at.Add(coarse)).Values {
			known.demand.Seen = math.Max(known.demand.Seen, core.Count(v))
		}
	}
	return nil
}

// course is a forecast: the present, what is expected, and the quantile.
type course struct {
	now         float64
	mean, upper []float64
}

// course is empty where there is no forecast that can be trusted; a notice says
// why.
func (e Advisor) course(ctx context.Context, q query.Sizing, expr string, horizon time.Duration, at time.Time, basis *core.Provenance) (course, error) {
	pointwise := sizing.PointwiseQuantile(q.Quantile, int(horizon/core.MinStep))
	queried := query.Forecast{Expr: expr, Horizon: query.Duration(horizon), History: q.History, Probability: 2*pointwise - 1}.WithDefaults()
	found, err := e.Evaluator.Forecast(ctx, queried, core.Window{From: at.Add(-sizingLook), To: at, Step: core.MinStep})
	if err != nil {
		return course{}, err
	}
	basis.Queries = append(basis.Queries, found.Queries...)
	basis.AddNotice(found.Notices...)
	if len(found.Series) != 1 {
		basis.AddNotice(fmt.Sprintf("The load is %d series, where one is needed.", len(found.Series)))
		return course{}, nil
	}
	one := found.Series[0]
	now := latest(one.Actual)
	switch {
	case one.Problem != "":
		basis.AddNotice("The load could not be forecast: " + one.Problem)
	case math.IsNaN(now):
		basis.AddNotice(fmt.Sprintf("The load has no sample in the %d minutes before %s.", freshSizes, core.FormatTime(at)))
	case len(one.Forecast.Mean) > 0 && len(one.Forecast.Intervals) > 0:
		basis.AddNotice(one.Forecast.Notices...)
		basis.SetParameter("forecast model", one.Forecast.Model)
		upper := one.Forecast.Intervals[0].Upper
		if q.Quantile == 0.5 {
			upper = one.Forecast.Mean
		}
		return course{now, one.Forecast.Mean, upper}, nil
	}
	return course{}, nil
}

// latest is the newest of the last few values, NaN where there is none.
func latest(s series.Series) float64 {
	for i := s.Len() - 1; i >= max(0, s.Len()-freshSizes); i-- {
		if !math.IsNaN(s.Values[i]) {
			return s.Values[i]
		}
	}
	return math.NaN()
}

// only is the first series of a reading, or an empty one.
func (k sizes) only(name string) series.Series {
	if found := k.sets[name]; len(found) > 0 {
		return found[0]
	}
	return series.Series{Step: core.MinStep}
}

func (k sizes) now(name string) float64 { return latest(k.only(name)) }
