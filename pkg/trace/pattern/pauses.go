package pattern

// Pause is the time in which the requests of a caller did nothing that can be
// seen before their first statement, on both sides. By itself it says nothing:
// code may run in it, or it may be a wait for a connection of a pool that sends
// no spans.
type Pause struct {
	// Caller and Path are the keys of the call paths of the caller and of the
	// statement; Statement is its normal form.
	Caller, Path, Statement string
	// Before and Now are means, nanoseconds.
	Before, Now float64
}

// comparedPauses are the pauses that both populations know well enough.
func (d *detection) comparedPauses() (compared []Pause) {
	for _, at := range sortedSpots(d.now.pauses) {
		before, now := d.before.pauses[at], d.now.pauses[at]
		if min(len(before), len(now)) < d.options.MinBaseline {
			continue
		}
		compared = append(compared, Pause{
			Caller: d.key(at.caller), Path: d.key(at.call), Statement: d.numbers.Path(at.call).Operation,
			Before: meanPause(before), Now: meanPause(now),
		})
	}
	return compared
}

func meanPause(pauses []pause) float64 {
	sum := 0.0
	for i := range pauses {
		sum += float64(pauses[i].self)
	}
	return sum / float64(len(pauses))
}
