// Package canary turns evidence into decisions that engines act on. Every
// decision is a pure function of its configuration and data: any replica and
// any retry come to the same.
package canary

import (
	"fmt"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// Verdict is what a rollout should make of a canary.
type Verdict string

// The verdicts.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
)

// Tally counts requests and those of them that went wrong. Counts that come
// from rates need not be whole.
type Tally struct{ Bad, Requests float64 }

// Period is a stretch of time in which both versions were watched. The share
// of traffic may differ from period to period.
type Period struct{ Baseline, Candidate Tally }

// Signal is one way in which requests go wrong: they fail, or take longer than
// a limit.
type Signal struct {
	Name string
	// Critical says that its failure alone fails the canary.
	Critical bool
	// Margin is the rise in the share of bad requests, 0–1, that is still
	// acceptable; above 0.
	Margin float64
	// Starting is how many more of its requests, 0–1, may go wrong while a
	// version starts. Default 0.04.
	Starting float64
	// Start is how many more of a pod's requests, 0–1, may go wrong in each period
	// after it began to serve, as past rollouts teach (LearnStart). However many
	// it allows, Starting is not exceeded.
	Start []float64
	// Spread is by how much pods of one version are taken to differ at least: the
	// deviation of the logarithm of their shares of bad requests. Default 0.1.
	Spread float64
	// Periods are the counts of both versions; Groups the same by pod, zone and
	// endpoint where metrics tell these, in place of them. Both begin with the
	// time in which the candidate was first seen, or before.
	Periods []Period
	Groups  []Group
	// Noise is what the baseline's past teaches; the zero value where there is
	// none.
	Noise Noise
}

func (s Signal) startingShare() float64 {
	if s.Starting > 0 {
		return s.Starting
	}
	return 0.04
}

func (s Signal) spread() float64 {
	if s.Spread > 0 {
		return s.Spread
	}
	return podDeviation
}

// Canary is all that is known of a candidate beside its baseline.
type Canary struct {
	Signals []Signal
	// Resources hold a candidate that has used up one of them.
	Resources []Resource
	// Traces is the verdict of comparing traces; empty where none were compared.
	// Traces hold a candidate and do not fail it: they are compared anew at every
	// look, by tests that hold for one, and a single pod or the first minutes of
	// a version may look like a regression.
	Traces       diff.Verdict
	TracesReason string
	// Alpha is the probability of failing a candidate that changes nothing,
	// however often one looks, over all signals of requests; and of passing one
	// that is worse by more than a margin. Default 0.01.
	Alpha float64
	// Period is the length of a period. Default one minute.
	Period time.Duration
	// MinRequests is how many requests a candidate must have served to pass.
	// Default 1000.
	MinRequests float64
	// Watched is how long the candidate has been served.
	Watched time.Duration
}

// Judgement is the verdict over a canary.
type Judgement struct {
	Verdict Verdict
	// Score is 0 for a failure, 75 to below 95 where undecided, 95 to 100 for a
	// pass: the bands of Kayenta and Argo Rollouts.
	Score  float64
	Reason string
	// NeededRequests is about how many more requests the candidate must serve
	// for a pass, if it goes on as it does, and Needed how long that takes; 0
	// where decided or where nothing can be said.
	NeededRequests float64
	Needed         time.Duration
	Signals        []SignalJudgement
	Resources      []Resource
}

// SignalJudgement is the verdict over one signal.
type SignalJudgement struct {
	Name     string
	Critical bool
	Verdict  Verdict
	// Baseline and Candidate sum up the periods in which both served.
	Baseline, Candidate Tally
	// Excess is how much larger the candidate's share of bad requests is, at the
	// same times and of the same kinds of requests.
	Excess float64
	// Dispersion is how many times as much the counts vary as independent ones.
	Dispersion float64
	// Held says why strong evidence does not fail the candidate, and what it
	// would take; empty where there is nothing to say.
	Held string
	// Evidence and Sound are e-values: that the candidate is worse, and that it
	// is not worse by more than the margin. Each decides from Threshold on, unless
	// the candidate is held.
	Evidence, Sound, Threshold float64
}

// Rate is the share of bad requests, 0 without requests.
func (t Tally) Rate() float64 {
	if t.Requests <= 0 {
		return 0
	}
	return t.Bad / t.Requests
}

