package impact

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Ground is why an incident is said to have been prevented.
type Ground string

// The grounds.
const (
	// ByRollback is a rollout that was rolled back after our fail, without an
	// incident of the service meanwhile, and that is known to have needed it.
	ByRollback Ground = "rollback"
	// ByCapacity is a time in which reactive scaling would have had too little.
	ByCapacity Ground = "capacity"
	// ByWarning is the calibrated expectation over warnings that were acted upon.
	ByWarning Ground = "warning"
)

// Prevented are incidents that did not happen, on one ground.
type Prevented struct {
	Ground  Ground
	Service string
	At      time.Time // of the last, for ByWarning
	// Count is 1, or the number expected, which need not be whole and may be
	// negative; Interval is its own, Count alone where it was counted.
	Count    float64
	Interval stats.Interval
	Reason   string
}

// minShadows is how many warnings that nobody acted upon it takes to say
// whether probabilities are calibrated.
const minShadows = 20

func (j judge) prevented() (found []Prevented, notCounted []string) {
	found, notCounted = j.byRollback()
	for _, s := range j.Scaled {
		for _, stretch := range s.Missed() {
			found = append(found, one(ByCapacity, s.Service, stretch.Start,
				fmt.Sprintf("reactive scaling alone would have had too little capacity for %s", stretch.End.Sub(stretch.Start))))
		}
	}
	expected, reason := j.expected()
	if reason != "" {
		notCounted = append(notCounted, reason)
	}
	return append(found, expected...), notCounted
}

func one(ground Ground, service string, at time.Time, reason string) Prevented {
	return Prevented{ground, service, at, 1, stats.Interval{Estimate: 1, Lower: 1, Upper: 1}, reason}
}

// expected is, by service, how many breaches the warnings that were acted upon
// led to expect, less those that came all the same. It needs probabilities that
// are shown to be calibrated: among the warnings that nobody acted upon as many
// breached as they said, within the interval of their number. The reason says
// why there is no such number.
func (j judge) expected() (found []Prevented, reason string) {
	var shadows, breached int
	var predicted float64
	acted := map[string][]Warning{}
	for _, w := range j.Warnings {
		if !(w.Probability >= 0 && w.Probability <= 1) || w.At.Add(w.Horizon).After(j.To) || !j.watched(w.Service) {
			continue
		}
		if j.acted(w.Service, w.At, w.At.Add(w.Horizon)) {
			acted[w.Service] = append(acted[w.Service], w)
			continue
		}
		shadows++
		predicted += w.Probability
		if j.breached(w) {
			breached++
		}
	}
	if len(acted) == 0 {
		return nil, ""
	}
	if shadows < minShadows {
		return nil, fmt.Sprintf("Warnings acted upon are not counted: whether their probabilities are calibrated takes %d warnings that nobody acted upon; there are %d.", minShadows, shadows)
	}
	came := stats.Wilson(stats.Proportion{Successes: breached, Trials: shadows}, j.Confidence)
	if said := predicted / float64(shadows); said < came.Lower || said > came.Upper {
		return nil, fmt.Sprintf("Warnings acted upon are not counted: their probabilities are not calibrated. Of %d that nobody acted upon %.0f %% breached; they predicted %.0f %%.",
			shadows, 100*came.Estimate, 100*said)
	}
	for service, warnings := range acted {
		found = append(found, j.expectation(service, warnings))
	}
	slices.SortFunc(found, func(a, b Prevented) int { return a.At.Compare(b.At) })
	return found, ""
}

// expectation sums up independent warnings: the interval is the normal one of a
// Poisson binomial variable.
func (j judge) expectation(service string, warnings []Warning) Prevented {
	var sum, variance, came float64
	last := warnings[0].At
	for _, w := range warnings {
		sum += w.Probability
		variance += w.Probability * (1 - w.Probability)
		if j.breached(w) {
			came++
		}
		if w.At.After(last) {
			last = w.At
		}
	}
	half := distuv.UnitNormal.Quantile((1+j.Confidence)/2) * math.Sqrt(variance)
	lower, upper := math.Max(0, sum-half)-came, math.Min(float64(len(warnings)), sum+half)-came
	return Prevented{ByWarning, service, last, sum - came, stats.Interval{Estimate: sum - came, Lower: lower, Upper: upper},
		fmt.Sprintf("%d warnings were acted upon: %.1f breaches were expected, %.0f occurred", len(warnings), sum, came)}
}

// breached tells whether an incident began within a warning's horizon.
func (j judge) breached(w Warning) bool {
	return slices.ContainsFunc(j.Incidents, func(i Incident) bool {
		return i.Service == w.Service && i.Source.timed() && i.Start.After(w.At) && !i.Start.After(w.At.Add(w.Horizon))
	})
}
