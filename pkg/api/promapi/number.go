package promapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/foresight-observability/foresight/pkg/promqlcost"
)

// Number is a finite number of now that an engine may act on.
type Number struct {
	Metric   string // of the first selector
	Time     time.Time
	Value    float64
	Labels   map[string]string // without the metric's name
	Warnings []string          // what it rests on
	// Subject is the service, or the named series, that it is about, and
	// SubjectLabel the label that says so; empty where it is about all.
	SubjectLabel, Subject string
}

// Value is the number of now of one derived series, named by its labels.
func (a *API) Value(ctx context.Context, name string, set map[string]string) (Number, error) {
	m, _ := metricNamed(name)
	var matchers []*labels.Matcher
	for label, value := range set {
		matchers = append(matchers, labels.MustNewMatcher(labels.MatchEqual, label, value))
	}
	selectors, err := m.selectors(matchers)
	if err != nil {
		return Number{}, err
	}
	now := a.Now().Truncate(resolution).UTC()
	rows, err := a.evaluate(ctx, selectors[0], timeRange{from: now, to: now, step: resolution})
	if err != nil {
		return Number{}, err
	}
	if len(rows) != 1 || len(rows[0].points) == 0 {
		return Number{}, fmt.Errorf("there are %d series, where one is needed: aggregate the expression behind it", len(rows))
	}
	return Number{Metric: name, Time: now, Value: rows[0].points[0].value, Labels: selectors[0].labels, Warnings: rows[0].warnings}, nil
}

// Evaluate is the number of now of an expression over derived metrics.
func (a *API) Evaluate(ctx context.Context, expr string) (Number, error) {
	now := a.Now().Truncate(resolution).UTC()
	allowed, err := a.admit(ctx, expr, promqlcost.Window{Start: now, End: now})
	if err != nil {
		return Number{}, err
	}
	defer allowed.release()
	ctx = allowed.ctx
	selectors := allowed.selectors
	if len(selectors) == 0 {
		return Number{}, errors.New("the query has no foresight_* series: there is nothing to evaluate")
	}
	m, err := metricOf(selectors[0])
	if err != nil {
		return Number{}, err
	}
	n, failure := Number{Metric: m.name, Time: now}, error(nil)
	err = evaluateNow(ctx, func(ctx context.Context) (promql.Query, error) {
		return a.promQL.NewInstantQuery(ctx, querier{a}, promql.NewPrometheusQueryOpts(false, 0), expr, now)
	}, func(_ context.Context, result *promql.Result) {
		if result.Err == nil {
			result.Err = actionable(result.Value)
		}
		if result.Err != nil {
			failure = unwrapped(result.Err)
			return
		}
		sample := result.Value.(promql.Vector)[0]
		n.Value, n.Labels = sample.F, sample.Metric.Map()
		delete(n.Labels, model.MetricNameLabel)
		n.Warnings, _ = warningsOf(result, expr)
		n.SubjectLabel, n.Subject = subjectIn(sample.Metric, selectors[0])
	})
	if err = cmp.Or(err, failure); err != nil {
		return Number{}, err
	}
	return n, nil
}

// Kind is the metric without its prefix, as predicted_demand.
func (n Number) Kind() string { return strings.TrimPrefix(n.Metric, "foresight_") }

// Summary is the number in one sentence, with what it rests on.
func (n Number) Summary() string {
	basis := ""
	if len(n.Warnings) > 0 {
		bare := make([]string, len(n.Warnings))
		for i, warning := range n.Warnings {
			if _, after, prefixed := strings.Cut(warning, "}: "); prefixed { // the selector
				warning = after
			}
			bare[i] = warning
		}
		basis = " (" + strings.Join(bare, "; ") + ")"
	}
	return fmt.Sprintf("%s of %s: %.6g%s", strings.ReplaceAll(n.Kind(), "_", " "), cmp.Or(n.Subject, "all"), n.Value, basis)
}

// subjectIn is the label of a result, or of the selector it comes from, that
// names what it is about.
func subjectIn(result labels.Labels, matchers []*labels.Matcher) (label, value string) {
	for _, label := range []string{"service", "series"} {
		if value := result.Get(label); value != "" {
			return label, value
		}
		for _, m := range matchers {
			if m.Type == labels.MatchEqual && m.Name == label && m.Value != "" {
				return label, m.Value
			}
		}
	}
	return "", ""
}
