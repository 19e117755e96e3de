package breach

import (
	"math"
	"time"
)

// Some crossings come without a sign: the last day had four, of which the weeks
// that were learned from know nothing. Until they do, as many are expected.
// Only what goes beyond the learned rate counts, by more than a standard
// deviation of it.

const (
	recent = 24 * time.Hour
	// doubted is how much time without a crossing is imagined besides.
	doubted = 12 * time.Hour
)

// crossings counts the episodes beyond a threshold that began before each point:
// those that a horizon without one parts.
func crossings(values []float64, threshold float64, horizon int) []int32 {
	begun := make([]int32, len(values)+1)
	last := -horizon - 1
	for i, v := range values {
		begun[i+1] = begun[i]
		if v >= threshold {
			if i-last > horizon {
				begun[i+1]++
			}
			last = i
		}
	}
	return begun
}

// recurring is the probability of a crossing within the horizon for no other
// reason than that there were more of late than was learned; i is a point of the
// epoch.
func (o projection) recurring(i int) float64 {
	at, points := o.offset+i+1, int(recent/o.step)
	from := max(at-points, 0)
	learned, span := float64(o.begun[o.split]-o.begun[o.train]), float64(o.split-o.train)
	if span <= 0 || at <= from {
		return 0
	}
	expected := learned / span * float64(at-from)
	more := float64(o.begun[at]-o.begun[from]) - expected - math.Sqrt(expected)
	if more <= 0 {
		return 0
	}
	rate := more / (float64(at-from) + float64(doubted)/float64(o.step))
	return -math.Expm1(-rate * float64(o.horizon))
}

// expectRecurring adds what recurs to what is foreseen, at any time within the
// horizon.
func (v *view) expectRecurring() {
	sum := 0.0
	for _, c := range v.crossed {
		sum += c
	}
	if more := v.o.recurring(v.at) * (1 - sum); more > 0 {
		for h := range v.crossed {
			v.crossed[h] += more / float64(len(v.crossed))
		}
	}
}
