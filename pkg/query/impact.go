package query

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// TypeImpact asks what watching was worth.
const TypeImpact Type = "impact"

// The defaults of an impact query.
const (
	DefaultMeasure     = "precision"
	DefaultBudget      = Duration(15 * time.Minute)
	DefaultFailsWithin = Duration(time.Hour)
)

// ImpactView is a frame of the panel form of an impact answer.
type ImpactView string

// The views; empty is all of them, the measures first.
const (
	ImpactMeasures  ImpactView = "measures"
	ImpactAlerts    ImpactView = "alerts"
	ImpactIncidents ImpactView = "incidents"
	ImpactDeploys   ImpactView = "deploys"
	ImpactPrevented ImpactView = "prevented"
)

// Impact asks what alerts, warnings and verdicts were worth inside the window:
// times to detect and to resolve, lead, precision, recall, failed deploys, and
// incidents that did not happen.
type Impact struct {
	Common
	// Service is the service.name; empty for every service.
	Service string `json:"service,omitempty"`
	// Objective is PromQL with a series for each service, above 0 while the
	// service harms its users and 0 while it does not (compare with "> bool").
	// Without it incidents are those that annotations tagged "incident" tell of.
	Objective string `json:"objective,omitempty" jsonschema:"maxLength=65536"`
	// Alerts is a regular expression over the names of the alerts that count.
	// Default: all.
	Alerts string `json:"alerts,omitempty"`
	// Budget is how late an alert may come and still have told of an incident.
	// Default 15m.
	Budget Duration `json:"budget,omitempty"`
	// FailsWithin is how long after a deploy an incident is laid at its door.
	// Default 1h.
	FailsWithin Duration `json:"failsWithin,omitempty"`
	// Demand and Replicas are PromQL with a series for each service: its load,
	// and the replicas that serve it. With PerReplica they show where reactive
	// scaling would have had too little.
	Demand string `json:"demand,omitempty" jsonschema:"maxLength=65536"`
	// Replicas is written like Demand.
	Replicas string `json:"replicas,omitempty" jsonschema:"maxLength=65536"`
	// PerReplica is the load that one replica bears, in the unit of Demand.
	PerReplica float64 `json:"perReplica,omitempty"`
	// View is the frame a panel shows; empty for all.
	View ImpactView `json:"view,omitempty" jsonschema:"enum=measures,enum=alerts,enum=incidents,enum=deploys,enum=prevented"`
	// Measure is the number that a rule gets. Default precision.
	Measure string `json:"measure,omitempty" jsonschema:"enum=precision,enum=recall,enum=changeFailure,enum=detect,enum=lead,enum=resolve,enum=prevented"`
}

// Type implements Query.
func (Impact) Type() Type { return TypeImpact }

// WithDefaults fills in what was not asked for.
func (q Impact) WithDefaults() Impact {
	q.Common = q.withDefaults()
	q.Budget = cmp.Or(q.Budget, DefaultBudget)
	q.FailsWithin = cmp.Or(q.FailsWithin, DefaultFailsWithin)
	q.Measure = cmp.Or(q.Measure, DefaultMeasure)
	return q
}

// Validate implements Query.
func (q Impact) Validate() error {
	return first(
		checkFormat(TypeImpact, q.Format),
		checkName("service", q.Service),
		checkLength("objective", q.Objective, maxExpr),
		checkPattern("alerts", q.Alerts),
		checkDuration("budget", q.Budget, minStep, maxHistory),
		checkDuration("failsWithin", q.FailsWithin, minStep, maxHistory),
		checkLength("demand", q.Demand, maxExpr),
		checkLength("replicas", q.Replicas, maxExpr),
		checkRange("perReplica", q.PerReplica, 0, maxMinDeviation),
		q.checkCapacity(),
		checkChoice("view", string(q.View), string(ImpactMeasures), string(ImpactAlerts), string(ImpactIncidents), string(ImpactDeploys), string(ImpactPrevented)),
		checkChoice("measure", q.Measure, "precision", "recall", "changeFailure", "detect", "lead", "resolve", "prevented"),
	)
}

func (q Impact) checkCapacity() error {
	given := q.Demand != "" || q.Replicas != "" || q.PerReplica != 0
	if given && (q.Demand == "" || q.Replicas == "" || q.PerReplica == 0) {
		return errors.New("demand, replicas and perReplica belong together: give all three, or none")
	}
	return nil
}

func checkPattern(field, pattern string) error {
	if err := checkLength(field, pattern, maxName); err != nil {
		return err
	}
	if _, err := regexp.Compile(pattern); err != nil {
		return fmt.Errorf("%s is no regular expression: %w", field, err)
	}
	return nil
}
