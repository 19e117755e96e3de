package detector

// ESD is the statistic of the seasonal-hybrid generalised extreme studentised
// deviate test (Hochenbaum, Vallis and Kejariwal 2017, section 3.3; Rosner,
// Technometrics 25, 1983): what the season leaves over, against the median and
// the median absolute deviation of the last day, which the outliers that the
// test would remove one by one do not move.
type ESD struct{}

// Name implements Detector.
func (ESD) Name() string { return "seasonal-esd" }

// Learn implements Detector.
func (ESD) Learn(past Input) Watcher { return &ofResiduals{newRolling(past)} }

type ofResiduals struct{ rolling }

func (w *ofResiduals) Observe(_, residual float64) { w.observe(residual) }

func (w *ofResiduals) Clone() Watcher { return &ofResiduals{w.clone()} }
