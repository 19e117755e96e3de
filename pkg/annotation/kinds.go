package annotation

import (
	"slices"
	"strings"
	"time"
)

// Deploy is a deploy that a person or a pipeline announced.
type Deploy struct {
	// Service and Version are empty where the tags do not name them.
	Service, Version, Environment string
	At                            time.Time
	Text                          string
	// Words are the tags without a key: one may be the name of a service.
	Words []string
}

// Tags are those of a deploy; mark is the one by which deploys are found.
func (d Deploy) Tags(mark string) []string {
	return append([]string{mark}, encode(serviceKey, d.Service, versionKey, d.Version, environmentKey, d.Environment)...)
}

// ReadDeploy reads deploys. The tags that mark deploys are no words of theirs.
func ReadDeploy(marks []string) func(Annotation) (Deploy, bool) {
	return func(a Annotation) (Deploy, bool) {
		f := parse(a.Tags)
		return Deploy{
			Service: f.values[serviceKey], Version: f.values[versionKey], Environment: f.values[environmentKey], At: a.Start, Text: a.Text,
			Words: slices.DeleteFunc(f.words, func(word string) bool { return slices.Contains(marks, word) }),
		}, true
	}
}

// Alert is the time in which an alert fired.
type Alert struct {
	Name, Service, Severity, Signal string
	Start                           time.Time
	End                             time.Time // the zero time while it fires
}

// Tags are those of an alert.
func (a Alert) Tags() []string {
	return append([]string{AlertTag}, encode(alertKey, a.Name, serviceKey, a.Service, severityKey, a.Severity, signalKey, a.Signal)...)
}

// ReadAlert reads alerts.
func ReadAlert(a Annotation) (Alert, bool) {
	f := parse(a.Tags)
	return Alert{
		Name: f.values[alertKey], Service: f.values[serviceKey], Severity: f.values[severityKey], Signal: f.values[signalKey], Start: a.Start, End: a.End,
	}, true
}

// Incident is an incident that people or an incident tool wrote down.
type Incident struct {
	Service string
	Start   time.Time
	End     time.Time // the zero time where it is unknown
}

// ReadIncident reads incidents.
func ReadIncident(a Annotation) (Incident, bool) {
	return Incident{Service: parse(a.Tags).values[serviceKey], Start: a.Start, End: a.End}, true
}

// Change is a change that a person or a program announced: a feature flag, a
// migration, an incident of a provider.
type Change struct {
	Kind    string // as "flag"; empty where the tags do not name it
	Service string
	Text    string
	Start   time.Time
	End     time.Time // the zero time for an instant
}

// ReadChange reads changes.
func ReadChange(a Annotation) (Change, bool) {
	f := parse(a.Tags)
	return Change{Kind: f.values[kindKey], Service: f.values[serviceKey], Text: a.Text, Start: a.Start, End: a.End}, true
}

// The states of an annotation of Foresight's own: what people say of an event,
// and what was done about a recommendation.
const (
	stateReal       = "true"
	stateFalseAlarm = "false"
	stateActed      = "acted"
	stateProposed   = "proposed"
	stateOutcome    = "outcome"
)

// StateTags are those of all annotations that ReadFeedback, ReadAct and
// ReadOutcome read.
func StateTags() []string {
	return []string{tag(stateKey, stateReal), tag(stateKey, stateFalseAlarm), tag(stateKey, stateActed), tag(stateKey, stateOutcome)}
}

func stateOf(f fields) string { return strings.ToLower(f.values[stateKey]) }

// Feedback is whether a past event was real.
type Feedback struct {
	Service string // empty for any
	At      time.Time
	Real    bool
}

// Tags are those of feedback.
func (f Feedback) Tags() []string {
	state := stateFalseAlarm
	if f.Real {
		state = stateReal
	}
	return encode(stateKey, state, serviceKey, f.Service)
}

// ReadFeedback reads feedback.
func ReadFeedback(a Annotation) (Feedback, bool) {
	f := parse(a.Tags)
	state := stateOf(f)
	return Feedback{Service: f.values[serviceKey], At: a.Start, Real: state == stateReal}, state == stateReal || state == stateFalseAlarm
}

// Act is a recommendation of a playbook that was sent, or proposed.
type Act struct {
	ID                        string // of the recommendation
	Playbook, Action, Service string
	At                        time.Time
	Proposed                  bool // and not sent
}

// Tags are those of an act.
func (a Act) Tags() []string {
	state := stateActed
	if a.Proposed {
		state = stateProposed
	}
	return encode(stateKey, state, playbookKey, a.Playbook, actionKey, a.Action, serviceKey, a.Service, referenceKey, a.ID)
}

// ReadAct reads acts that were carried out; other automation than ours may write
// them too, without an id and a playbook.
func ReadAct(a Annotation) (Act, bool) {
	f := parse(a.Tags)
	return Act{
		ID: f.values[referenceKey], Playbook: f.values[playbookKey], Action: f.values[actionKey], Service: f.values[serviceKey], At: a.Start,
	}, stateOf(f) == stateActed
}

// Outcome is what came of an act.
type Outcome struct {
	ID                         string // of the recommendation
	Outcome, Playbook, Service string
}

// Tags are those of an outcome.
func (o Outcome) Tags() []string {
	return encode(stateKey, stateOutcome, outcomeKey, o.Outcome, playbookKey, o.Playbook, serviceKey, o.Service, referenceKey, o.ID)
}

// ReadOutcome reads outcomes.
func ReadOutcome(a Annotation) (Outcome, bool) {
	f := parse(a.Tags)
	return Outcome{ID: f.values[referenceKey], Outcome: f.values[outcomeKey], Playbook: f.values[playbookKey], Service: f.values[serviceKey]}, stateOf(f) == stateOutcome
}

// Number is a number that was written down on request.
type Number struct {
	Kind                  string // as predicted_demand
	SubjectLabel, Subject string // empty where it is about all
}

// Tags are those of a number.
func (n Number) Tags() []string {
	tags := []string{"foresight", n.Kind}
	if n.Subject != "" {
		tags = append(tags, encode(n.SubjectLabel, n.Subject)...)
	}
	return tags
}
