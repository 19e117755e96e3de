package canary

import (
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/canary"
)

// told is what metrics tell apart.
type reported int

const (
	bare      reported = iota // versions, and nothing of the past
	byVersion                 // versions
	byPod                     // pods and endpoints
	byZone                    // and zones
)

// groupsOf are the counts of a signal, 0 for errors, else of the limit before;
// cut into minutes back from the end.
func (s *simulation) groupsOf(signal int, by reported, steps int) (groups []canary.Group) {
	minute := int(math.Round(1 / s.step))
	add := func(p *simPod, endpoint string, counts []canary.Tally) {
		g := canary.Group{Candidate: p.candidate}
		if by >= byPod {
			g.Pod, g.Endpoint = p.name, endpoint
		}
		if by >= byZone {
			g.Zone = p.zone
		}
		at := -1
		if by <= byVersion {
			for i := range groups {
				if groups[i].Candidate == p.candidate {
					at = i
				}
			}
		}
		if at < 0 {
			at = len(groups)
			g.Periods = make([]canary.Tally, (steps+minute-1)/minute)
			groups = append(groups, g)
		}
		if minute == 1 && by > byVersion {
			groups[at].Periods = counts[:steps]
			return
		}
		for i, t := range counts[:steps] {
			to := &groups[at].Periods[len(groups[at].Periods)-1-(steps-1-i)/minute]
			to.Bad, to.Requests = to.Bad+t.Bad, to.Requests+t.Requests
		}
	}
	for _, p := range s.pods {
		if signal == 0 {
			add(p, "", p.counts)
			continue
		}
		add(p, "main", p.slow[signal-1][0])
		add(p, "slow", p.slow[signal-1][1])
	}
	return groups
}

// lesson is what the past teaches of a signal.
type lesson struct {
	noise canary.Noise
	start []float64
}

// past is what the baseline's minutes, and its own rollout, teach of each signal,
// all pods of one version, by what metrics tell apart.
func past(w canaryWorld, seed uint64) (lessons [reported(4)][]lesson) {
	w.errors, w.latency, w.failing, w.simpson, w.ramp = 0, 0, 0, false, 0
	rollout := newSimulation(w, seed^0xaaaa, 0.5, 1)
	w.coldErrors, w.coldLatency = 0, 0
	s := newSimulation(w, seed^0x5555, 0, 1)
	if w.outage || w.zoneOutage { // in every second past
		s.outageFrom = s.random.IntN(2 * canaryPast)
		s.outageTo = s.outageFrom + 2
	}
	for range canaryPast {
		s.advance()
	}
	for range rolloutLength {
		rollout.advance()
	}
	for by := range lessons {
		for signal := range w.signals() {
			one := lesson{start: usualStart(signal)}
			if reported(by) > bare {
				one.noise = canary.Learn(s.groupsOf(signal, reported(by), canaryPast))
				if start, known := canary.LearnStart(rollout.startsOf(signal, reported(by))); known {
					one.start = start
				}
			}
			lessons[by] = append(lessons[by], one)
		}
	}
	return lessons
}

// rolloutLength is how many minutes of the baseline's rollout are seen.
const rolloutLength = 40

// startsOf are the candidate's counts, with a minute before.
func (s *simulation) startsOf(signal int, by reported) (groups []canary.Group) {
	for _, g := range s.groupsOf(signal, by, s.t) {
		if g.Candidate {
			g.Candidate, g.Periods = false, append(make([]canary.Tally, 1), g.Periods...)
			groups = append(groups, g)
		}
	}
	return groups
}

// usualStart is what is taken for a start where none is known.
func usualStart(signal int) []float64 {
	if signal == 0 {
		return nil
	}
	return canary.SlowStart(slowShares[signal-1], time.Minute)
}

func (w canaryWorld) signals() int {
	if w.latencies {
		return 1 + len(slowLimits)
	}
	return 1
}

// labels are what metrics may tell apart in a world.
func (w canaryWorld) labels() int {
	if w.zoneOutage {
		return int(byZone) + 1
	}
	return int(byPod) + 1
}

// denseLooks are at every step; each later one is a tenth further, since by then
// evidence moves by no more in between.
const denseLooks = 60

// failedAt is the step at which the canary fails, 0 for never, after so many, by
// what metrics tell apart; shareAt gives its share of the requests, step by step.
func failedAt(w canaryWorld, seed uint64, lessons [reported(4)][]lesson, step float64, steps int, shareAt func(t int) float64) (at [reported(4)]int) {
	s := newSimulation(w, seed, shareAt(0), step)
	next := 1
	for t := 1; t <= steps; t++ {
		s.share(s.stepShare(shareAt(t - 1)))
		s.advance()
		if t < next && t < steps {
			continue
		}
		next = max(t+1, t*11/10*min(1, t/denseLooks))
		for by := range w.labels() {
			if at[by] == 0 && s.judge(reported(by), lessons[by], t) == canary.Fail {
				at[by] = t
			}
		}
	}
	return at
}

func (s *simulation) judge(by reported, lessons []lesson, t int) canary.Verdict {
	trial := canary.Canary{Watched: time.Duration(float64(t) * s.step * float64(time.Minute)), Signals: make([]canary.Signal, 1+len(slowLimits))}
	for i := range s.signals() {
		signal := canary.Signal{Critical: true, Margin: 0.001, Groups: s.groupsOf(i, by, t), Noise: lessons[i].noise, Start: lessons[i].start}
		if i > 0 {
			signal.Margin = math.Max(0.001, slowAcceptable*slowShares[i-1])
			signal.Starting, signal.Spread = 0.5, canary.SlowSpread(slowShares[i-1])
		}
		trial.Signals[i] = signal
	}
	return trial.Judge().Verdict
}
