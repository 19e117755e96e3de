package query

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// TypeReplay asks how a rule would have alerted.
const TypeReplay Type = "replay"

// The defaults of a replay.
const (
	DefaultPast     = Duration(30 * 24 * time.Hour)
	DefaultInterval = Duration(time.Minute)
	// DefaultLook is how far back each evaluation looks, as the shipped rules do.
	DefaultLook = Duration(30 * time.Minute)
)

// ReplayView is a frame of the panel form of a replay.
type ReplayView string

// The views; empty is all but the course, the summary first.
const (
	ReplaySummary    ReplayView = "summary"
	ReplayPages      ReplayView = "pages"
	ReplayMatched    ReplayView = "matched"
	ReplayComparison ReplayView = "comparison"
	ReplayCourse     ReplayView = "course"
	ReplayCurve      ReplayView = "curve"
	ReplayProposal   ReplayView = "proposal"
	ReplayLabels     ReplayView = "labels"
	ReplayCost       ReplayView = "cost"
)

// replayViews are all of them.
var replayViews = []string{
	string(ReplaySummary), string(ReplayPages), string(ReplayMatched), string(ReplayComparison), string(ReplayCourse),
	string(ReplayCurve), string(ReplayProposal), string(ReplayLabels), string(ReplayCost),
}

// Replay asks how a rule would have alerted in the past: a question of Foresight's
// in its alert form, or a threshold on PromQL.
type Replay struct {
	Common
	// Question is the query that the rule asks, with its type: anomaly, breach or
	// composite.
	Question json.RawMessage `json:"question,omitempty"`
	// Expr is the PromQL of a threshold rule, in place of a question.
	Expr string `json:"expr,omitempty" jsonschema:"maxLength=65536"`
	// Condition compares the value with the threshold: gt (default), gte, lt, lte,
	// or present for PromQL whose every series alerts.
	Condition string `json:"condition,omitempty" jsonschema:"enum=gt,enum=gte,enum=lt,enum=lte,enum=present"`
	// Threshold is where an instance alerts. Default: 75 for scores, 0.8 for
	// probabilities; PromQL needs one.
	Threshold *float64 `json:"threshold,omitempty"`
	// Recovery is where an alert ends, on the other side of the threshold. Default:
	// 50 for scores, 0.5 for probabilities, the threshold itself for PromQL.
	Recovery *float64 `json:"recovery,omitempty"`
	// Interval is how often the rule is evaluated. Default 1m.
	Interval Duration `json:"interval,omitempty"`
	// For is the pending time. Default 0s.
	For Duration `json:"for,omitempty"`
	// KeepFiringFor is how long an alert goes on after its condition. Default 0s.
	KeepFiringFor Duration `json:"keepFiringFor,omitempty"`
	// NoDataState is what no data becomes. Default OK.
	NoDataState string `json:"noDataState,omitempty" jsonschema:"enum=OK,enum=NoData,enum=Alerting,enum=KeepLast"`
	// Look is how far back each evaluation looks, the relativeTimeRange of the
	// rule's query. Default 30m.
	Look Duration `json:"look,omitempty"`
	// Past is how much of the past is replayed, up to the end of the panel's range.
	// Default 30d.
	Past Duration `json:"past,omitempty"`
	// Objective is PromQL with a series for each service, above 0 while the service
	// harms its users, as in an impact query: the incidents that pages are matched
	// with, beside those of annotations.
	Objective string `json:"objective,omitempty" jsonschema:"maxLength=65536"`
	// PagesPerWeek is how many pages a week a proposal may make. Default 2.
	PagesPerWeek float64 `json:"pagesPerWeek,omitempty"`
	// Recall is the share of incidents that a proposal should find, 0 to 1, in
	// place of a number of pages.
	Recall float64 `json:"recall,omitempty"`
	// View is the frame a panel shows; empty for all that need no second pass.
	View ReplayView `json:"view,omitempty" jsonschema:"enum=summary,enum=pages,enum=matched,enum=comparison,enum=course,enum=curve,enum=proposal,enum=labels,enum=cost"`
}

// Type implements Query.
func (Replay) Type() Type { return TypeReplay }

