package detector

// SPOT looks at the observations themselves, whatever was expected: how far
// beyond what was ever seen they lie (after Siffer et al., Anomaly Detection in
// Streams with Extreme Value Theory, KDD 2017). The tail is fitted by the
// calibration that every detector goes through.
type SPOT struct{}

// Name implements Detector.
func (SPOT) Name() string { return "extreme" }

// Score implements Detector.
func (SPOT) Score(in Input) []float64 {
	center, spread := centerOf(in.Value[:in.Learn])
	scores := make([]float64, len(in.Value))
	for i, v := range in.Value {
		scores[i] = bounded((v - center) / spread)
	}
	return scores
}
