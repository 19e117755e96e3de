package anomaly

import (
	"math"
	"time"
)

// scoredStep is the step at which the probability of a point is that of its
// score. At a finer one chance has more points, and a point must be rarer for
// the same score: a threshold means the same time between false alarms at any.
const scoredStep = 5 * time.Minute

// Score is the fixed scale of surprise: 0 for nothing unusual, 50 for a chance
// of one in a thousand, 75 for one in ten thousand, 90 for one in a million,
// towards 100 beyond. Between those it is linear in the logarithm. Probabilities
// are those of a point of five minutes: 75 is about once in 30 days.
func Score(probability float64) float64 {
	if math.IsNaN(probability) {
		return probability
	}
	surprise := max(-math.Log10(min(max(probability, math.SmallestNonzeroFloat64), 1)), 0) // never -0
	switch {
	case surprise <= 3:
		return 50 * surprise / 3
	case surprise <= 4:
		return 50 + 25*(surprise-3)
	case surprise <= 6:
		return 75 + 15*(surprise-4)/2
	}
	// The slope at one in a million carries on, then levels off.
	return 100 - 10*math.Exp(-(surprise-6)*0.75)
}

// ProbabilityOf is the inverse of Score.
func ProbabilityOf(score float64) float64 {
	var surprise float64
	switch {
	case score <= 50:
		surprise = 3 * score / 50
	case score <= 75:
		surprise = 3 + (score-50)/25
	case score <= 90:
		surprise = 4 + (score-75)*2/15
	default:
		surprise = 6 - math.Log(max((100-score)/10, minDistance))/0.75
	}
	return math.Pow(10, -surprise)
}

// minDistance from 100 is what a score can tell apart.
const minDistance = 1e-15
