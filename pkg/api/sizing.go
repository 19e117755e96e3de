package api

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

func (h *Hooks) recommendedReplicas(ctx context.Context, q question, s span) ([]row, error) {
	return h.recommended(ctx, q, s, sizing.SizeReplicas)
}

func (h *Hooks) recommendedPool(ctx context.Context, q question, s span) ([]row, error) {
	return h.recommended(ctx, q, s, sizing.SizePool)
}

func (h *Hooks) recommendedConcurrency(ctx context.Context, q question, s span) ([]row, error) {
	return h.recommended(ctx, q, s, sizing.SizeConcurrency)
}

// recommended is told for the last instant only: a size is for what comes, and
// every instant of the past would ask for weeks of metrics anew.
func (h *Hooks) recommended(ctx context.Context, q question, s span, size sizing.Sizing) ([]row, error) {
	asked, err := q.sizing()
	if err != nil {
		return nil, err
	}
	found, err := h.engine.Sizing(ctx, asked, at(s.to))
	if err != nil {
		return nil, err
	}
	var rows []row
	var problems []string
	for _, one := range found.Recommendations {
		switch {
		case one.Sizing != size:
		case one.Problem != "" || math.IsNaN(one.Value):
			problems = append(problems, strings.TrimSpace(one.Subject+" "+one.Problem))
		default:
			rows = append(rows, row{poolLabels(one), []point{{s.to, one.Value}}, sizeBeside(found, one)})
		}
	}
	if len(rows) == 0 {
		return nil, noTrust("%s: %s; %s", q.name, strings.Join(problems, "; "), because(found.Notices))
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

// sizeBeside is what an engine's log should show beside a size.
func sizeBeside(found engine.SizingAnswer, one sizing.Recommendation) []string {
	told := []string{fmt.Sprintf("%s From %g to %g %s.", one.Reason, one.Lower, one.Upper, one.Unit)}
	if one.Constraint != "" {
		told = append(told, "limited by: "+one.Constraint)
	}
	return slices.Concat(told, found.Notices)
}

// sizing is the query that the labels ask.
func (q question) sizing() (query.Sizing, error) {
	asked := query.Sizing{Service: q.labels["service"]}
	numbers := map[string]func(float64){
		"quantile":             func(v float64) { asked.Quantile = v },
		"use":                  func(v float64) { asked.Use = v },
		"min_replicas":         func(v float64) { asked.MinReplicas = int(v) },
		"max_replicas":         func(v float64) { asked.MaxReplicas = int(v) },
		"database_connections": func(v float64) { asked.DatabaseConnections = int(v) },
		"reserved_connections": func(v float64) { asked.ReservedConnections = int(v) },
	}
	for name, set := range numbers {
		if q.labels[name] == "" {
			continue
		}
		value, err := strconv.ParseFloat(q.labels[name], 64)
		if err != nil || math.IsNaN(value) || math.Abs(value) > 1e9 {
			return asked, noTrust("%s: the label %s is %.40q: write a number", q.name, name, q.labels[name])
		}
		set(value)
	}
	for name, into := range map[string]*query.Duration{"lead": &asked.Lead, "max_wait": &asked.MaxWait} {
		if q.labels[name] == "" {
			continue
		}
		if err := into.UnmarshalJSON([]byte(strconv.Quote(q.labels[name]))); err != nil {
			return asked, noTrust("%s: the label %s: %v", q.name, name, err)
		}
	}
	asked = asked.WithDefaults()
	if err := asked.Validate(); err != nil {
		return asked, noTrust("%s: %v", q.name, err)
	}
	return asked, nil
}
