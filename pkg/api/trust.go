package api

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/series"
)

const (
	// freshPoints is how many points back the newest sample may lie, as in rules.
	freshPoints = 5
	// longestSilence is how far back the age of a sample is looked for.
	longestSilence = time.Hour
)

// subject is the metric that a question is about.
func (h *Hooks) subject(ctx context.Context, q question, t time.Time) (NamedSeries, error) {
	if name, ok := q.labels["series"]; ok {
		var known []string
		for _, s := range h.settings.Series {
			if s.Name == name {
				return s, nil
			}
			known = append(known, s.Name)
		}
		return NamedSeries{}, noTrust("the series %.60q is not in the data source's settings (series); there are: %s", name, listed(known))
	}
	kind := q.labels["signal"]
	if kind == "" {
		kind = "traffic"
	}
	found, err := h.engine.Signal(ctx, q.labels["service"], kind, at(t))
	return NamedSeries{Expr: found.Expr, Direction: string(found.Direction), MinDeviation: found.MinDeviation}, err
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// each works out an answer anew at each instant and joins the points of equal
// labels. Over a range, instants without an answer are gaps.
func (h *Hooks) each(ctx context.Context, q question, s span, work func(NamedSeries, time.Time) ([]row, error)) ([]row, error) {
	instants, err := s.instants()
	if err != nil {
		return nil, err
	}
	subject, err := h.subject(ctx, q, s.to)
	if err != nil {
		return nil, err
	}
	var joined []row
	place := map[string]int{}
	var failed error
	for _, t := range instants {
		rows, err := work(subject, t)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			failed = err
			continue
		}
		for _, r := range rows {
			key := series.Labels(r.labels).String()
			i, known := place[key]
			if !known {
				place[key] = len(joined)
				joined = append(joined, r)
				continue
			}
			joined[i].points = append(joined[i].points, r.points...)
			joined[i].warnings = r.warnings
		}
	}
	if len(joined) == 0 && failed != nil {
		return nil, failed
	}
	return joined, nil
}

// silent collects the series that have ended, as those of old pods do: without
// a sample in the whole window. One that fell silent inside it may be a scrape
// that fails, and is not to be trusted.
type silent struct{ ended []string }

// check refuses a series that cannot be trusted, and tells whether it has ended
// and is to be left out.
func (g *silent) check(labels series.Labels, actual series.Series, t time.Time, problem string) (ended bool, err error) {
	last, ok := lastObserved(actual)
	switch {
	case !ok:
		g.ended = append(g.ended, labels.String())
		return true, nil
	case t.Sub(last) > freshPoints*actual.Step:
		return false, noTrust("%s has no sample since %s: what it is now is not known", labels, last.UTC().Format(time.RFC3339))
	case problem != "":
		return false, noTrust("%s: %s", labels, problem)
	}
	return false, nil
}

// judge refuses an answer in which no series is left.
func (g *silent) judge(rows []row, basis engine.Basis) ([]row, error) {
	if len(rows) == 0 {
		return nil, noTrust("there are no recent samples: %s", because(basis.Notices))
	}
	if len(g.ended) > 0 {
		rows[0].warnings = append(rows[0].warnings, fmt.Sprintf("left out, without samples in the last %s: %s", lookBack, strings.Join(g.ended, ", ")))
	}
	return rows, nil
}

func because(notices []string) string {
	if len(notices) == 0 {
		return "the reason is not known"
	}
	return strings.Join(notices, " ")
}

func lastObserved(s series.Series) (time.Time, bool) {
	for i := s.Len() - 1; i >= 0; i-- {
		if !math.IsNaN(s.Values[i]) {
			return s.Time(i), true
		}
	}
	return time.Time{}, false
}

func newest(s series.Series) string {
	last, _ := lastObserved(s)
	return last.UTC().Format(time.RFC3339)
}
