package core

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/query"
)

// FilteredHistory is the history of what a question asks of a metric. Only with
// its intervals filled in is an expression PromQL, which filters need. What is too
// large to be answered is refused before it is fetched.
func (e Sources) FilteredHistory(ctx context.Context, expr string, filters []query.Filter, g Grid, basis *Provenance) ([]RawSeries, error) {
	promQL, err := e.Filled(ctx, expr, filters, g)
	if err != nil {
		return nil, err
	}
	if err := e.plan(ctx, promQL, g); err != nil {
		return nil, err
	}
	return e.History(ctx, promQL, g, basis)
}

// Filled is an expression with its intervals filled in, and narrowed by the
// filters.
func (e Sources) Filled(ctx context.Context, expr string, filters []query.Filter, g Grid) (string, error) {
	expr, err := e.fill(ctx, expr, g)
	if err != nil {
		return "", err
	}
	if name := unfilled(expr); g.Complete && name != "" {
		return "", UserErrorf("expr holds %s, %s", name, query.NoValue)
	}
	return filtered(expr, filters)
}

var matchTypes = map[string]labels.MatchType{
	"": labels.MatchEqual, "=": labels.MatchEqual, "!=": labels.MatchNotEqual,
	"=~": labels.MatchRegexp, "!~": labels.MatchNotRegexp,
}

// The bounds of an expression with filters in it.
const (
	maxFilteredExpr      = 16 << 10 // parsing takes time that grows with the square of it
	maxFilteredSelectors = 1000
	maxFilteredBytes     = 256 << 10
)

// filtered is PromQL with every selector narrowed by the filters. Without
// filters it stays as it was written: its dialect is then the server's matter.
func filtered(promQL string, filters []query.Filter) (string, error) {
	if len(filters) == 0 {
		return promQL, nil
	}
	var matchers []*labels.Matcher
	size := 0
	for _, f := range filters {
		size += len(f.Key) + len(f.Value) + len(`=~"", `)
		matcher, err := labels.NewMatcher(matchTypes[f.Operator], f.Key, f.Value)
		if err != nil {
			return "", UserErrorf("filters: %s%s%.60q cannot be used: %v", f.Key, f.Operator, f.Value, err)
		}
		matchers = append(matchers, matcher)
	}
	if len(promQL) > maxFilteredExpr {
		return "", UserErrorf("filters: the expr has %d bytes; with filters at most %d are allowed: leave the filters out, or shorten the expr", len(promQL), maxFilteredExpr)
	}
	parsed, err := parsePromQL(promQL)
	if err != nil {
		return "", UserErrorf("filters need an expr that is PromQL: %v", err)
	}
	// Every selector gets every filter, and printing a tree takes time that grows
	// with its size times its depth.
	selectors := len(parser.ExtractSelectors(parsed))
	if total := len(promQL) + selectors*size; selectors > maxFilteredSelectors || total > maxFilteredBytes {
		return "", UserErrorf("filters: with them in each of its %d selectors the expr would have %d bytes; at most %d bytes and %d selectors are allowed: use fewer filters, or fewer selectors",
			selectors, total, maxFilteredBytes, maxFilteredSelectors)
	}
	narrow(parsed, matchers)
	return parsed.String(), nil
}
