package metrics

import (
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/engine/core"
)

// splitExpr is a metric that can be split by a label: a sum, or a ratio of two, or
// a quantile of a histogram.
type splitExpr struct {
	// numerator and denominator are what is summed; of a sum denominator is nil.
	// Of a histogram numerator are its buckets.
	numerator, denominator parser.Expr
	// scale and offset bring the split's figures to the metric's: scale × x + offset.
	scale, offset float64
	histogram     bool
	quantile      float64
}

// parseSplit reads what an expression is made of.
func parseSplit(promQL string) (splitExpr, error) {
	parsed, err := parser.NewParser(parser.Options{EnableExperimentalFunctions: true}).ParseExpr(promQL)
	if err != nil {
		return splitExpr{}, core.UserErrorf("expr: %v", err)
	}
	return splitOf(parsed)
}

func splitOf(expr parser.Expr) (splitExpr, error) {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return splitOf(e.Expr)
	case *parser.StepInvariantExpr:
		return splitOf(e.Expr)
	case *parser.AggregateExpr:
		return splitOfAggregate(e)
	case *parser.Call:
		if e.Func.Name == "histogram_quantile" {
			return splitOfQuantile(e)
		}
	case *parser.UnaryExpr:
		s, err := splitOf(e.Expr)
		if e.Op == parser.SUB {
			s.scale, s.offset = -s.scale, -s.offset
		}
		return s, err
	case *parser.BinaryExpr:
		return splitOfBinary(e)
	}
	if expr.Type() != parser.ValueTypeVector {
		return splitExpr{}, core.UserErrorf("expr: %s cannot be split by labels: write a sum, a count, an average, a ratio of them, or histogram_quantile", shortExpr(expr))
	}
	return splitExpr{numerator: expr, scale: 1}, nil
}

func splitOfAggregate(e *parser.AggregateExpr) (splitExpr, error) {
	switch e.Op {
	case parser.SUM:
		return splitExpr{numerator: e.Expr, scale: 1}, nil
	case parser.COUNT:
		return splitExpr{numerator: ones(e.Expr), scale: 1}, nil
	case parser.AVG:
		return splitExpr{numerator: e.Expr, denominator: ones(e.Expr), scale: 1}, nil
	}
	return splitExpr{}, core.UserErrorf("expr: %s has no exact parts; write sum, count or avg", e.Op)
}

// ones counts 1 for every series.
func ones(e parser.Expr) parser.Expr {
	return &parser.BinaryExpr{Op: parser.ADD, LHS: &parser.ParenExpr{Expr: &parser.BinaryExpr{
		Op: parser.MUL, LHS: &parser.ParenExpr{Expr: e}, RHS: &parser.NumberLiteral{Val: 0},
	}}, RHS: &parser.NumberLiteral{Val: 1}}
}

func splitOfQuantile(e *parser.Call) (splitExpr, error) {
	quantile, is := number(e.Args[0])
	if !is || !(quantile > 0 && quantile < 1) {
		return splitExpr{}, core.UserErrorf("expr: the quantile of histogram_quantile must be a number between 0 and 1")
	}
	buckets := e.Args[1]
	for {
		if parenthesis, is := buckets.(*parser.ParenExpr); is {
			buckets = parenthesis.Expr
			continue
		}
		aggregate, is := buckets.(*parser.AggregateExpr)
		if !is || aggregate.Op != parser.SUM {
			break
		}
		if !aggregate.Without && !slices.Contains(aggregate.Grouping, "le") {
			return splitExpr{}, core.UserErrorf("expr: native histograms cannot be split yet: write the share of slow requests with histogram_fraction, or the mean with histogram_sum and histogram_count")
		}
		return splitExpr{numerator: aggregate.Expr, scale: 1, histogram: true, quantile: quantile}, nil
	}
	return splitExpr{numerator: buckets, scale: 1, histogram: true, quantile: quantile}, nil
}

func splitOfBinary(e *parser.BinaryExpr) (splitExpr, error) {
	left, leftNumber := number(e.LHS)
	right, rightNumber := number(e.RHS)
	switch {
	case rightNumber && (e.Op == parser.MUL || e.Op == parser.DIV && right != 0):
		if e.Op == parser.DIV {
			right = 1 / right
		}
		s, err := splitOf(e.LHS)
		s.scale, s.offset = s.scale*right, s.offset*right
		return s, err
	case leftNumber && e.Op == parser.MUL:
		s, err := splitOf(e.RHS)
		s.scale, s.offset = s.scale*left, s.offset*left
		return s, err
	case leftNumber && e.Op == parser.SUB:
		s, err := splitOf(e.RHS)
		s.scale, s.offset = -s.scale, left-s.offset
		return s, err
	case rightNumber && e.Op == parser.SUB:
		s, err := splitOf(e.LHS)
		s.offset -= right
		return s, err
	case rightNumber && e.Op.IsComparisonOperator(): // a filter, as in "> 0"
		return splitOf(e.LHS)
	case e.Op == parser.DIV:
		above, err := splitOf(e.LHS)
		if err != nil {
			return above, err
		}
		below, err := splitOf(e.RHS)
		if err != nil {
			return below, err
		}
		if above.denominator != nil || below.denominator != nil || above.histogram || below.histogram || above.offset != 0 || below.offset != 0 || below.scale == 0 {
			break
		}
		return splitExpr{numerator: above.numerator, denominator: below.numerator, scale: above.scale / below.scale}, nil
	case e.Op == parser.LOR: // "or 0 * …": what stands in where nothing was counted
		return splitOf(e.LHS)
	}
	return splitExpr{}, core.UserErrorf("expr: %s cannot be split exactly: write a sum, a count, an average, a ratio of two sums, or histogram_quantile", shortExpr(e))
}

func number(e parser.Expr) (float64, bool) {
	switch n := e.(type) {
	case *parser.NumberLiteral:
		return n.Val, true
	case *parser.ParenExpr:
		return number(n.Expr)
	case *parser.UnaryExpr:
		v, is := number(n.Expr)
		if n.Op == parser.SUB {
			v = -v
		}
		return v, is
	}
	return 0, false
}

func shortExpr(e parser.Expr) string {
	const most = 80
	if text := e.String(); len(text) <= most {
		return text
	}
	return e.String()[:most] + "…"
}

// sumBy is PromQL that sums an expression by labels.
func sumBy(e parser.Expr, labels ...string) string {
	return (&parser.AggregateExpr{Op: parser.SUM, Expr: e, Grouping: labels}).String()
}

// sampleOf is PromQL for some of the series that an expression selects first.
func sampleOf(e parser.Expr, most int) string {
	var selector *parser.VectorSelector
	parser.Inspect(e, func(node parser.Node, _ []parser.Node) error {
		if found, is := node.(*parser.VectorSelector); is && selector == nil {
			selector = found
		}
		return nil
	})
	if selector == nil {
		return ""
	}
	bare := parser.VectorSelector{Name: selector.Name, LabelMatchers: selector.LabelMatchers}
	return fmt.Sprintf("topk(%d, %s)", most, bare.String())
}
