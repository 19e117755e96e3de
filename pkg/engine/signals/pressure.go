package signals

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// ResourceLabel tells the resources of a service apart.
const ResourceLabel = "resource"

// Pressure is how much of its limit a service uses of one resource: 1 is the limit.
type Pressure struct {
	wellknown.Pressure
	matcher *labels.Matcher
}

// Expr is the pressure's PromQL with rates over the given window.
func (p Pressure) Expr(rate time.Duration) string {
	return fmt.Sprintf(`label_replace((%s) / %s, %q, %q, "", "")`, core.Bind(p.Use, rate, p.matcher),
		strconv.FormatFloat(p.Limit, 'g', -1, 64), ResourceLabel, p.Resource)
}

// PressureExpr is PromQL of a series for each resource, with rates over the window.
func PressureExpr(all []Pressure, rate time.Duration) string {
	var parts []string
	for _, p := range all {
		parts = append(parts, p.Expr(rate))
	}
	return strings.Join(parts, " or ")
}

// pressureMatcher selects a service as the metric of a pressure names it.
func pressureMatcher(p wellknown.Pressure, service string) *labels.Matcher {
	return labels.MustNewMatcher(labels.MatchRegexp, p.Label, fmt.Sprintf(p.Pattern, regexp.QuoteMeta(service)))
}

// Pressures finds the resources of a service that have a limit; of each the first
// metric that exists, those that existed before the window first.
func (e Finder) Pressures(ctx context.Context, service string, from, to time.Time) ([]Pressure, error) {
	if e.Metrics == nil {
		return nil, core.ErrNoMetrics
	}
	var names, special []string
	for _, p := range wellknown.Pressures {
		if p.Label == "" {
			names = append(names, p.Metric)
		} else {
			special = append(special, p.Metric+"{"+pressureMatcher(p, service).String()+"}")
		}
	}
	slices.Sort(names)
	selector := `__name__=~"` + strings.Join(slices.Compact(names), "|") + `"`
	now, before := known{own: make([][]string, len(namings))}, known{own: make([][]string, len(namings))}
	group, ctx := parallel.WithContext(ctx)
	for i, n := range namings {
		e.lookUp(ctx, group, []string{"{" + selector + ", " + n.matcher(service).String() + "}"}, from, to, &now.own[i], &before.own[i])
	}
	e.lookUp(ctx, group, special, from, to, &now.special, &before.special)
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var found []Pressure
	for _, earlier := range []known{before, now} {
		for _, p := range wellknown.Pressures {
			taken := slices.ContainsFunc(found, func(f Pressure) bool { return f.Resource == p.Resource })
			if matcher := now.matcher(p, service); !taken && matcher != nil && earlier.matcher(p, service) != nil {
				found = append(found, Pressure{p, matcher})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Pressure) int {
		return slices.Index(wellknown.Resources, a.Resource) - slices.Index(wellknown.Resources, b.Resource)
	})
	return found, nil
}

// known are the metrics that exist at some time: by each way of naming a service,
// and those with a way of their own.
type known struct {
	own     [][]string
	special []string
}

// matcher selects the metric of a pressure; nil where it does not exist.
func (k known) matcher(p wellknown.Pressure, service string) *labels.Matcher {
	if p.Label != "" {
		if slices.Contains(k.special, p.Metric) {
			return pressureMatcher(p, service)
		}
		return nil
	}
	for i, n := range namings {
		if slices.Contains(k.own[i], p.Metric) {
			return n.matcher(service)
		}
	}
	return nil
}
