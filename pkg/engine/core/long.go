package core

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// longPart is how much of a long history one query asks for.
const longPart = 7 * 24 * time.Hour

// Cost is what a long history takes of its server.
type Cost struct {
	Expr           string // with its intervals filled in
	Series, Points int    // points of all series together
	Queries        int
	From, To       time.Time
	Step           time.Duration
	MaxPoints      int
}

// Long is the history of many evaluations of one expression, as one evaluation's
// grid asks for it, from the first one's start to the last one's end.
type Long struct {
	Expr     string
	Filters  []query.Filter
	Grid     Grid // of one evaluation: macros are filled in from it
	From, To time.Time
}

// Cost tells what a long history takes, before any of it is fetched. The number of
// series is counted at several instants, and the highest one counts. The error
// says how to ask for less where it is more than one query may hold.
func (e Sources) Cost(ctx context.Context, l Long) (Cost, error) {
	if e.Metrics == nil {
		return Cost{}, ErrNoMetrics
	}
	promQL, err := e.Filled(ctx, l.Expr, l.Filters, l.Grid)
	if err != nil {
		return Cost{}, err
	}
	points := int(l.To.Sub(l.From)/l.Grid.Step) + 1
	cost := Cost{Expr: promQL, From: l.From, To: l.To, Step: l.Grid.Step, MaxPoints: maxQueryPoints, Queries: len(l.parts())}
	const looks = 4
	for i := range looks + 1 {
		g := l.Grid
		g.To = l.From.Add(l.To.Sub(l.From) * time.Duration(i) / looks)
		cost.Series = max(cost.Series, e.countSeries(ctx, promQL, g))
	}
	cost.Points = cost.Series * points
	if cost.Points > maxQueryPoints {
		return cost, UserErrorf("expr: the replay would read %d series of %d points each, %.3g million together, and one may hold %.3g million: aggregate the expr, as in sum by (instance) (...), shorten past, or set a step in the query",
			cost.Series, points, float64(cost.Points)/1e6, float64(maxQueryPoints)/1e6)
	}
	return cost, nil
}

// parts are the queries of a long history.
func (l Long) parts() (parts []upstream.Range) {
	step := l.Grid.Step
	length := max(Floor(time.Unix(0, 0).Add(longPart), step).Sub(time.Unix(0, 0)), step)
	for at := l.From; !at.After(l.To); at = at.Add(length) {
		end := at.Add(length - step)
		if end.After(l.To) {
			end = l.To
		}
		parts = append(parts, upstream.Range{Start: at, End: end, Step: step})
	}
	return parts
}

// LongHistory fetches a long history, part by part: each within the store's
// limits, and none after the asker has gone. All series lie on one grid, ordered by
// labels.
func (e Sources) LongHistory(ctx context.Context, l Long, cost Cost, basis *Provenance, done func(share float64)) ([]series.Series, error) {
	points := int(l.To.Sub(l.From)/l.Grid.Step) + 1
	byLabels := map[string]*series.Series{}
	parts := l.parts()
	for i, part := range parts {
		set, err := e.Metrics.QueryRange(ctx, cost.Expr, part)
		if err != nil {
			return nil, err
		}
		basis.AddNotice(set.Warnings...)
		for _, one := range set.Series {
			key := one.Labels.String()
			whole := byLabels[key]
			if whole == nil {
				// What was counted were the series of a few instants.
				if (len(byLabels)+1)*points > 2*maxQueryPoints {
					return nil, UserErrorf("expr: more than %d series came and went between %s and %s; a replay holds no more: aggregate the expr, as in sum by (instance) (...), or shorten past",
						len(byLabels), FormatTime(l.From), FormatTime(l.To))
				}
				whole = &series.Series{Labels: one.Labels, Start: l.From, Step: l.Grid.Step, Values: series.Missing(points)}
				byLabels[key] = whole
			}
			lay(whole, one)
		}
		if done != nil {
			done(float64(i+1) / float64(len(parts)))
		}
	}
	basis.AddQuery("%s [%s to %s, step %s, in %d parts]", cost.Expr, FormatTime(l.From), FormatTime(l.To), l.Grid.Step, len(parts))
	if len(byLabels) == 0 {
		basis.AddNotice(fmt.Sprintf("The query returned no series between %s and %s.", FormatTime(l.From), FormatTime(l.To)))
	}
	all := make([]series.Series, 0, len(byLabels))
	for _, key := range slices.Sorted(maps.Keys(byLabels)) {
		all = append(all, *byLabels[key])
	}
	return all, nil
}

// lay puts a part of a series on its grid.
func lay(whole *series.Series, part series.Series) {
	offset := whole.Index(part.Start)
	for i, value := range part.Values {
		if at := offset + i; at >= 0 && at < len(whole.Values) && !math.IsInf(value, 0) {
			whole.Values[at] = value
		}
	}
}
