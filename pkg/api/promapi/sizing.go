package promapi

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/sizing"
)

// The parameters of recommended sizes, as labels.
var (
	sizingQuantile = parameter{name: "quantile", fallback: "0.95"}
	sizingUse      = parameter{name: "use", fallback: "0.7"}
	ofReplicas     = []parameter{lead, sizingQuantile, sizingUse, {name: "min_replicas", optional: true}, {name: "max_replicas", optional: true}}
	ofPool         = []parameter{lead, sizingQuantile, sizingUse, {name: "max_wait", fallback: "50ms"},
		{name: "database_connections", optional: true}, {name: "reserved_connections", optional: true}}
	ofConcurrency = []parameter{lead, sizingQuantile, {name: "max_wait", fallback: "50ms"}}
)

func (a *API) recommendedReplicas(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	return a.recommended(ctx, s, r, sizing.SizeReplicas)
}

func (a *API) recommendedPool(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	return a.recommended(ctx, s, r, sizing.SizePool)
}

func (a *API) recommendedConcurrency(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	return a.recommended(ctx, s, r, sizing.SizeConcurrency)
}

// recommended has a value for the last instant only: a size is for what comes,
// and every instant of the past would query weeks of metrics anew.
func (a *API) recommended(ctx context.Context, s selector, r timeRange, size sizing.Sizing) ([]timeSeries, error) {
	q, err := s.sizing()
	if err != nil {
		return nil, err
	}
	answered, err := a.Engine.Sizing(ctx, q, windowAt(r.to))
	if err != nil {
		return nil, err
	}
	var rows []timeSeries
	var problems []string
	for _, one := range answered.Recommendations {
		switch {
		case one.Sizing != size:
		case one.Problem != "" || math.IsNaN(one.Value):
			problems = append(problems, strings.TrimSpace(one.Subject+" "+one.Problem))
		default:
			rows = append(rows, timeSeries{poolLabels(one), []point{{r.to, one.Value}}, sizeWarnings(answered, one)})
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: %s; %s", s.name, strings.Join(problems, "; "), because(answered.Notices))
	}
	for _, problem := range problems {
		rows[0].warnings = append(rows[0].warnings, "left out: "+problem)
	}
	return rows, nil
}

func poolLabels(one sizing.Recommendation) map[string]string {
	if one.Subject == "" {
		return nil
	}
	return map[string]string{"pool": one.Subject}
}

// sizeWarnings are what an engine's log should show beside a size.
func sizeWarnings(answered engine.SizingAnswer, one sizing.Recommendation) []string {
	all := []string{fmt.Sprintf("%s From %g to %g %s.", one.Reason, one.Lower, one.Upper, one.Unit)}
	if one.Constraint != "" {
		all = append(all, "limited by: "+one.Constraint)
	}
	return slices.Concat(all, answered.Notices)
}

// sizing is the query that the labels ask.
func (s selector) sizing() (query.Sizing, error) {
	q := query.Sizing{Service: s.labels["service"]}
	numbers := map[string]func(float64){
		"quantile":             func(v float64) { q.Quantile = v },
		"use":                  func(v float64) { q.Use = v },
		"min_replicas":         func(v float64) { q.MinReplicas = int(v) },
		"max_replicas":         func(v float64) { q.MaxReplicas = int(v) },
		"database_connections": func(v float64) { q.DatabaseConnections = int(v) },
		"reserved_connections": func(v float64) { q.ReservedConnections = int(v) },
	}
	for name, set := range numbers {
		if s.labels[name] == "" {
			continue
		}
		value, err := strconv.ParseFloat(s.labels[name], 64)
		if err != nil || math.IsNaN(value) || math.Abs(value) > 1e9 {
			return q, fmt.Errorf("%s: the label %s is %.40q: write a number", s.name, name, s.labels[name])
		}
		set(value)
	}
	for name, into := range map[string]*query.Duration{"lead": &q.Lead, "max_wait": &q.MaxWait} {
		if s.labels[name] == "" {
			continue
		}
		if err := into.UnmarshalJSON([]byte(strconv.Quote(s.labels[name]))); err != nil {
			return q, fmt.Errorf("%s: the label %s: %w", s.name, name, err)
		}
	}
	q = q.WithDefaults()
	if err := q.Validate(); err != nil {
		return q, fmt.Errorf("%s: %w", s.name, err)
	}
	return q, nil
}
