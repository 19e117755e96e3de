package incident

import "math"

const (
	// minLost is the part of the requests, of those that usually arrive, whose loss
	// matters.
	minLost = 0.1
	// minSeen is the part of what is lost that must fail for the callers: where it
	// does not, requests arrive and are not counted.
	minSeen = 0.3
	// minLostSpread is the least standard deviation of the share that arrives, for
	// what two counters that are scraped apart differ by.
	minLostSpread = 0.01
)

// lostJudge judges the part that arrives of what callers send. Less demand leaves
// it as it is, lost demand does not. The part need not be 1: some callers may not
// count, or traces may be sampled. Steps are judged alone, for speed, and several
// together, which shows less.
type lostJudge struct {
	service Service
	spans   []lostSpan
	failed  *window // share that fails for callers
	own     *window // share that fails of what arrives
	sent    *window
}

// lostSpan is the part that arrives over so many steps.
type lostSpan struct {
	steps    int
	arriving *window
}

func newLostJudge(s Service) *lostJudge {
	return &lostJudge{
		service: s, failed: newWindow(baseline), own: newWindow(baseline), sent: newWindow(baseline),
		spans: []lostSpan{{1, newWindow(baseline)}, {maxPool, newWindow(baseline)}},
	}
}

func (j *lostJudge) ready() bool    { return j.spans[0].arriving.len() >= minBaseline }
func (j *lostJudge) level() float64 { return j.spans[0].arriving.quantile(0.5) }

func (j *lostJudge) forget() {
	for _, s := range j.spans {
		s.arriving.clear()
	}
	j.failed.clear()
	j.own.clear()
	j.sent.clear()
}

func (j *lostJudge) learn(step int) {
	if !finite(arriving(j.service, step, step)) {
		return
	}
	for _, s := range j.spans {
		s.arriving.add(arriving(j.service, step-s.steps+1, step))
	}
	j.sent.add(at(j.service.Sent, step))
	if v := at(j.service.SentFailed, step); finite(v) {
		j.failed.add(v)
	}
	if v := at(j.service.Failed, step); finite(v) {
		j.own.add(v)
	}
}

func (j *lostJudge) read(step int) reading {
	whole := reading{cool: true}
	for k, s := range j.spans {
		r := j.readSpan(s, step)
		if k == 0 || r.deviation > whole.deviation {
			whole.deviation = r.deviation
		}
		whole.hot, whole.cool = whole.hot || r.hot, whole.cool && r.cool
	}
	return whole
}

func (j *lostJudge) readSpan(s lostSpan, step int) reading {
	from := step - s.steps + 1
	part, sent := arriving(j.service, from, step), mean(j.service.Sent, from, step)
	level, all := s.arriving.quantile(0.5), sent*float64(s.steps)
	if !finite(part) || !(all >= minRequests) || !(level > 0) {
		return reading{cool: true}
	}
	spread := max((s.arriving.quantile(0.84)-s.arriving.quantile(0.16))/2, (level-s.arriving.quantile(0.015))/2.17, minLostSpread*level)
	// Fewer requests than usual vary by more.
	if usual := j.sent.quantile(0.5); usual > sent {
		spread *= math.Sqrt(usual / sent)
	}
	r := reading{deviation: (level - part) / spread}
	lost := 1 - part/level
	// A part that drops to nothing cannot deviate by more than its level.
	most := lost > 1-silent && r.deviation >= minSilence
	r.hot = lost >= minLost && (r.deviation >= enter || most) && j.seen(from, step, lost)
	if r.hot && most {
		r.deviation = max(r.deviation, certain)
	}
	r.cool = r.deviation < leave || lost < minLost/2
	return r
}

// seen tells whether what is lost fails for the callers, by more than what arrives
// fails.
func (j *lostJudge) seen(from, to int, lost float64) bool {
	if j.failed.len() == 0 {
		return true // they do not count it
	}
	own := 0.0
	if j.own.len() > 0 {
		own = max(0, mean(j.service.Failed, from, to)-j.own.quantile(0.5))
	}
	return mean(j.service.SentFailed, from, to)-j.failed.quantile(0.5) >= own+minSeen*lost
}

// arriving is the part of what callers sent over some steps that arrived: NaN where
// nothing was sent, or nothing tells what arrived. A step without a count is one
// in which nothing arrived where most of what was sent failed.
func arriving(s Service, from, to int) float64 {
	sent, arrived := 0.0, 0.0
	for i := from; i <= to; i++ {
		all, came := at(s.Sent, i), at(s.Requests, i)
		if !(all > 0) {
			continue
		}
		switch {
		case came >= 0:
			arrived += came
		case !(at(s.SentFailed, i) > 0.5):
			continue
		}
		sent += all
	}
	if sent == 0 {
		return math.NaN()
	}
	return arrived / sent
}

// noteLost says what was sent and what arrived.
func (s *snapshot) noteLost(n *node, e *episode, note func(bool, string, ...any)) {
	service := s.fleet.services[n.service]
	from := max(e.start, s.step-recent+1)
	sent, before := mean(service.Sent, from, s.step), mean(service.Sent, e.start-60, e.start-lag)
	note(true, "callers of %s sent %.0f requests in a step (before: %.0f), of which %.0f %% arrived (before: %.0f %%)",
		service.Name, sent, before, 100*arriving(service, from, s.step), 100*e.level)
	if service.SentFailed != nil {
		note(true, "%.0f %% of them failed for the callers", 100*mean(service.SentFailed, from, s.step))
	}
}

// noteDemand says of a silent service whether its callers send less.
func (s *snapshot) noteDemand(n *node, note func(bool, string, ...any)) {
	service := s.fleet.services[n.service]
	before, now := mean(service.Sent, n.start-60, n.start-lag), mean(service.Sent, n.start, s.step)
	switch {
	case before <= 0:
	case now < before/2:
		note(true, "callers of %s send less, too: %.0f requests in a step (before: %.0f)", service.Name, now, before)
	default:
		note(true, "callers of %s send as much as before, and their requests do not fail: what arrives is not counted", service.Name)
	}
}
