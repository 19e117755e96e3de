// Package promqlcost bounds what evaluating a PromQL expression may take. The
// engine of Prometheus counts samples while it evaluates, which is too late for
// an expression that prepares a million of them, and it does not count the
// bytes of labels at all.
package promqlcost

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/budget"
)

const (
	// MaxLength is that of an expression in bytes; parsing and printing take a
	// multiple of it.
	MaxLength = 16 << 10
	// maxDepth and maxNodes bound the tree of an expression; evaluation recurses.
	maxDepth = 128
	maxNodes = 1000
	// maxPoints bounds the points of all nodes together, for each series.
	maxPoints = 500_000
	// maxVisits bounds how often range functions look at a point, for each series,
	// and maxAllVisits for all series.
	maxVisits    = 20_000_000
	maxAllVisits = 200_000_000
	// MaxLabel is the length of a label's value that an expression may make.
	MaxLabel = 16 << 10
	// maxLabelBytes bounds what functions that write labels make of all series.
	maxLabelBytes = 8 << 20
	// maxRegexp bounds the regular expressions of label_replace, which are matched
	// with every series and cannot be interrupted.
	maxRegexp = 1 << 10
	// storedLabel is the length to which values of labels from upstream are cut.
	storedLabel = 1 << 10

	bytesPerPoint = 16 // a time and a value
	defaultStep   = 60 // seconds, of derived series
)

// Cost is an estimate from above of what an expression takes, for one series of
// each selector.
type Cost struct {
	Depth, Nodes int
	// Points are those of the results of all nodes.
	Points float64
	// Visits are how often range functions look at a point.
	Visits float64
	// Label is the longest value of a label, and LabelBytes what functions that
	// write labels make of one series, all of them together.
	Label, LabelBytes float64
	// Copies are the labels of one series as often as results hold them at once.
	Copies float64
}

// Window is the time range that an expression is evaluated over; Step is 0 for
// an instant.
type Window struct {
	Start, End time.Time
	Step       time.Duration
}

// Parse parses an expression, unless it is too long to.
func Parse(p parser.Parser, text string) (parser.Expr, error) {
	if len(text) > MaxLength {
		return nil, refused("the expression has %d bytes; at most %d are evaluated", len(text), MaxLength)
	}
	if err := checkTokens(text); err != nil {
		return nil, err
	}
	return p.ParseExpr(text)
}

// Labels bound those of the series that selectors select, in bytes.
type Labels struct {
	Value int // the longest value
	All   int // all labels of one series
}

// Of estimates an expression.
func Of(expr parser.Expr, over Window, selected Labels) Cost {
	c := &estimate{selected: selected}
	c.Copies = c.visit(expr, instants{span: over.End.Sub(over.Start).Seconds(), every: over.Step.Seconds()}, 1).peak
	return c.Cost
}

// check says which limit an expression exceeds.
func (c Cost) check() error {
	switch {
	case c.Depth > maxDepth:
		return refused("the expression is nested %d deep; at most %d are evaluated", c.Depth, maxDepth)
	case c.Nodes > maxNodes:
		return refused("the expression has %d parts; at most %d are evaluated", c.Nodes, maxNodes)
	case c.Points > maxPoints:
		return refused("evaluating the expression takes %.3g points for each series; at most %d are evaluated: shorten ranges, or raise the steps of subqueries", c.Points, maxPoints)
	case c.Visits > maxVisits:
		return refused("evaluating the expression looks at %.3g points for each series; at most %d are: shorten the ranges in [ ]", c.Visits, maxVisits)
	case c.Label > MaxLabel:
		return refused("label_replace or label_join could make a label of %.3g bytes; at most %d are made", c.Label, MaxLabel)
	case c.LabelBytes > maxLabelBytes:
		return refused("label_replace and label_join could make %.3g bytes of labels; at most %s are made", c.LabelBytes, budget.MiB(maxLabelBytes))
	}
	return nil
}

// bytes are what the evaluation holds, from above.
func (c Cost) bytes() int64 { return int64(c.Points*bytesPerPoint + c.LabelBytes + c.Copies) }

func refused(format string, arguments ...any) error {
	return &budget.Refused{Scope: budget.OfRequest, Reason: fmt.Sprintf(format, arguments...)}
}

// instants are those at which a node is evaluated, in seconds: ranges within
// ranges add up to more than a time.Duration holds.
type instants struct{ span, every float64 }

func (i instants) count() float64 {
	if i.every <= 0 {
		return 1
	}
	return math.Floor(i.span/i.every) + 1
}

type estimate struct {
	Cost
	selected Labels
}

// lengths bound the values of labels: of those that functions wrote by name, and
// the longest of the others.
type lengths struct {
	written map[string]float64
	others  float64
	all     float64 // bytes of all labels of a series
	peak    float64 // bytes that are held at once until the result is there
}

func (l lengths) of(label string) float64 {
	if known, ok := l.written[label]; ok {
		return known
	}
	return l.others
}

