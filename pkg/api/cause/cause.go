// Package cause looks up what is behind an alert: the incident that it belongs to,
// the suspect with its evidence, and what changed before it. Agents and
// notifications get the same answer.
package cause

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/query"
)

// Engine answers the questions that a lookup asks.
type Engine interface {
	FleetIncidents(ctx context.Context, q query.Incidents, window engine.Window) (engine.IncidentsAnswer, error)
	RootCause(ctx context.Context, q query.RootCause, window engine.Window) (engine.RootCauseAnswer, error)
	Changes(ctx context.Context, q query.LedgerChanges, window engine.Window) (engine.LedgerAnswer, error)
}

// Alert is what is to be explained.
type Alert struct {
	Labels map[string]string
	// At is when it began to fire, and Until the time up to which data count.
	At, Until time.Time
}

// Service is the service that an alert is about; empty where its labels name none.
func (a Alert) Service() string {
	for _, label := range []string{"service_name", "service", "service.name", "app"} {
		if name := a.Labels[label]; name != "" {
			return name
		}
	}
	return ""
}

// signal is what to look at: what a label names, or else whichever is the more
// abnormal.
func (a Alert) signal() string {
	if signal := a.Labels["signal"]; signal == latency || signal == failures {
		return signal
	}
	return query.AnySignal
}

// The signals that a root cause can be asked for.
const latency, failures = "latency", "errors"

// Finding is the cause of an alert, as far as it was found. Fields are empty where
// nothing is known.
type Finding struct {
	Service string `json:"service,omitempty"`
	// Statement says in a sentence what is wrong and why.
	Statement string    `json:"statement,omitempty"`
	Signal    string    `json:"signal,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Incident  *Incident `json:"incident,omitempty"`
	Suspect   *Suspect  `json:"suspect,omitempty"`
	// Changes are those around the begin, the newest first.
	Changes []Change `json:"changes,omitempty"`
	// SlowTrace and NormalTrace are a pair to compare; empty without traces.
	SlowTrace   string   `json:"slowTrace,omitempty"`
	NormalTrace string   `json:"normalTrace,omitempty"`
	Notices     []string `json:"notices,omitempty"`
	Queries     []string `json:"-"`
}

// Known tells whether there is anything to add to an alert. That something changed
// somewhere is nothing.
func (f Finding) Known() bool {
	return f.Incident != nil || f.Suspect != nil || f.Service != "" && len(f.Changes) > 0
}

// Incident is what the alert is a part of.
type Incident struct {
	ID      string    `json:"id"`
	State   string    `json:"state"`
	Start   time.Time `json:"start"`
	Deepest string    `json:"deepest,omitempty"`
	Cause   string    `json:"cause,omitempty"`
	// Services are those that went wrong, in that order; More is how many others.
	Services []string `json:"services"`
	More     int      `json:"more,omitempty"`
	// AffectedPerMinute is the requests that failed or were slow beyond normal.
	AffectedPerMinute float64 `json:"affectedPerMinute"`
}

// Suspect is the likeliest cause.
type Suspect struct {
	Name       string   `json:"name"`
	Confidence float64  `json:"confidence,omitempty"` // 0–1; 0 where it is not known
	For        []string `json:"for,omitempty"`
	Against    []string `json:"against,omitempty"`
}

// Change is something that changed around the begin.
type Change struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Service string    `json:"service,omitempty"`
	Text    string    `json:"text"`
}

const (
	// before is how much of the time before an alert is looked at, and
	// changesBefore how far back changes count.
	before, changesBefore = time.Hour, time.Hour
	// maxServices, maxReasons and maxChanges bound what a finding holds.
	maxServices, maxReasons, maxChanges = 10, 5, 5
)

// Look asks for everything side by side. What fails, or does not answer before
// the context ends, is left out with a notice.
func Look(ctx context.Context, e Engine, alert Alert) Finding {
	l := lookup{alert: alert, window: engine.Window{From: alert.At.Add(-before), To: alert.Until, Step: time.Minute}}
	parts := l.parts(e)
	type outcome struct {
		part   int
		accept func(*lookup)
		err    error
	}
	answers := make(chan outcome, len(parts))
	for i, one := range parts {
		parallel.Go(func() {
			found := outcome{part: i}
			found.err = parallel.Safely(func() (err error) {
				found.accept, err = one.ask(ctx)
				return err
			})
			answers <- found
		})
	}
	done := make([]*outcome, len(parts))
	for range parts {
		select {
		case found := <-answers:
			done[found.part] = &found
			continue
		case <-ctx.Done():
		}
		break
	}
	// In the order of the parts, so that the same answers make the same finding.
	for i, found := range done {
		switch {
		case found == nil:
			l.notice("%s: no answer in time", parts[i].name)
		case found.err != nil:
			l.notice("%s: %v", parts[i].name, found.err)
		default:
			found.accept(&l)
		}
	}
	return l.finding()
}

// part is one of the questions of a lookup.
type part struct {
	name string
	ask  func(context.Context) (accept func(*lookup), err error)
}

// lookup gathers the answers.
type lookup struct {
	alert     Alert
	window    engine.Window
	incidents engine.IncidentsAnswer
	cause     *engine.RootCauseAnswer
	changes   engine.LedgerAnswer
	notices   []string
	queries   []string
}

func (l *lookup) notice(format string, arguments ...any) {
	text := fmt.Sprintf(format, arguments...)
	if !slices.Contains(l.notices, text) {
		l.notices = append(l.notices, text)
	}
}

func (l *lookup) take(basis engine.Provenance) {
	l.queries = append(l.queries, basis.Queries...)
	for _, text := range basis.Notices {
		l.notice("%s", text)
	}
}

// parts are the questions; without a service, only incidents and changes.
func (l *lookup) parts(e Engine) []part {
	window, service := l.window, l.alert.Service()
	parts := []part{
		{"incidents", func(ctx context.Context) (func(*lookup), error) {
			found, err := e.FleetIncidents(ctx, query.Incidents{}.WithDefaults(), window)
			return func(l *lookup) { l.incidents = found; l.take(found.Provenance) }, err
		}},
		{"changes", func(ctx context.Context) (func(*lookup), error) {
			earlier := window
			earlier.From = window.From.Add(-changesBefore)
			found, err := e.Changes(ctx, query.LedgerChanges{}.WithDefaults(), earlier)
			return func(l *lookup) { l.changes = found; l.take(found.Provenance) }, err
		}},
	}
	if service == "" {
		l.notice("The alert names no service: give it a label service_name to learn its root cause.")
		return parts
	}
	question := query.RootCause{Service: service, Signal: l.alert.signal()}.WithDefaults()
	return append(parts, part{"root cause", func(ctx context.Context) (func(*lookup), error) {
		found, err := e.RootCause(ctx, question, window)
		return func(l *lookup) { l.cause = &found; l.take(found.Provenance) }, err
	}})
}

// join names things in a list that says how many more there are.
func join(names []string, most int) string {
	text := strings.Join(names[:min(most, len(names))], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
