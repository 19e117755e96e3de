package sizing

import "math"

// Urgency says whether anything needs to be done about a recommendation.
type Urgency string

// The urgencies. What is ample is fine; only what is too small, or grossly too
// large, is worth a person's time.
const (
	Unknown  Urgency = "unknown" // the recommendation or the present setting is unknown
	Fine     Urgency = "fine"
	Short    Urgency = "short"
	Wasteful Urgency = "wasteful"
)

// wasted is how many times the upper bound of what is needed the present size
// must be to be wasteful.
const wasted = 3

// Urgency compares the present size with what is recommended.
func (r Recommendation) Urgency() Urgency {
	switch {
	case math.IsNaN(r.Value) || math.IsNaN(r.Current):
		return Unknown
	case r.Current < r.Value:
		return Short
	case r.Current > wasted*math.Max(r.Upper, 1):
		return Wasteful
	}
	return Fine
}
