package core

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// RawSeries is one series as it came, in parts that are shared with the memory of
// answers. It is laid on the grid only when its turn to be computed comes, so
// that questions that wait hold little.
type RawSeries struct {
	labels series.Labels
	grid   Grid
	parts  []series.Series
}

// ruleFactor is how many times more series a rule may have than a panel shows.
// They are evaluated in turn, and none is left out.
const ruleFactor = 5

// History fetches a metric over the whole grid, ordered by labels: at most
// MaxSeries series or, where the window must be complete, all of them.
func (e Sources) History(ctx context.Context, promQL string, g Grid, basis *Provenance) ([]RawSeries, error) {
	if e.Metrics == nil {
		return nil, ErrNoMetrics
	}
	if g.Requested > 0 && g.Step > g.Requested {
		basis.AddNotice(fmt.Sprintf("The step is %s: one of %s would take more than %d points of history and range. Ask for less history or a shorter range.", g.Step, g.Requested, maxPoints))
	}
	promQL, err := e.fill(ctx, promQL, g)
	if err != nil {
		return nil, err
	}
	parts := g.parts()
	sets := make([]upstream.SeriesSet, len(parts))
	group, groupContext := parallel.WithContext(ctx)
	for i, part := range parts {
		group.Go(func() (err error) {
			sets[i], err = e.Metrics.QueryRange(groupContext, promQL, part)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	basis.AddQuery("%s [%s to %s, step %s]", promQL, FormatTime(g.Start), FormatTime(g.To), g.Step)
	for _, set := range sets {
		basis.AddNotice(set.Warnings...)
	}
	joined := join(sets, g)
	if len(joined) == 0 {
		basis.AddNotice(fmt.Sprintf("The query returned no series between %s and %s.", FormatTime(g.Start), FormatTime(g.To)))
	}
	if err := e.checkRule(len(joined), g); err != nil {
		return nil, err
	}
	if limit := e.Limits.MaxSeries; limit > 0 && len(joined) > limit && !g.Complete {
		basis.AddNotice(fmt.Sprintf("Only the first %d of %d series are shown; narrow the query, or raise limits.maxSeries.", limit, len(joined)))
		joined = joined[:limit]
	}
	return joined, nil
}

// join brings the parts of each series together.
func join(sets []upstream.SeriesSet, g Grid) []RawSeries {
	byLabels := map[string]*RawSeries{}
	for _, set := range sets {
		for _, part := range set.Series {
			key := part.Labels.String()
			if byLabels[key] == nil {
				byLabels[key] = &RawSeries{labels: part.Labels, grid: g}
			}
			byLabels[key].parts = append(byLabels[key].parts, part)
		}
	}
	joined := make([]RawSeries, 0, len(byLabels))
	for _, key := range slices.Sorted(maps.Keys(byLabels)) {
		joined = append(joined, *byLabels[key])
	}
	return joined
}

// Align is the series on the whole grid; what no part has stays missing.
func (f RawSeries) Align() series.Series {
	whole := series.Series{Labels: f.labels, Start: f.grid.Start, Step: f.grid.Step, Values: series.Missing(f.grid.points())}
	for _, part := range f.parts {
		lay(&whole, part)
	}
	return whole
}

// AlignAll are all of them.
func AlignAll(found []RawSeries) []series.Series {
	all := make([]series.Series, len(found))
	for i, one := range found {
		all[i] = one.Align()
	}
	return all
}

// RecentAnswer holds the observations of a window, without history.
type RecentAnswer struct {
	Provenance
	Series []series.Series
}

// Recent answers with a metric as it was observed inside the window.
func (e Sources) Recent(ctx context.Context, expr string, window Window) (RecentAnswer, error) {
	answer := RecentAnswer{}
	window, err := e.WithScrape(ctx, window, 0, expr)
	if err != nil {
		return answer, err
	}
	found, err := e.History(ctx, expr, NewGrid(window, 0, 0, e.Now()), &answer.Provenance)
	answer.Series = AlignAll(found)
	return answer, err
}
