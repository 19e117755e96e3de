package query

import (
	"cmp"
	"errors"
	"fmt"
)

// TypeJourney asks how users get through a journey, TypeJourneys for the names of
// the journeys in the settings.
const (
	TypeJourney  Type = "journey"
	TypeJourneys Type = "journeys"
)

// MaxJourneySteps bounds the steps of a journey.
const MaxJourneySteps = 20

// JourneyStep is one step of a journey: an operation of a service or, in place of
// both, a filter of traces.
type JourneyStep struct {
	// Name is what people read. Default: the service and the operation.
	Name string `json:"name,omitempty"`
	// Service is the service.name.
	Service string `json:"service,omitempty"`
	// Operation is the span name.
	Operation string `json:"operation,omitempty"`
	// TraceQL is a spanset filter in place of service and operation. Its traces are
	// counted inside the window, without a past.
	TraceQL string `json:"traceQL,omitempty"`
}

// Title is the step's name for people.
func (s JourneyStep) Title() string {
	if s.TraceQL != "" {
		return cmp.Or(s.Name, s.TraceQL)
	}
	return cmp.Or(s.Name, s.Service+" "+s.Operation)
}

// CheckSteps says what is wrong with the steps of a journey; nil for nothing.
func CheckSteps(steps []JourneyStep) error {
	if len(steps) > MaxJourneySteps {
		return fmt.Errorf("steps are %d; a journey has at most %d", len(steps), MaxJourneySteps)
	}
	for i, s := range steps {
		field := fmt.Sprintf("steps[%d]", i)
		var which error
		switch {
		case s.TraceQL != "" && (s.Service != "" || s.Operation != ""):
			which = fmt.Errorf("%s has traceQL beside service and operation: give one of both", field)
		case s.TraceQL == "" && (s.Service == "" || s.Operation == ""):
			which = fmt.Errorf("%s needs a service and an operation, or traceQL", field)
		}
		if err := first(which, checkName(field+".name", s.Name), checkName(field+".service", s.Service),
			checkName(field+".operation", s.Operation), checkLength(field+".traceQL", s.TraceQL, maxExpr)); err != nil {
			return err
		}
	}
	return nil
}

// Journey asks how users get through the steps of a journey inside the window.
type Journey struct {
	Common
	// Journey is the name of a journey in the settings, or of the Steps. Default:
	// every journey in the settings.
	Journey string `json:"journey,omitempty"`
	// Steps are the journey's, in place of one in the settings.
	Steps []JourneyStep `json:"steps,omitempty"`
	// View chooses what a panel shows: "summary" (default) for the tables of
	// journeys and steps, "series" for completions over time with their forecast.
	View JourneyView `json:"view,omitempty" jsonschema:"enum=summary,enum=series"`
	// History is how far back to learn from. Default 14d.
	History Duration `json:"history,omitempty"`
	// Step overrides the step that follows from the panel's resolution.
	Step Duration `json:"step,omitempty"`
	// Threshold is the score from which on a journey is abnormal. It is normal again
	// after five steps below two thirds of it. Default 75.
	Threshold float64 `json:"threshold,omitempty"`
}

// JourneyView is a part of the answer about a journey.
type JourneyView string

// The views of a journey.
const (
	JourneySummary JourneyView = "summary"
	JourneySeries  JourneyView = "series"
)

// Type implements Query.
func (Journey) Type() Type { return TypeJourney }

// WithDefaults fills in what was not asked for.
func (q Journey) WithDefaults() Journey {
	q.Common = q.withDefaults()
	q.History = cmp.Or(q.History, DefaultHistory)
	q.Threshold = cmp.Or(q.Threshold, DefaultThreshold)
	q.View = cmp.Or(q.View, JourneySummary)
	return q
}

// Validate implements Query.
func (q Journey) Validate() error {
	var unnamed error
	if len(q.Steps) > 0 && q.Journey == "" {
		unnamed = errors.New("journey is missing: name the journey of the steps")
	}
	return first(
		checkFormat(TypeJourney, q.Format),
		checkName("journey", q.Journey),
		unnamed,
		CheckSteps(q.Steps),
		checkChoice("view", string(q.View), string(JourneySummary), string(JourneySeries)),
		checkDuration("history", q.History, minHistory, maxHistory),
		checkDuration("step", q.Step, minStep, maxStep),
		checkOrder("history", q.History, q.Step),
		checkRange("threshold", q.Threshold, 0, 100),
	)
}

// Journeys asks for the names of the journeys in the settings.
type Journeys struct{ Common }

// Type implements Query.
func (Journeys) Type() Type { return TypeJourneys }

// WithDefaults fills in what was not asked for.
func (q Journeys) WithDefaults() Journeys { return Journeys{q.withDefaults()} }

// Validate implements Query.
func (q Journeys) Validate() error { return checkFormat(TypeJourneys, q.Format) }
