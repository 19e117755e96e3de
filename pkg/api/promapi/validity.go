package promapi

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/series"
)

// freshPoints is how many points back the newest sample may lie, as in rules.
const freshPoints = 5

// subject is the series that a selector is about.
func (a *API) subject(ctx context.Context, s selector, t time.Time) (NamedSeries, error) {
	if name, ok := s.labels["series"]; ok {
		var names []string
		for _, configured := range a.Series {
			if configured.Name == name {
				return configured, nil
			}
			names = append(names, configured.Name)
		}
		list := strings.Join(names, ", ")
		if list == "" {
			list = "none"
		}
		return NamedSeries{}, fmt.Errorf("the series %.60q is not in the data source's settings (series); there are: %s", name, list)
	}
	kind := s.labels["signal"]
	if kind == "" {
		kind = "traffic"
	}
	signal, err := a.Engine.Signal(ctx, s.labels["service"], kind, windowAt(t))
	return NamedSeries{Expr: signal.Expr, Direction: string(signal.Direction), MinDeviation: signal.MinDeviation}, err
}

// perStretch computes a result for the instants of each stretch, from what is
// known at its first, and joins the points of equal labels. Over a range,
// instants without a result are gaps.
func (a *API) perStretch(ctx context.Context, s selector, r timeRange, compute func(NamedSeries, []time.Time) ([]timeSeries, error)) ([]timeSeries, error) {
	stretches, err := r.stretches()
	if err != nil {
		return nil, err
	}
	subject, err := a.subject(ctx, s, r.to)
	if err != nil {
		return nil, err
	}
	var joined []timeSeries
	index := map[string]int{}
	var failure error
	for _, instants := range stretches {
		rows, err := compute(subject, instants)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			failure = err
			continue
		}
		for _, row := range rows {
			key := series.Labels(row.labels).String()
			i, seen := index[key]
			if !seen {
				index[key] = len(joined)
				joined = append(joined, row)
				continue
			}
			joined[i].points = append(joined[i].points, row.points...)
			joined[i].warnings = row.warnings
		}
	}
	if len(joined) == 0 && failure != nil {
		return nil, failure
	}
	if len(joined) > 0 && len(stretches[0]) > 1 {
		joined[0].warnings = append(joined[0].warnings, fmt.Sprintf("computed anew every %s", time.Duration(len(stretches[0]))*r.step))
	}
	return joined, nil
}

// endedSeries collects the series without a sample in the whole window, as those
// of old pods are. One that fell silent inside it may be a failed scrape, and is
// not to be trusted.
type endedSeries struct{ names []string }

// check refuses a series that cannot be trusted, and reports whether it has
// ended and is to be left out.
func (e *endedSeries) check(labels series.Labels, actual series.Series, t time.Time, problem string) (left bool, err error) {
	last, ok := lastObserved(actual)
	switch {
	case !ok:
		e.names = append(e.names, labels.String())
		return true, nil
	case t.Sub(last) > freshPoints*actual.Step:
		return false, fmt.Errorf("%s has no sample since %s: what it is now is unknown", labels, last.UTC().Format(time.RFC3339))
	case problem != "":
		return false, fmt.Errorf("%s: %s", labels, problem)
	}
	return false, nil
}

// finish refuses a result in which no series is left.
func (e *endedSeries) finish(rows []timeSeries, basis engine.Provenance) ([]timeSeries, error) {
	if len(rows) == 0 {
		return nil, fmt.Errorf("there are no recent samples: %s", because(basis.Notices))
	}
	if len(e.names) > 0 {
		rows[0].warnings = append(rows[0].warnings, fmt.Sprintf("left out, without samples in the last %s: %s", ruleWindow, strings.Join(e.names, ", ")))
	}
	return rows, nil
}

func because(notices []string) string {
	if len(notices) == 0 {
		return "the reason is unknown"
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
