package anomaly

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Signal is one measure of a service's health.
type Signal struct {
	Name string
	// Weight is how much the signal says, 1 for an ordinary one.
	Weight       float64
	History      series.Series
	Direction    Direction
	MinDeviation float64
}

// CompositeRequest asks how unusual several signals are together. All lie on
// one grid.
type CompositeRequest struct {
	Signals   []Signal
	From      time.Time
	Past      time.Duration // as in Request
	Threshold float64       // of the events
	Models    *Models       // as in Request
}

// CompositeResult holds one score per point, and what each signal has to do
// with it.
type CompositeResult struct {
	Start time.Time
	Step  time.Duration
	// Score is 0–100 with the meaning of Result.Score. NaN where no signal could
	// be judged.
	Score   []float64
	Signals []Contribution
	Events  []CompositeEvent
	// Gaps are stretches in which a signal was silent while another spoke.
	Gaps    []Gap
	Notices []string
}

// Contribution is one signal's part.
type Contribution struct {
	Name   string
	Result Result // of the signal by itself
	// Share of the composite's surprise at each point, 0–1; NaN where the signal
	// could not be judged.
	Share []float64
	// Problem is why the signal could not be judged at all; empty for none.
	Problem string
}

// CompositeEvent is one incident over all signals.
type CompositeEvent struct {
	Start, End time.Time
	Score      float64
	// Signals are the names of those that made it, the largest share first.
	Signals []Witness
}

// Gap is a stretch without samples of a signal: silence, not an anomaly.
type Gap struct {
	Signal     string
	Start, End time.Time // End is the last missing point
}

// Reach is how far apart signals of one incident may be: what was unusual that
// long ago still counts.
const Reach = 5 * time.Minute

const (
	// shortestGap is how long silence must last to be told: a few scrapes may
	// always be lost.
	shortestGap     = 5 * time.Minute
	minGapPoints    = 3
	minCombinedPart = 0.05
)

// Composite judges signals together: the weighted harmonic mean of their
// p-values, valid whatever the dependence between them (Wilson, PNAS 116, 2019).
// A signal that was unusual up to five minutes ago still counts, its p-value
// doubled for having looked at more than one point. The error is the first
// signal's where none could be judged.
func Composite(r CompositeRequest) (CompositeResult, error) {
	if len(r.Signals) == 0 {
		return CompositeResult{}, fmt.Errorf("%w: there are no signals", ErrBadRequest)
	}
	if r.Threshold == 0 {
		r.Threshold = DefaultThreshold
	}
	first := r.Signals[0].History
	part := first.Between(r.From, first.Time(first.Len()))
	result := CompositeResult{Start: part.Start, Step: part.Step, Score: make([]float64, part.Len())}
	var problems []error
	surprises := make([][]float64, len(r.Signals))
	for k, signal := range r.Signals {
		h := signal.History
		if h.Step != first.Step || !h.Start.Equal(first.Start) || h.Len() != first.Len() {
			return CompositeResult{}, fmt.Errorf("%w: signal %s lies on another grid than %s", ErrBadRequest, signal.Name, r.Signals[0].Name)
		}
		judged, earlier, err := detectAfter(Request{
			History: h, From: r.From, Past: r.Past, Direction: signal.Direction, MinDeviation: signal.MinDeviation,
			Threshold: r.Threshold, NonNegative: true, Models: r.Models,
		}, Reach)
		one := Contribution{Name: signal.Name, Result: judged, Share: make([]float64, part.Len())}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", signal.Name, err))
			one.Problem = err.Error()
		}
		surprises[k] = lately(earlier, judged, part.Len())
		result.Signals = append(result.Signals, one)
	}
	if len(problems) == len(r.Signals) {
		return CompositeResult{}, errors.Join(problems...)
	}
	result.combine(r.Signals, surprises)
	result.Events = result.events(r.Threshold)
	result.Gaps = result.gaps()
	return result, nil
}

// lately is the p-value at each of n points, or twice the smallest of those up to
// Reach before it, the earlier ones than the first among them. NaN where the
// point could not be judged.
func lately(earlier []float64, judged Result, n int) []float64 {
	probabilities := series.Missing(n)
	if n == 0 || len(judged.Score) != n {
		return probabilities
	}
	scores := slices.Concat(earlier, judged.Score)
	reach := int(Reach / judged.Actual.Step)
	for i := range probabilities {
		at := len(earlier) + i
		if math.IsNaN(scores[at]) {
			continue
		}
		least := ProbabilityOf(scores[at])
		for _, score := range scores[max(at-reach, 0):at] {
			if !math.IsNaN(score) {
				least = min(least, 2*ProbabilityOf(score))
			}
		}
		probabilities[i] = least
	}
	return probabilities
}

// combine fills in the scores and the shares.
func (c *CompositeResult) combine(signals []Signal, probabilities [][]float64) {
	weights := make([]float64, len(signals))
	for k, signal := range signals {
		weights[k] = signal.Weight
		if !(weights[k] > 0) {
			weights[k] = 1
		}
	}
	at := make([]float64, len(signals))
	for i := range c.Score {
		for k := range signals {
			at[k] = probabilities[k][i]
		}
		combined, shares := detector.CombineWeighted(at, weights)
		c.Score[i] = Score(combined)
		for k := range signals {
			c.Signals[k].Share[i] = shares[k]
		}
	}
}

// events of the composite, with the signals at their peaks.
func (c *CompositeResult) events(threshold float64) []CompositeEvent {
	judged := Result{Actual: series.Series{Start: c.Start, Step: c.Step, Values: c.Score}, Score: c.Score, Expected: c.Score}
	var found []CompositeEvent
	for _, e := range Events(judged, threshold) {
		one := CompositeEvent{Start: e.Start, End: e.End, Score: e.Score}
		peak := judged.Actual.Index(e.Start)
		for i := peak; i <= judged.Actual.Index(e.End); i++ {
			if c.Score[i] == e.Score {
				peak = i
				break
			}
		}
		for _, signal := range c.Signals {
			if share := signal.Share[peak]; share >= minCombinedPart {
				one.Signals = append(one.Signals, Witness{signal.Name, share})
			}
		}
		sortWitnesses(one.Signals)
		found = append(found, one)
	}
	return found
}

// gaps are the stretches in which one signal is missing and another is not.
func (c *CompositeResult) gaps() []Gap {
	least := max(int(shortestGap/c.Step), minGapPoints)
	at := func(i int) time.Time { return c.Start.Add(time.Duration(i) * c.Step) }
	missing := func(k, i int) bool {
		values := c.Signals[k].Result.Actual.Values
		return i < len(values) && math.IsNaN(values[i])
	}
	var found []Gap
	for k, signal := range c.Signals {
		if signal.Result.Actual.Observed() == 0 {
			continue // never spoke: a problem of its own
		}
		from := -1
		for i := 0; i <= len(c.Score); i++ {
			silent := i < len(c.Score) && missing(k, i) && !math.IsNaN(c.Score[i])
			switch {
			case silent && from < 0:
				from = i
			case !silent && from >= 0:
				if i-from >= least {
					found = append(found, Gap{signal.Name, at(from), at(i - 1)})
				}
				from = -1
			}
		}
	}
	return found
}
