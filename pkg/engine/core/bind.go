package core

import (
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Bind narrows every selector of a PromQL expression by the matchers and sets
// the window of every range, so that a template is plain PromQL like
// "sum(rate(requests_total[1m]))". Whatever the matchers hold, they stay
// matchers. A template that is not PromQL is a programming error and panics.
func Bind(template string, window time.Duration, matchers ...*labels.Matcher) string {
	parsed, err := parsePromQL(template)
	if err != nil {
		panic(fmt.Sprintf("the template %q is not PromQL: %v", template, err))
	}
	narrow(parsed, matchers)
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, is := node.(*parser.MatrixSelector); is {
			selector.Range = window
		}
		return nil
	})
	return parsed.String()
}

// narrow adds matchers to every selector.
func narrow(parsed parser.Expr, matchers []*labels.Matcher) {
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, is := node.(*parser.VectorSelector); is {
			selector.LabelMatchers = append(selector.LabelMatchers, matchers...)
		}
		return nil
	})
}

func parsePromQL(promQL string) (parser.Expr, error) {
	return parser.NewParser(parser.Options{EnableExperimentalFunctions: true}).ParseExpr(promQL)
}
