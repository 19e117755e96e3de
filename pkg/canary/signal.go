package canary

import "math"

// watched is what the counts of one signal tell of a candidate.
type watched struct {
	kept  []slice
	noise Noise
	// total is of all periods in which both served; all and steady are without
	// incidents of the baseline, steady without the time in which the candidate
	// starts as well: of steadyPart.
	total, all, steady effect
	steadyPart         part
	// broken is the e-value that not even a start excuses the candidate.
	broken float64
	// excused periods prove nothing.
	excused int
	// pods is how many pods the candidate has, 0 where not known; lasting is the
	// variance that pods alone make.
	pods, lasting float64
	candidatePods []unit
}

// watch reads the counts of groups.
func (c Canary) watch(signal Signal, groups []Group) (w watched) {
	baseline, baselinePods := byPods(groups, false)
	candidate, candidatePods := byPods(groups, true)
	w.noise, w.candidatePods = signal.Noise.with(baseline, talliesOf(baselinePods)), candidatePods
	if signal.Start == nil && !w.noise.past {
		signal.Start = unknownStart(signal.startingShare(), c.Period)
	}
	if w.noise.past {
		signal.Start = fading(signal.Start, w.noise.usual)
	}
	dispersion := w.noise.dispersion
	w.kept = cells(groups, int(math.Ceil(float64(warmUp)/float64(c.Period))), len(signal.Start))
	bear(w.kept, zoned(groups), w.noise, signal)
	w.total = effectIn(w.kept, everything, w.noise.learned)
	w.steadyPart = running
	w.all, w.steady = effectIn(calm(w.kept), everything, dispersion), effectIn(calm(w.kept), running, dispersion)
	if later := effectIn(calm(w.kept), grown, dispersion); 2*later.candidate.Requests >= w.steady.candidate.Requests {
		w.steady, w.steadyPart = later, grown // what is allowed at first hides nothing later on
	}
	var until int
	if w.broken, until = severe(w.kept, dispersion); until < len(w.kept) {
		w.all = effectIn(calm(w.kept[:until]), everything, dispersion)
	}

	podPeriods, served := 0.0, float64(countServed(candidate))
	for _, pod := range append(talliesOf(candidatePods), candidate)[:max(1, len(candidatePods))] {
		podPeriods += float64(countServed(pod))
	}
	perPeriod := func(t Tally) float64 { return t.Requests / math.Max(1, float64(len(w.kept))) }
	w.pods = evenPods(candidatePods)
	w.lasting = w.noise.lasting(signal.spread(), w.pods, evenPods(baselinePods), perPeriod(w.total.candidate), perPeriod(w.total.baseline))
	w.excused = w.noise.excused(podPeriods, perPeriod(w.total.candidate), served)
	return w
}

// signal judges one signal.
func (c Canary) signal(signal Signal) SignalJudgement {
	one := SignalJudgement{Name: signal.Name, Critical: signal.Critical, Verdict: Inconclusive, Evidence: 1, Sound: 1}
	// A union bound over the signals holds the error of failing; all signals
	// have to pass, which needs no correction.
	one.Threshold = float64(len(c.Signals)) / c.Alpha
	groups := signal.groups()
	w := c.watch(signal, groups)
	one.Dispersion = w.noise.dispersion
	one.Baseline, one.Candidate, one.Excess = w.total.baseline, w.total.candidate, w.all.excess

	// Two ways to fail share the error: their mean is an e-value. What is not worse
	// by the margin needs none.
	for _, way := range []struct {
		evidence func() float64
		of       func(watched) effect
		lasts    bool // must be worse all the time
	}{
		{func() float64 { return worse(w.kept, w.noise.dispersion, w.excused) / 2 }, func(w watched) effect { return w.steady }, true},
		{func() float64 { return w.broken / 2 }, func(w watched) effect { return w.all }, false},
	} {
		found := way.of(w)
		if found.minExcess() < signal.Margin || found.candidate.Bad < minBad {
			continue
		}
		evidence, pod := way.evidence(), found.beyondPods(w.lasting, w.noise.dispersion)
		one.Evidence = math.Max(one.Evidence, math.Min(evidence, pod))
		if evidence < one.Threshold || one.Verdict == Fail {
			continue
		}
		switch {
		case pod < one.Threshold:
			one.Held = w.heldByPods(found)
		case !c.withoutWorst(signal, groups, w, one.Threshold, way.of):
			one.Held = w.heldByOne(found)
		case way.lasts && !w.throughout(found, c.Period):
			one.Held = w.heldByTime(found)
		default:
			one.Verdict = Fail
		}
	}
	if one.Sound = sound(w.total, signal.Margin, w.noise.learned); one.Verdict == Fail {
		one.Held = ""
	} else if one.Held == "" && one.Sound >= 1/c.Alpha && w.total.candidate.Requests >= c.MinRequests {
		one.Verdict = Pass
	}
	return one
}

func zoned(groups []Group) bool {
	for _, g := range groups {
		if g.Zone == "" {
			return false
		}
	}
	return true
}

func countServed(periods []Tally) (served int) {
	for _, t := range periods {
		if t.usable() {
			served++
		}
	}
	return served
}
