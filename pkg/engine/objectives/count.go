package objectives

import (
	"context"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/slo"
)

const (
	// points is how finely the window of an objective is counted: 30 days in steps of
	// a quarter of an hour.
	points = 3000
	// fine is the step in which the last hours are counted, for short burn rates.
	fine = 5 * time.Minute
	// fineSpan is how many hours that are.
	fineSpan = 6 * time.Hour
)

// counted is an objective with its counts, of one label set of its expressions.
type counted struct {
	labels series.Labels
	// counts are of the whole past, recent of the last hours in finer steps.
	counts, recent slo.Counts
	problem        string
}

// stepOf is the step in which an objective's window is counted.
func stepOf(window time.Duration) time.Duration {
	return core.StepFor(max(window/points, core.MinStep))
}

// grids are those of the whole past of an objective and of the last hours.
func (a Analyst) grids(s Setting, window core.Window) (whole, recent core.Grid) {
	whole = core.NewGrid(window, s.Window, stepOf(s.Window), a.Now())
	step := min(whole.Step, fine)
	latest := core.Window{From: whole.To.Add(-fineSpan), To: core.Floor(a.Present(window), step), Complete: window.Complete}
	return whole, core.NewGrid(latest, 0, step, a.Now())
}

// count reads the requests of an objective.
func (a Analyst) count(ctx context.Context, s Setting, window core.Window, basis *core.Provenance) ([]counted, error) {
	whole, recent := a.grids(s, window)
	long, err := a.countOn(ctx, s, whole, basis)
	if err != nil {
		return nil, err
	}
	if recent.Step == whole.Step {
		for i := range long {
			long[i].recent = long[i].counts
		}
		return long, nil
	}
	short, err := a.countOn(ctx, s, recent, basis)
	if err != nil {
		return nil, err
	}
	for i := range long {
		long[i].recent = slo.Counts{Start: recent.To, Step: recent.Step} // nothing
		for _, one := range short {
			if maps.Equal(one.labels, long[i].labels) {
				long[i].recent = one.counts
			}
		}
	}
	return long, nil
}

// countOn reads the requests of an objective on a grid.
func (a Analyst) countOn(ctx context.Context, s Setting, g core.Grid, basis *core.Provenance) ([]counted, error) {
	if s.Total == "" {
		errors, err := a.read(ctx, s.Errors, g, basis)
		if err != nil {
			return nil, err
		}
		var all []counted
		for _, bad := range errors {
			total := make([]float64, bad.Len())
			for i, share := range bad.Values {
				if total[i] = 1; math.IsNaN(share) {
					total[i] = math.NaN()
				}
			}
			all = append(all, newCounted(bad, total, bad.Values, true))
		}
		return all, nil
	}
	totals, err := a.read(ctx, s.Total, g, basis)
	if err != nil {
		return nil, err
	}
	judged, err := a.read(ctx, s.Errors+s.Good, g, basis)
	if err != nil {
		return nil, err
	}
	seconds := g.Step.Seconds()
	var all []counted
	for _, total := range totals {
		k := slices.IndexFunc(judged, func(one series.Series) bool { return maps.Equal(one.Labels, total.Labels) })
		if k < 0 && s.Good != "" {
			all = append(all, counted{labels: total.Labels, problem: "the expression of good requests has no series with the labels of the total"})
			continue
		}
		n, bad := make([]float64, total.Len()), make([]float64, total.Len())
		for i, rate := range total.Values {
			value := 0.0 // a counter of errors begins with the first
			if k >= 0 {
				value = judged[k].Values[i]
			}
			switch {
			case s.Good != "":
				value = rate - value
			case math.IsNaN(value):
				value = 0
			}
			n[i], bad[i] = rate*seconds, value*seconds
		}
		all = append(all, newCounted(total, n, bad, false))
	}
	return all, nil
}

func newCounted(one series.Series, total, bad []float64, shares bool) counted {
	c, err := slo.NewCounts(one.Start, one.Step, total, bad, shares)
	return counted{labels: one.Labels, counts: c, problem: core.Problem(err)}
}

// read is an expression on a grid.
func (a Analyst) read(ctx context.Context, promQL string, g core.Grid, basis *core.Provenance) ([]series.Series, error) {
	found, err := a.History(ctx, promQL, g, basis)
	if err != nil {
		return nil, err
	}
	aligned := core.AlignAll(found)
	for i := range aligned {
		aligned[i].Labels = maps.Clone(aligned[i].Labels)
		delete(aligned[i].Labels, "__name__")
	}
	return aligned, nil
}

// rateInterval matches the variable of the range of rates.
var rateInterval = regexp.MustCompile(`\$(__rate_interval|\{__rate_interval(:[^{}]*)?\})`)

// burnPromQL is the burn rate over a time as PromQL; empty where the expressions
// have a range of their own.
func (s Setting) burnPromQL(over time.Duration) string {
	budget := strconv.FormatFloat(1-s.Target, 'g', 10, 64)
	at := func(expr string) string {
		return "(" + rateInterval.ReplaceAllString(expr, query.Duration(over).String()) + ")"
	}
	switch {
	case s.burn != nil:
		return s.burn(over) + " / " + budget
	case !rateInterval.MatchString(s.Errors + s.Good):
		return ""
	case s.Total == "":
		return at(s.Errors) + " / " + budget
	case s.Good != "":
		return "(1 - " + at(s.Good) + " / " + at(s.Total) + ") / " + budget
	}
	return at(s.Errors) + " / " + at(s.Total) + " / " + budget
}

// AlertPromQL is a multi-window burn-rate alert as PromQL of the burn rate over the
// long window, which a rule compares with the factor; empty where it cannot be
// written.
func (s Setting) AlertPromQL(alert slo.Alert) string {
	long, short := s.burnPromQL(alert.Long), s.burnPromQL(alert.Short)
	if long == "" || short == "" {
		return ""
	}
	return fmt.Sprintf("%s and (%s > %s)", long, short, strconv.FormatFloat(alert.Factor, 'g', 6, 64))
}
