package core

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// maxQueryPoints is how many points all series of one query may have together:
	// what an upstream's answer of 32 MiB is laid on.
	maxQueryPoints = 8 << 20
	// maxCoarseStep is the longest step that a query's step is raised to for the
	// number of its series.
	maxCoarseStep = time.Hour
)

// countSeries is how many series an expression has at the end of a grid, counted
// by the server. It is 0 where that cannot be learned: the query itself then tells
// why.
func (e Sources) countSeries(ctx context.Context, promQL string, g Grid) int {
	at := Floor(g.To, scrapeGrid) // so that the count is cached
	set, err := e.Metrics.QueryRange(ctx, fmt.Sprintf("count(%s\n)", promQL), upstream.Range{Start: at, End: at, Step: scrapeGrid})
	if err != nil || len(set.Series) != 1 || len(set.Series[0].Labels) > 0 || len(set.Series[0].Values) == 0 {
		return 0
	}
	if count := set.Series[0].Values[0]; count > 0 && count < math.MaxInt32 {
		return int(count)
	}
	return 0
}

// plan refuses a query that cannot be answered before any of it is fetched.
func (e Sources) plan(ctx context.Context, promQL string, g Grid) error {
	if e.Metrics == nil || e.Limits.MaxSeries <= 0 {
		return nil
	}
	count := e.countSeries(ctx, promQL, g)
	if err := e.checkRule(count, g); err != nil {
		return err
	}
	points := count * g.points()
	if points <= maxQueryPoints {
		return nil
	}
	advice := fmt.Sprintf("aggregate it, as in sum by (instance) (...), or select at most %d series", max(maxQueryPoints/g.points(), 1))
	for _, step := range steps {
		if step > g.Step && step <= maxCoarseStep && points/int(step/g.Step) < maxQueryPoints {
			advice = fmt.Sprintf("%s, or set a step of %s", advice, short(step))
			break
		}
	}
	return UserErrorf("expr: the query has %d series of %d points each with their history, %.3g million together, and one query may hold %.3g million: %s. A recording rule of the aggregated expression makes it cheap for the server, too",
		count, g.points(), float64(points)/1e6, float64(maxQueryPoints)/1e6, advice)
}

// checkRule refuses a rule of more series than are evaluated.
func (e Sources) checkRule(count int, g Grid) error {
	if limit := e.Limits.MaxSeries; limit > 0 && g.Complete && count > ruleFactor*limit {
		return UserErrorf("expr: the query returned %d series, and a rule evaluates at most %d: aggregate it, as in sum by (instance) (...), split the rule, or raise limits.maxSeries", count, ruleFactor*limit)
	}
	return nil
}

// CoarseGrid is NewGrid with a step raised until all series of an expression fit
// into one query, where the query leaves the step open.
func (e Sources) CoarseGrid(ctx context.Context, expr string, filters []query.Filter, window Window, history, wanted time.Duration, basis *Provenance) Grid {
	g := NewGrid(window, history, wanted, e.Now())
	if wanted > 0 || e.Metrics == nil || e.Limits.MaxSeries <= 0 {
		return g
	}
	promQL, err := e.fill(ctx, expr, g)
	if err == nil {
		promQL, err = filtered(promQL, filters)
	}
	if err != nil {
		return g // the query itself will say
	}
	count := e.countSeries(ctx, promQL, g)
	if count*g.points() <= maxQueryPoints {
		return g
	}
	for _, step := range steps {
		if step <= g.Step || step > maxCoarseStep {
			continue
		}
		window.Step = step
		if coarse := NewGrid(window, history, 0, e.Now()); count*coarse.points() <= maxQueryPoints {
			basis.AddNotice(fmt.Sprintf("The step is %s: %d series with a step of %s would be more than %.3g million points. Aggregate, or ask for less history, for a finer one.", short(coarse.Step), count, short(g.Step), float64(maxQueryPoints)/1e6))
			return coarse
		}
	}
	return g
}

// short is a duration without zero seconds and minutes.
func short(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
