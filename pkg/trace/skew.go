package trace

// Clocks of different hosts differ. Causality bounds by how much: the server's
// part of a call lies inside its caller's. Where it does not, and would fit,
// the smallest shift of the server's clock that puts it there is taken; what
// the server did in its own process moves along. Time inside the caller is
// thereby exact, and so is the gap; only its split into before and after is
// not known.

// shiftOf is what to add to the clock of a server's span so that it lies
// within its caller's part from start to end; moved tells a repair from a
// clock that was right, or off like its caller's.
func (b *Builder) shiftOf(server int32, callerShift, start, end int64) (shift int64, moved bool) {
	span := &b.tree.Trace.Spans[server]
	if span.Kind != Server {
		return 0, false
	}
	begin := clampTime(span.Start)
	return bounded(start-begin, end-begin-clampDuration(span.Duration), callerShift)
}

// bounded is the shift within the bounds that changes the least.
func bounded(low, high, callerShift int64) (shift int64, moved bool) {
	switch {
	case low > high: // longer than its caller: no shift makes it fit
		return 0, false
	case low <= 0 && 0 <= high:
		return 0, false
	case low <= callerShift && callerShift <= high:
		return callerShift, false
	case low > 0 && low <= mostSkew:
		return low, true
	case high < 0 && -high <= mostSkew:
		return high, true
	}
	return 0, false
}

// shiftChildren sets the shifts of a node's calls. Calls in the caller's own
// service share its clock. Servers of one service under one caller are moved
// together, as one clock would, if that puts all of them right: their order is
// kept.
func (b *Builder) shiftChildren(children []pendingNode, parent *Node, shift int64) {
	spans := b.tree.Trace.Spans
	start, end := parent.InnerStart, parent.InnerStart+parent.InnerDuration
	service := ""
	if parent.Span != None {
		service = spans[parent.inner()].Service
	}
	wrong := false
	for i := range children {
		child := &spans[children[i].span]
		if child.Service == service {
			children[i].shift = shift
			continue
		}
		var moved bool
		children[i].shift, moved = b.shiftOf(children[i].span, shift, start, end)
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
		if child.Kind != Server || child.Service == service {
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
		if clock, exists := clocks[child.Service]; exists && child.Kind == Server && clock.low <= clock.high {
			children[i].shift, _ = bounded(clock.low, clock.high, shift)
		}
	}
}
