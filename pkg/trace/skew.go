package trace

// Clocks of different hosts differ. Causality bounds by how much: the server's
// part of a call lies inside its caller's. Where it does not, and would fit,
// the server's clock is shifted until it does, and what the server did in its
// own process moves along. The gap of the call is thereby exact; only its
// split into the way there and the way back is unknown.

// patience says how sure it is that a caller waited until a call had ended.
type patience uint8

const (
	unknown patience = iota // no client's span tells
	waited
	gaveUp // it failed: the server may have gone on
)

func waits(caller *Span) patience {
	switch {
	case caller.Kind == Client && caller.Failed:
		return gaveUp
	case caller.Kind == Client:
		return waited
	}
	return unknown
}

// shiftOf is what to add to the clock of a server's span so that it lies
// within its caller's part; moved tells a repair from a clock that was right,
// or off like its caller's. A call that begins within its caller and only ends
// after it is no proof of a wrong clock, unless the caller waited for it.
func (b *Builder) shiftOf(server int32, callerShift int64, caller interval, patience patience) (shift int64, moved bool) {
	span := &b.tree.Trace.Spans[server]
	if !hasOwnClock(span) || beginsInPlace(span, caller, patience) {
		return 0, false
	}
	begin := clampTime(span.Start)
	return bounded(caller.start-begin, caller.end-begin-clampDuration(span.Duration), callerShift)
}

// beginsInPlace says that a call begins within a caller that may not have waited
// for its end: nothing is wrong with its clock, as far as anybody can tell.
func beginsInPlace(span *Span, caller interval, patience patience) bool {
	begin := clampTime(span.Start)
	return patience != waited && caller.start <= begin && begin < caller.end
}

// hasOwnClock says that a span whose caller is of another service answers a
// call: a server's, or one of whom no kind is known.
func hasOwnClock(span *Span) bool {
	return span.Kind == Server || span.Kind == Unspecified && !span.Follows
}

// bounded is the shift within the bounds: none where that fits, else the
// caller's, else the least that fits. A clock that is off by more than the
// bounds are wide is plainly wrong, and the middle of the bounds is the better
// guess: as long there as back, as in NTP.
func bounded(low, high, callerShift int64) (shift int64, moved bool) {
	least := low
	if high < 0 {
		least = -high
	}
	switch {
	case low > high: // longer than its caller: no shift makes it fit
		return 0, false
	case low <= 0 && 0 <= high:
		return 0, false
	case low <= callerShift && callerShift <= high:
		return callerShift, false
	case least > maxSkew:
		return 0, false
	case least > high-low:
		return low + (high-low)/2, true
	case low > 0:
		return low, true
	}
	return high, true
}

// shiftChildren sets the shifts of a node's calls. Calls in the caller's own
// service share its clock. Servers of one service under one caller are moved
// together, as one clock would, if that puts all of them right: their order is
// kept.
func (b *Builder) shiftChildren(children []pendingNode, parent *Node, shift int64) {
	spans := b.tree.Trace.Spans
	start, end := parent.InnerStart, parent.InnerStart+parent.InnerDuration
	service, patience := "", unknown
	if parent.Span != None {
		caller := &spans[parent.inner()]
		service, patience = caller.Service, waits(caller)
	}
	wrong := false
	for i := range children {
		child := &spans[children[i].span]
		if child.Service == service {
			children[i].shift = shift
			continue
		}
		var moved bool
		children[i].shift, moved = b.shiftOf(children[i].span, shift, interval{start: start, end: end}, patience)
		wrong = wrong || moved
	}
	if !wrong {
		return
	}
	type bounds struct {
		low, high int64
	}
	clocks := map[string]bounds{}
	for i := range children {
		child := &spans[children[i].span]
		if !hasOwnClock(child) || child.Service == service || beginsInPlace(child, interval{start: start, end: end}, patience) {
			continue
		}
		begin := clampTime(child.Start)
		low, high := start-begin, end-begin-clampDuration(child.Duration)
		if low > high {
			continue
		}
		if _, moved := bounded(low, high, shift); moved {
			b.tree.Repairs.Skewed++
		}
		if known, exists := clocks[child.Service]; exists {
			low, high = max(low, known.low), min(high, known.high)
		}
		clocks[child.Service] = bounds{low: low, high: high}
	}
	for i := range children {
		child := &spans[children[i].span]
		if clock, exists := clocks[child.Service]; exists && hasOwnClock(child) && clock.low <= clock.high {
			children[i].shift, _ = bounded(clock.low, clock.high, shift)
		}
	}
}
