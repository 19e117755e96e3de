package detector

// SPOT looks at the observations themselves, whatever was expected: how far
// beyond what was ever seen they lie (after Siffer et al., Anomaly Detection in
// Streams with Extreme Value Theory, KDD 2017). The tail is fitted by the
// calibration that every detector goes through.
type SPOT struct{}

// Name implements Detector.
func (SPOT) Name() string { return "extreme" }

// Learn implements Detector.
func (SPOT) Learn(past Input) Watcher {
	center, spread := centerOf(past.Value)
	return &extreme{center: center, spread: spread}
}

type extreme struct{ center, spread, value float64 }

func (e *extreme) Observe(value, _ float64) { e.value = value }

func (e *extreme) Score() float64 { return bounded((e.value - e.center) / e.spread) }

func (e *extreme) Clone() Watcher {
	c := *e
	return &c
}