func (e *estimate) ofSelector() lengths {
	return lengths{others: float64(e.selected.Value), all: float64(e.selected.All)}
}

// visit adds a node and what is below it, and bounds the labels of its result.
func (e *estimate) visit(node parser.Expr, at instants, depth int) lengths {
	result, below := e.visitKind(node, at, depth)
	before := 0.0
	for _, one := range below { // one after the other, each of which is kept
		result.peak = max(result.peak, before+one.peak)
		before += one.all
	}
	result.peak = max(result.peak, before+result.all)
	return result
}

// visitKind bounds the labels of a node's result, and those of the nodes below.
func (e *estimate) visitKind(node parser.Expr, at instants, depth int) (result lengths, below []lengths) {
	e.Nodes++
	e.Depth = max(e.Depth, depth)
	if e.Nodes > maxNodes || e.Depth > maxDepth {
		return lengths{}, nil
	}
	points := at.count()
	only := func(n parser.Expr, at instants) (lengths, []lengths) {
		one := e.visit(n, at, depth+1)
		return one, []lengths{one}
	}
	switch n := node.(type) {
	case *parser.NumberLiteral, *parser.StringLiteral:
		return lengths{}, nil
	case *parser.VectorSelector:
		e.Points += points
		return e.ofSelector(), nil
	case *parser.MatrixSelector:
		e.Points += (at.span + n.Range.Seconds()) / defaultStep
		e.Visits += points * n.Range.Seconds() / defaultStep
		return e.ofSelector(), nil
	case *parser.SubqueryExpr:
		step := n.Step.Seconds()
		if step <= 0 {
			step = defaultStep
		}
		e.Visits += points * n.Range.Seconds() / step
		return only(n.Expr, instants{span: at.span + n.Range.Seconds(), every: step})
	case *parser.ParenExpr:
		return only(n.Expr, at)
	case *parser.StepInvariantExpr:
		return only(n.Expr, at)
	case *parser.UnaryExpr:
		e.Points += points
		return only(n.Expr, at)
	case *parser.BinaryExpr:
		e.Points += points
		left, right := e.visit(n.LHS, at, depth+1), e.visit(n.RHS, at, depth+1)
		result = merge(left, right)
		if n.VectorMatching != nil && len(n.VectorMatching.Include) > 0 {
			result.all = left.all + right.all // group_left and group_right add labels of the other side
		}
		return result, []lengths{left, right}
	case *parser.AggregateExpr:
		e.Points += points
		result, below = only(n.Expr, at)
		if n.Param != nil {
			e.visit(n.Param, at, depth+1)
			if text, ok := n.Param.(*parser.StringLiteral); ok { // count_values
				result = e.write(result, text.Val, longestNumber)
			}
		}
		return result, below
	case *parser.Call:
		e.Points += points
		for _, argument := range n.Args {
			one := e.visit(argument, at, depth+1)
			result, below = merge(result, one), append(below, one)
		}
		return e.call(n, result), below
	}
	return e.ofSelector(), nil
}

// longestNumber is the length of a number as text.
const longestNumber = 25

// call bounds what functions that write labels make.
func (e *estimate) call(n *parser.Call, below lengths) lengths {
	text := func(i int) string {
		argument := n.Args[i]
		for {
			switch a := argument.(type) {
			case *parser.ParenExpr:
				argument = a.Expr
				continue
			case *parser.StepInvariantExpr:
				argument = a.Expr
				continue
			case *parser.StringLiteral:
				return a.Val
			}
			return ""
		}
	}
	switch {
	case n.Func.Name == "label_replace" && len(n.Args) == 5:
		replacement := text(2)
		made := float64(len(replacement)) + float64(strings.Count(replacement, "$"))*below.of(text(3))
		return e.write(below, text(1), made)
	case n.Func.Name == "label_join" && len(n.Args) >= 3:
		made := 0.0
		for i := 3; i < len(n.Args); i++ {
			made += below.of(text(i)) + float64(len(text(2)))
		}
		return e.write(below, text(1), made)
	}
	return below
}

// write is the effect of a function that sets a label: a copy of all labels, one
// of which is of the given length. Where the function leaves a series alone the
// label keeps its value.
func (e *estimate) write(below lengths, label string, length float64) lengths {
	result := lengths{written: map[string]float64{}, others: below.others, all: below.all + length + float64(len(label))}
	for name, known := range below.written {
		result.written[name] = known
	}
	result.written[label] = max(length, below.of(label))
	for name, known := range result.written {
		e.LabelBytes += known + float64(len(name))
	}
	e.LabelBytes += result.others
	e.Label = max(e.Label, length)
	return result
}

func merge(a, b lengths) lengths {
	result := lengths{written: map[string]float64{}, others: max(a.others, b.others), all: max(a.all, b.all)}
	for _, side := range []lengths{a, b} {
		for name := range side.written {
			result.written[name] = max(a.of(name), b.of(name))
		}
	}
	return result
}
