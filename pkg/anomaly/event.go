package anomaly

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
)

const (
	// release is the share of the threshold below which an event ends, so that
	// a score that hovers at the threshold makes one event.
	release       = 0.6
	minRefractory = 5 // points
)

// grouping makes events of scores, point by point: one incident, one event. An
// event begins where the score reaches the threshold, goes on while it stays
// above the release level, and takes in what follows until it has been quiet for
// the refractory time, or for much longer than the event lasted, or is rare.
type grouping struct {
	threshold float64
	patience  int     // points
	soon      int     // points
	quiet     float64 // of the event's length
	rare      float64
	since     int // the last point of the latest event, in points
	length    int // of the latest event, in points
	active    bool
}

// part is what a point is to an event.
type part int

const (
	outside part = iota
	begins
	goesOn
)

func newGrouping(threshold float64, step time.Duration, c Constants) grouping {
	patience := max(int(c.Refractory/step), minRefractory)
	return grouping{
		threshold: threshold, patience: patience, since: patience,
		soon: max(int(c.Soon/step), minRefractory), quiet: c.Quiet, rare: c.Rare,
	}
}

func (g *grouping) next(score float64) part {
	if g.since <= g.patience {
		g.since++
	}
	found := goesOn
	switch {
	case math.IsNaN(score):
		return outside
	case score >= g.threshold:
		apart := g.since > g.soon && (score >= g.rare || g.since > int(g.quiet*float64(g.length)))
		if g.since > g.patience || !g.active && apart {
			found, g.length = begins, 0
		}
		g.active = true
	case score < release*g.threshold:
		g.active = false
	}
	if !g.active {
		return outside
	}
	if found == goesOn {
		g.length += g.since
	}
	g.since = 0
	return found
}

// Events groups unusual points into events.
func Events(r Result, threshold float64) []Event {
	return DefaultConstants().Events(r, threshold)
}

// Events groups unusual points into events.
func (c Constants) Events(r Result, threshold float64) []Event {
	group := newGrouping(threshold, r.Actual.Step, c)
	var found []Event
	for i, score := range r.Score {
		at := r.Actual.Time(i)
		switch group.next(score) {
		case begins:
			found = append(found, Event{Start: at, Score: -1})
			fallthrough
		case goesOn:
			found[len(found)-1].extend(at, r.Actual.Values[i], r.Expected[i], score, func() []Witness { return r.witnesses(i) })
		}
	}
	return found
}

// extend takes a point into the event.
func (e *Event) extend(at time.Time, actual, expected, score float64, witnesses func() []Witness) {
	e.End = at
	if score > e.Score {
		e.Score = score
		e.Actual, e.Expected = actual, expected
		e.Above = actual > expected
		e.Witnesses = witnesses()
	}
}

// minShare is the part below which a detector is not named.
const minShare = 0.05

func (r Result) witnesses(i int) []Witness {
	probabilities := make([]float64, len(r.Judgements))
	for k, judgement := range r.Judgements {
		probabilities[k] = judgement.Probability[i]
	}
	return witnesses(probabilities, func(k int) string { return r.Judgements[k].Detector })
}

func witnesses(probabilities []float64, name func(k int) string) []Witness {
	var named []Witness
	_, shares := detector.Combine(probabilities)
	for k, share := range shares {
		if share >= minShare {
			named = append(named, Witness{name(k), share})
		}
	}
	sortWitnesses(named)
	return named
}

func sortWitnesses(named []Witness) {
	slices.SortStableFunc(named, func(a, b Witness) int { return cmp.Compare(b.Share, a.Share) })
}
