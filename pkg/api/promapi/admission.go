package promapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/promqlcost"
)

// admitted is an expression that may be evaluated now.
type admitted struct {
	ctx context.Context
	// selectors are its vector selectors. There are none where it reads only
	// constants like vector(1), with which clients check that the API is there.
	selectors [][]*labels.Matcher
	release   func()
}

// admit checks what an expression takes before it is evaluated, and waits for a
// place among those that are. An expression that is admitted must be released.
func (a *API) admit(ctx context.Context, text string, window promqlcost.Window) (admitted, error) {
	leave, err := budget.Process.Evaluations.Acquire(ctx, 1)
	if err != nil {
		return admitted{}, err
	}
	ctx, held := budget.Part(ctx)
	release := func() { held.Close(); leave() }
	expr, err := a.parse(ctx, text)
	if err == nil {
		ctx, err = promqlcost.Check(ctx, expr, window)
	}
	if err != nil {
		release()
		return admitted{}, err
	}
	return admitted{ctx, parser.ExtractSelectors(expr), release}, nil
}

// parse parses an expression when a processor is free for it: that of a long one
// takes a while.
func (a *API) parse(ctx context.Context, text string) (expr parser.Expr, err error) {
	err = budget.Compute(ctx, budget.Process.Processors, func(context.Context) error {
		expr, err = promqlcost.Parse(a.parser, text)
		return err
	})
	return expr, err
}

// evaluateNow evaluates an expression when a processor is free for it. What it
// reads is computed by others meanwhile. The result is valid within see.
func evaluateNow(ctx context.Context, newQuery func(context.Context) (promql.Query, error), see func(context.Context, *promql.Result)) error {
	return budget.Compute(ctx, budget.Process.Processors, func(ctx context.Context) error {
		query, err := newQuery(ctx)
		if err != nil {
			return err
		}
		defer query.Close()
		see(ctx, query.Exec(ctx))
		return nil
	})
}

// notAdmitted writes why an expression is not evaluated: it is no PromQL, takes
// too much, or too much is under way.
func notAdmitted(w http.ResponseWriter, err error) {
	var refused *budget.Refused
	if errors.As(err, &refused) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		fail(w, err)
		return
	}
	badData(w, err)
}

// labelsOf are those of all series.
func labelsOf(all []storage.Series) []labels.Labels {
	found := make([]labels.Labels, len(all))
	for i, one := range all {
		found[i] = one.Labels()
	}
	return found
}
