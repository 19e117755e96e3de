package detector

// Calibration turns the scores of a detector into probabilities.
type Calibration struct{ above, below Tail }

// Calibrate learns from the scores of the past. Extremes less than apart points
// from each other count once, by their peak (runs declustering: Coles, An
// Introduction to Statistical Modeling of Extreme Values, section 5.3.2), so
// that a long incident is one observation and not a hundred.
func Calibrate(scores []float64, apart int) Calibration {
	return Calibrator{Constants: DefaultConstants(), Apart: apart}.calibrate(scores)
}

// Calibrator learns what the scores of detectors usually are.
type Calibrator struct {
	Constants Constants
	Apart     int // points between two extremes that count apart
	// PerDay is how many points a day has, so that what comes at the same time on
	// many days is known to be regular; zero where days mean nothing.
	PerDay int
	// Resolution is the least difference between two scores of discrete data; zero
	// for continuous ones.
	Resolution float64
}

func (c Calibrator) calibrate(scores []float64) Calibration {
	mirrored := make([]float64, len(scores))
	for i, v := range scores {
		mirrored[i] = -v
	}
	return Calibration{above: c.Tail(scores), below: c.Tail(mirrored)}
}

// For is the calibration of a detector. Of one that adds up deviations it knows
// what another one is worth in a series that never deviated, as errors that were
// always zero: a power of ten, though independent ones would be far rarer.
func (c Calibrator) For(d Detector, scores []float64) Calibration {
	learned := c.calibrate(scores)
	if adds, ok := d.(interface{ unit() float64 }); ok {
		learned.above.unit, learned.below.unit = adds.unit(), adds.unit()
	}
	return learned
}

// Probability of a score at least as far out on its side.
func (c Calibration) Probability(score float64) float64 {
	if score < 0 {
		return c.below.Survival(-score)
	}
	return c.above.Survival(score)
}

// Bounds hold a score with the given probability.
func (c Calibration) Bounds(probability float64) (below, above float64) {
	tail := (1 - probability) / 2
	return max(c.below.Quantile(tail), 0), max(c.above.Quantile(tail), 0)
}
