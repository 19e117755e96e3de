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
	release = 0.6
	// refractory is how long after an event a new one still belongs to it: half a
	// day, so that whoever was told is not told again in the same shift, and what
	// comes every day can still be told apart.
	refractory       = 12 * time.Hour
	fewestRefractory = 5 // points
)

// Events groups unusual points: one incident, one event. An event begins where
// the score reaches the threshold, goes on while it stays above the release
// level, and takes in what follows within the refractory time.
func Events(r Result, threshold float64) []Event {
	patience := max(int(refractory/r.Actual.Step), fewestRefractory)
	var found []Event
	last := math.MinInt / 2 // last unusual point of the latest event
	active := false
	for i, score := range r.Score {
		switch {
		case math.IsNaN(score):
			continue
		case score >= threshold:
			if i-last > patience {
				found = append(found, Event{Start: r.Actual.Time(i), Score: -1})
			}
			active = true
		case score < release*threshold:
			active = false
		}
		if !active {
			continue
		}
		last = i
		event := &found[len(found)-1]
		event.End = r.Actual.Time(i)
		if score > event.Score {
			event.Score = score
			event.Actual, event.Expected = r.Actual.Values[i], r.Expected[i]
			event.Above = event.Actual > event.Expected
			event.Witnesses = r.witnesses(i)
		}
	}
	return found
}

// leastShare is the part below which a detector is not named.
const leastShare = 0.05

func (r Result) witnesses(i int) []Witness {
	probabilities := make([]float64, len(r.Judgements))
	for k, judgement := range r.Judgements {
		probabilities[k] = judgement.Probability[i]
	}
	var named []Witness
	_, shares := detector.Combine(probabilities)
	for k, share := range shares {
		if share >= leastShare {
			named = append(named, Witness{r.Judgements[k].Detector, share})
		}
	}
	sortWitnesses(named)
	return named
}

func sortWitnesses(named []Witness) {
	slices.SortStableFunc(named, func(a, b Witness) int { return cmp.Compare(b.Share, a.Share) })
}
