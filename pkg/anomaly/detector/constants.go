package detector

// Constants are the numbers of the calibration that no theory gives and that were
// chosen on data. `bench left-out` chooses them on all data sets but one and
// judges that one.
type Constants struct {
	// OneOffPerDay is how many past incidents a day may be taken for one-off: what
	// comes more often is what the series does.
	OneOffPerDay float64
	// WideGap is how wide a gap parts one-off incidents from usual extremes, in
	// usual gaps: chance leaves one of x usual gaps with probability e^-x.
	WideGap float64
	// Outreach is how far beyond all others an incident must reach, in height or
	// length, to be one-off.
	Outreach float64
	// PriorExcesses is what is known before any excess was seen, in excesses: tails
	// of residuals are about exponential. Twice as many draw a fitted shape there.
	PriorExcesses float64
	// RecurringDays and RecurringWeeks are the shares of days and weeks from which
	// on what comes at the same time is regular.
	RecurringDays, RecurringWeeks float64
}

// DefaultConstants are those that judge.
func DefaultConstants() Constants {
	return Constants{
		OneOffPerDay: 1, WideGap: 10, Outreach: 1.5, PriorExcesses: 10,
		RecurringDays: 0.2, RecurringWeeks: 0.5,
	}
}

// wideLogGap is WideGap for gaps of logarithms, of which heavy tails have wider
// ones.
func (c Constants) wideLogGap() float64 { return 0.7 * c.WideGap }
