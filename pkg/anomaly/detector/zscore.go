package detector

// ZScore is the deviation from the expectation in usual deviations of that time
// of the day.
type ZScore struct{}

// Name implements Detector.
func (ZScore) Name() string { return "z-score" }

// Score implements Detector.
func (ZScore) Score(in Input) []float64 { return in.Residual }
