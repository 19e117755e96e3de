// Package core holds what every query of the engine shares: the sources to ask,
// the window and its time grid, the history of a metric, and what an answer
// rests on.
package core

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Sources are what the engine reads from. A source that is not configured is
// nil.
type Sources struct {
	Metrics upstream.Metrics
	Traces  upstream.Traces
	// Annotations in Grafana: events labelled as real or false, acts of playbooks,
	// incidents, and alerts that fired.
	Feedback  annotation.Source[annotation.Feedback]
	Acts      annotation.Source[annotation.Act]
	Incidents annotation.Source[annotation.Incident]
	Alerts    annotation.Source[annotation.Alert]
	Announced annotation.Source[annotation.Change] // other changes
	Limits    Limits
	// Scrape is how often metrics are scraped; 0 to learn it from the samples.
	Scrape time.Duration
	// Now is the clock. It only keeps windows out of the future.
	Now func() time.Time
}

// Limits bound what one question may cost.
type Limits struct {
	MaxSeries int // series per question
	MaxTraces int // traces per side of a comparison
}

// Window is the time range a question is about, as it was asked: not yet
// aligned.
type Window struct {
	From, To time.Time
	Step     time.Duration // what the panel can show; 0 for no wish
	// Scrape is how often what the question is about is scraped; a finer step than
	// that would only repeat samples.
	Scrape time.Duration
	// Complete says that no series may be left out, as of a rule: the query fails
	// instead.
	Complete bool
	// Drawn says that a panel draws the answer, and nothing outside the window.
	Drawn bool
}

// NamesAnswer is a sorted list for a variable.
type NamesAnswer struct {
	Provenance
	Names []string
}

// SideTimeout is how long a query waits for what only adds to its answer:
// deploys that others know of, metrics beside traces.
const SideTimeout = 5 * time.Second