func (c Canary) withDefaults() Canary {
	if !(c.Alpha > 0 && c.Alpha < 1) {
		c.Alpha = 0.01
	}
	if !(c.MinRequests > 0) {
		c.MinRequests = 1000
	}
	if c.Period <= 0 {
		c.Period = time.Minute
	}
	return c
}

// minBad is how many bad requests of the candidate prove anything: where a
// series begins, counts may be off by one or two.
const minBad = 5

// Judge decides over a canary. A critical signal that fails fails it. It passes
// where every signal is shown not to be worse by more than its margin, traces do
// not speak against it, and no resource is used up. All else, above all no
// traffic, is inconclusive.
func (c Canary) Judge() Judgement {
	c = c.withDefaults()
	judgement := Judgement{Verdict: Pass, Score: 100, Resources: c.Resources}
	if len(c.Signals) == 0 {
		judgement.undecided("There are no counts of requests of both versions.")
	}
	for _, signal := range c.Signals {
		one := c.signal(signal)
		judgement.Signals = append(judgement.Signals, one)
		if one.Verdict == Inconclusive {
			c.need(&judgement, one)
		}
	}
	for _, one := range judgement.Signals {
		switch {
		case one.Verdict == Fail && one.Critical:
			return judgement.failed(one.reported())
		case one.Verdict != Pass:
			judgement.undecided(one.reported())
		}
		judgement.Score = math.Min(judgement.Score, one.score())
	}
	switch c.Traces {
	case diff.Regressed:
		judgement.undecided("Traces regressed, and counts do not show it: " + c.TracesReason)
	case diff.Insufficient, diff.NotComparable:
		judgement.undecided("Traces do not suffice: " + c.TracesReason)
	}
	for _, resource := range c.Resources {
		if resource.Full() {
			judgement.undecided(resource.reported())
		}
	}
	if judgement.Verdict == Pass {
		judgement.Reason = fmt.Sprintf("No signal is worse by more than its margin in %.0f requests.", judgement.Signals[0].Candidate.Requests)
		return judgement
	}
	judgement.Score = math.Min(judgement.Score, 94)
	return judgement
}

func (j *Judgement) undecided(reason string) {
	if j.Verdict == Pass {
		j.Verdict, j.Reason = Inconclusive, reason
	}
}

func (j Judgement) failed(reason string) Judgement {
	j.Verdict, j.Reason, j.Score, j.NeededRequests, j.Needed = Fail, reason, 0, 0, 0
	return j
}

// need keeps the longest wait of all signals.
func (c Canary) need(j *Judgement, one SignalJudgement) {
	served := one.Candidate.Requests
	if served <= 0 {
		return
	}
	more := c.MinRequests - served
	if gained := math.Log(one.Sound); one.Sound < 1/c.Alpha {
		if gained <= 0 {
			return // as it goes, it never passes
		}
		more = math.Max(more, served*(-math.Log(c.Alpha)/gained-1))
	}
	if more = math.Ceil(more); more > j.NeededRequests {
		j.NeededRequests = more
		if wait := float64(c.Watched) * more / served; wait < float64(365*24*time.Hour) {
			j.Needed = time.Duration(wait)
		}
	}
}

func (t Tally) plus(other Tally) Tally {
	return Tally{t.Bad + other.Bad, t.Requests + other.Requests}
}

func (t Tally) minus(other Tally) Tally {
	return Tally{t.Bad - other.Bad, t.Requests - other.Requests}
}

func (s SignalJudgement) reported() string {
	if s.Candidate.Requests <= 0 {
		return fmt.Sprintf("%s: there are no requests of both versions at the same time.", s.Name)
	}
	verb, held := "is undecided", ""
	if s.Verdict == Fail {
		verb = "is worse"
	} else if s.Held != "" {
		held = "; " + s.Held
	}
	return fmt.Sprintf("%s %s: %.3g %% of %.0f requests, %.3g %% of %.0f in the baseline%s.", s.Name, verb,
		100*s.Candidate.Rate(), s.Candidate.Requests, 100*s.Baseline.Rate(), s.Baseline.Requests, held)
}

// score places a signal in the bands: the nearer to a failure the lower.
func (s SignalJudgement) score() float64 {
	near := math.Min(1, math.Max(0, math.Log(s.Evidence)/math.Log(s.Threshold)))
	if s.Verdict == Pass {
		return 100 - 5*near
	}
	return 94 - 19*near
}
