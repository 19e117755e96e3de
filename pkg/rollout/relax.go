package rollout

import (
	"math"
	"time"
)

// relaxedRuns choose what to relax: less exactly than a schedule.
const relaxedRuns = 100

// relax is what would let the promise be kept, one constraint at a time: each
// verified by a schedule that keeps what is left.
func (s Service) relax(p Promise, tried []schedule) (changes []Relaxation) {
	harmed, inTime := math.Inf(1), 0.0
	for _, one := range tried {
		if one.found {
			harmed = math.Min(harmed, one.harmed)
		}
		inTime = math.Max(inTime, one.inTime)
	}
	if p.MaxHarmed > 0 && !math.IsInf(harmed, 1) {
		changes = append(changes, Relaxation{MaxHarmed, p.MaxHarmed, roundUp(harmed)})
	}
	for factor := 1.25; factor <= 10 && p.Ratio*factor*s.Bad < 1; factor *= 1.25 {
		worse := p
		worse.Ratio *= factor
		if best, _ := s.fastest(worse, relaxedRuns); best != nil {
			changes = append(changes, Relaxation{Ratio, p.Ratio, math.Ceil(10*worse.Ratio) / 10})
			break
		}
	}
	for factor := 2; factor <= 16 && math.IsInf(harmed, 1); factor *= 2 {
		longer := p
		longer.MaxDuration *= time.Duration(factor)
		if best, _ := s.coarse(longer.MaxDuration).fastest(longer, relaxedRuns); best != nil {
			changes = append(changes, Relaxation{MaxDuration, p.MaxDuration.Seconds(), longer.MaxDuration.Seconds()})
			break
		}
	}
	if inTime > 0.5 && inTime < p.Probability {
		changes = append(changes, Relaxation{Probability, p.Probability, math.Floor(100*inTime) / 100})
	}
	if len(changes) == 0 {
		changes = append(changes, Relaxation{MaxDuration, p.MaxDuration.Seconds(), math.NaN()})
	}
	return changes
}

// roundUp rounds up to two digits.
func roundUp(v float64) float64 {
	if !(v > 0) {
		return v
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))-1)
	return math.Ceil(v/unit) * unit
}
