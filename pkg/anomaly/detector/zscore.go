package detector

// ZScore is the deviation from the expectation in usual deviations of that time
// of the day.
type ZScore struct{}

// Name implements Detector.
func (ZScore) Name() string { return "z-score" }

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
