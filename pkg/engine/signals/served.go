package signals

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Served is PromQL of the requests that a service serves.
type Served struct {
	About string // for people
	// Total and Failed are requests per second, with $__rate_interval.
	Total, Failed string
	// Slow are those that took longer than Limit, which is the bound of the metric's
	// buckets that is closest to the wanted one; empty where none was wanted.
	Slow  string
	Limit time.Duration
}

// Served finds the requests that a service serves under well-known names; with a
// limit above 0 those within it.
func (e Finder) Served(ctx context.Context, service string, limit time.Duration, window core.Window) (Served, error) {
	from, to := core.Hourly(window)
	sources := slices.Clone(servedSources)
	existing, err := e.existing(ctx, sources, upstream.Range{Start: from, End: to, Step: time.Hour})
	if err != nil {
		return Served{}, err
	}
	for _, source := range sources {
		if !existing[source.metric] {
			continue
		}
		matcher := named(source.server, service)
		values, _, err := e.Metrics.LabelValues(ctx, source.server, []string{withMatcher(source.requests, matcher)}, from, to)
		if err != nil {
			return Served{}, err
		}
		if len(values) == 0 {
			continue
		}
		found := Served{About: source.about, Total: summed(source.requests, matcher), Failed: summed(source.failed, matcher)}
		if limit > 0 {
			bucket := withMatcher(strings.Replace(source.sum, "_sum", "_bucket", 1), matcher)
			le, bound, err := e.bound(ctx, bucket, limit.Seconds()*source.perSecond, core.Window{From: from, To: to})
			if err != nil {
				return Served{}, err
			}
			if le == "" {
				continue // native histograms only
			}
			found.Limit = time.Duration(bound / source.perSecond * float64(time.Second))
			// The rates of the buckets are taken from those of the same metric, so that
			// both count the same requests.
			found.Total = summed(withMatcher(bucket, `le="+Inf"`), "")
			found.Slow = found.Total + " - " + summed(withMatcher(bucket, "le="+strconv.Quote(le)), "")
		}
		return found, nil
	}
	what := "no metric of served requests under a well-known name"
	if limit > 0 {
		what = "no histogram with buckets of its latency under a well-known name"
	}
	return Served{}, core.NotFoundErrorf("service %q has %s between %s and %s: write PromQL of its requests", service, what, core.FormatTime(from), core.FormatTime(to))
}

// bound is the bound of a histogram's buckets that is closest to a limit, as it is
// written and as a number; empty where there is none.
func (e Finder) bound(ctx context.Context, bucket string, limit float64, window core.Window) (le string, bound float64, err error) {
	values, _, err := e.Metrics.LabelValues(ctx, "le", []string{bucket}, window.From, window.To)
	if err != nil {
		return "", 0, err
	}
	nearest := -1.0
	for _, value := range values {
		number, err := strconv.ParseFloat(value, 64)
		if err != nil || number <= 0 || value == "+Inf" {
			continue
		}
		if ratio := max(number/limit, limit/number); nearest < 0 || ratio < nearest {
			nearest, le, bound = ratio, value, number
		}
	}
	return le, bound, nil
}

func summed(selector, matcher string) string {
	return "sum(rate(" + withMatcher(selector, matcher) + "[$__rate_interval]))"
}

// named is a matcher of a service, whose job may be "namespace/name".
func named(label, service string) string {
	if label == "job" {
		return label + "=~" + strconv.Quote("(.*/)?"+regexp.QuoteMeta(service))
	}
	return label + "=" + strconv.Quote(service)
}

// Called is what a service calls, with the calls and those that failed by step.
type Called struct {
	Name          string
	Calls, Failed []float64
}

// CallsOf reads the calls of one service to others, from every kind of metric that
// there is: of a callee that several know, the first tells.
func (e Finder) CallsOf(ctx context.Context, service string, window upstream.Range, basis *core.Provenance) ([]Called, error) {
	sources := slices.DeleteFunc(slices.Clone(callSources), func(m callMetrics) bool { return m.client == "" })
	existing, err := e.existing(ctx, sources, window)
	if err != nil {
		return nil, err
	}
	sets := make([][2]upstream.SeriesSet, len(sources))
	group, groupContext := parallel.WithContext(ctx)
	for i, m := range sources {
		if !existing[m.metric] {
			continue
		}
		for k, selector := range []string{m.requests, m.failed} {
			promQL := fmt.Sprintf("sum by (%s) (increase(%s[%ds]))", m.server, withMatcher(selector, named(m.client, service)), int(window.Step.Seconds()))
			basis.AddQuery("%s", promQL)
			group.Go(func() (err error) {
				sets[i][k], err = e.Metrics.QueryRange(groupContext, promQL, window)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var found []Called
	for i, m := range sources {
		known := len(found)
		for _, one := range sets[i][0].Series {
			name := serviceName(one.Labels[m.server])
			if name == "" || name == service || slices.ContainsFunc(found[:known], func(c Called) bool { return c.Name == name }) {
				continue
			}
			called := Called{Name: name, Calls: one.Values, Failed: make([]float64, len(one.Values))}
			for _, failed := range sets[i][1].Series {
				if failed.Labels[m.server] == one.Labels[m.server] {
					called.Failed = plus(slices.Clone(failed.Values), called.Failed)
				}
			}
			found = append(found, called)
		}
	}
	return found, nil
}