// WithDefaults fills in what was not asked for.
func (q Replay) WithDefaults() Replay {
	q.Common = q.withDefaults()
	q.Condition = cmp.Or(q.Condition, "gt")
	q.Interval = cmp.Or(q.Interval, DefaultInterval)
	q.NoDataState = cmp.Or(q.NoDataState, "OK")
	q.Look = cmp.Or(q.Look, DefaultLook)
	q.Past = cmp.Or(q.Past, DefaultPast)
	q.PagesPerWeek = cmp.Or(q.PagesPerWeek, 2)
	if text := bytes.TrimSpace(q.Question); string(text) == "null" {
		q.Question = nil
	}
	return q
}

const (
	minInterval = Duration(10 * time.Second) // Grafana's shortest
	maxInterval = Duration(24 * time.Hour)
	maxFor      = Duration(7 * 24 * time.Hour)
	minPast     = Duration(time.Hour)
)

// Validate implements Query.
func (q Replay) Validate() error {
	return first(
		checkFormat(TypeReplay, q.Format),
		q.checkSubject(),
		checkLength("expr", q.Expr, maxExpr),
		checkChoice("condition", q.Condition, "gt", "gte", "lt", "lte", "present"),
		checkFinite("threshold", q.Threshold),
		checkFinite("recovery", q.Recovery),
		checkDuration("interval", q.Interval, time.Duration(minInterval), time.Duration(maxInterval)),
		checkDuration("for", q.For, 0, time.Duration(maxFor)),
		checkDuration("keepFiringFor", q.KeepFiringFor, 0, time.Duration(maxFor)),
		checkChoice("noDataState", q.NoDataState, "OK", "NoData", "Alerting", "KeepLast"),
		checkDuration("look", q.Look, minStep, 7*24*time.Hour),
		checkDuration("past", q.Past, time.Duration(minPast), maxHistory),
		checkOrder("past", q.Past, q.Interval),
		checkLength("objective", q.Objective, maxExpr),
		checkRange("pagesPerWeek", q.PagesPerWeek, 0, 10_000),
		checkRange("recall", q.Recall, 0, 1),
		checkChoice("view", string(q.View), replayViews...),
	)
}

func checkFinite(field string, v *float64) error {
	if v == nil {
		return nil
	}
	return checkRange(field, *v, -maxMinDeviation, maxMinDeviation)
}

func (q Replay) checkSubject() error {
	switch {
	case len(q.Question) == 0 && q.Expr == "":
		return errors.New("question is missing: give the query that the rule asks, with its queryType, or an expr in PromQL with a threshold")
	case len(q.Question) > 0 && q.Expr != "":
		return errors.New("question and expr exclude each other: a replay is of one rule")
	case q.Expr != "" && q.Threshold == nil && q.Condition != "present":
		return errors.New("threshold is missing: write the value from which the rule on expr alerts")
	case q.Expr != "":
		return nil
	}
	_, err := q.Asked()
	return err
}

// Asked is the question as it was parsed; nil where the rule is on PromQL.
func (q Replay) Asked() (Query, error) {
	if len(q.Question) == 0 {
		return nil, nil
	}
	asked, err := Parse("", q.Question)
	if err != nil {
		return nil, fmt.Errorf("question: %w", err)
	}
	var value Value
	switch asked := asked.(type) {
	case Anomaly:
		if asked.Distribution {
			return nil, errors.New("question: the shape of a histogram (distribution) is not replayed: give a percentile of it as expr")
		}
		value = asked.Value
	case Breach:
		if asked.Service != "" {
			return nil, errors.New("question: the resources of a service are not replayed: give the PromQL of one of them as expr")
		}
		value = asked.Value
	case Composite:
		value = asked.Value
	case Several:
		return nil, errors.New("question: a replay is of one service, operation or version: name one")
	default:
		return nil, fmt.Errorf("question: a %s query is not replayed: use one of anomaly, breach and composite", asked.Type())
	}
	if value == Firing {
		return nil, errors.New(`question: value is "firing", and a replay compares numbers: leave value out, and give the threshold to the replay`)
	}
	return asked, nil
}
