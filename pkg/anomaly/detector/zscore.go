package detector

// ZScore is the deviation from the expectation in usual deviations of that time
// of the day.
type ZScore struct{}

// Name implements Detector.
func (ZScore) Name() string { return "z-score" }

// Where no day is known the level follows within a few points, so that a
// deviation from it is one from them.
func (ZScore) neighbours() {}

// Learn implements Detector.
func (ZScore) Learn(Input) Watcher { return &last{} }

// last is the newest residual.
type last struct{ residual float64 }

func (l *last) Observe(_, residual float64) { l.residual = residual }

func (l *last) Score() float64 { return l.residual }

func (l *last) Clone() Watcher {
	c := *l
	return &c
}
