package promqlcost

import (
	"context"
	"regexp/syntax"
	"sync"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/budget"
)

// Guard watches over one evaluation.
type Guard struct {
	expr parser.Expr
	over Window

	mu      sync.Mutex
	series  int
	labels  Labels // the longest so far
	charged int64
}

type guardKey struct{}

// Check refuses an expression that takes too much whatever it finds, and charges
// what it takes to the request. The context carries the guard to Selected.
func Check(ctx context.Context, expr parser.Expr, over Window) (context.Context, error) {
	if err := checkRegexps(expr); err != nil {
		return ctx, err
	}
	cost := Of(expr, over, Labels{Value: storedLabel})
	if err := cost.check(); err != nil {
		return ctx, err
	}
	guard := &Guard{expr: expr, over: over, charged: cost.bytes()}
	if err := budget.Charge(ctx, guard.charged); err != nil {
		return ctx, err
	}
	return context.WithValue(ctx, guardKey{}, guard), nil
}

// Selected is for the storage to call with what a selector found, before the
// engine works on it: only then is it known how much there is.
func Selected(ctx context.Context, found []labels.Labels) error {
	guard, ok := ctx.Value(guardKey{}).(*Guard)
	if !ok {
		return nil
	}
	guard.mu.Lock()
	defer guard.mu.Unlock()
	guard.series += len(found)
	for _, one := range found {
		all := 0
		one.Range(func(l labels.Label) {
			all += len(l.Name) + len(l.Value)
			guard.labels.Value = max(guard.labels.Value, len(l.Value))
		})
		guard.labels.All = max(guard.labels.All, all)
	}
	series := float64(max(guard.series, 1))
	cost := Of(guard.expr, guard.over, guard.labels)
	cost.LabelBytes *= series
	cost.Copies *= series
	if err := cost.check(); err != nil {
		return err
	}
	if visits := cost.Visits * series; visits > maxAllVisits {
		return refused("evaluating the expression looks at %.3g points of %d series; at most %d are: shorten the ranges in [ ], or select fewer series", visits, guard.series, maxAllVisits)
	}
	if more := cost.bytes() - guard.charged; more > 0 {
		guard.charged += more
		return budget.Charge(ctx, more)
	}
	return nil
}

// checkRegexps bounds those that label_replace matches.
func checkRegexps(expr parser.Expr) error {
	var failure error
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		call, ok := node.(*parser.Call)
		if !ok || call.Func.Name != "label_replace" || len(call.Args) != 5 || failure != nil {
			return nil
		}
		text, ok := call.Args[4].(*parser.StringLiteral)
		if !ok {
			return nil
		}
		if instructions := programSize(text.Val); instructions > maxRegexp {
			failure = refused("the regular expression of label_replace takes %d steps; at most %d are: leave out repetitions like {100}", instructions, maxRegexp)
		}
		return nil
	})
	return failure
}

// programSize is how many steps a regular expression is compiled to; 0 where it
// is not one, which the engine then says.
func programSize(text string) int {
	if len(text) > maxRegexp {
		return len(text)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return 0
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0
	}
	return len(program.Inst)
}
