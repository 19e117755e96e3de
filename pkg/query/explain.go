package query

import "time"

// TypeExplain asks which labels carry a metric's change.
const TypeExplain Type = "explain"

// Explain asks which values of which labels carry the change of a metric: exactly
// for sums, counts, averages and ratios of them, and for histograms by what lies
// beyond the quantile before.
type Explain struct {
	Common
	// Expr is the metric, in PromQL: a sum, a count, an average, a ratio of them, or
	// a quantile of a histogram.
	Expr string `json:"expr" jsonschema:"minLength=1,maxLength=65536"`
	// Filters narrow every series that Expr selects.
	Filters []Filter `json:"filters,omitempty" jsonschema:"maxItems=50"`
	// Labels to split by. Default: those that the series have.
	Labels []string `json:"labels,omitempty" jsonschema:"maxItems=30"`
	// Since is when the change began: RFC 3339, milliseconds since the epoch, or
	// relative to the end of the window ("-30m"). Default: where the level of the
	// metric changed most inside the window.
	Since string `json:"since,omitempty"`
	// Until is the end of the change, written like Since. Default: the end of the
	// window.
	Until string `json:"until,omitempty"`
	// Step overrides the step that follows from the window.
	Step Duration `json:"step,omitempty"`
}

// maxExplainLabels bounds the labels of a question.
const maxExplainLabels = 30

// Type implements Query.
func (Explain) Type() Type { return TypeExplain }

// WithDefaults fills in what was not asked for.
func (q Explain) WithDefaults() Explain {
	q.Common = q.withDefaults()
	return q
}

// Validate implements Query.
func (q Explain) Validate() error {
	_, errSince := moment("since", q.Since, time.Time{})
	_, errUntil := moment("until", q.Until, time.Time{})
	return first(
		checkFormat(TypeExplain, q.Format),
		checkExpr(q.Expr, "explain"),
		checkFilters(q.Filters),
		checkLabels(q.Labels),
		errSince,
		errUntil,
		checkDuration("step", q.Step, minStep, maxStep),
	)
}

// Bounds are when the change began, the zero time where the question leaves that
// open, and when it ended.
func (q Explain) Bounds(windowTo time.Time) (since, until time.Time, err error) {
	if q.Since != "" {
		if since, err = moment("since", q.Since, windowTo); err != nil {
			return since, until, err
		}
	}
	until, err = moment("until", q.Until, windowTo)
	return since, until, err
}
