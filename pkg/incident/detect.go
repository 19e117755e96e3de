package incident

import "math"

// What is normal is learned from the steps before, and followed as it drifts: a
// window that ends a little before the step that is judged, without the steps of
// incidents.
const (
	baseline    = 120 // steps
	minBaseline = 60
	lag         = 10
	// maxFrozen is how long an anomaly lasts before it is the new normal.
	maxFrozen = 360
	// A signal begins to be abnormal when confirmed steps of the last clearSpan
	// clearly are (two may be chance, however far they deviate), or confirmedFaint of
	// the last confirmSpan. It ends after quiet normal steps.
	confirmed, clearSpan        = 3, 4
	confirmedFaint, confirmSpan = 6, 8
	quiet                       = 10
	// maxPause is how many normal steps an episode pauses at its begin.
	maxPause = 1
)

// Deviations, in standard deviations.
const (
	enter, certain, leave = 4.5, 9, 2.5
	// minRelative is a rise of a latency that matters, as a part of its level, and
	// minShare one of the share of failures.
	minRelative, minShare = 0.3, 0.01
	minFailed             = 3
	// silent is the part of the usual requests below which a service is silent, and
	// minRequests how many are needed to say so.
	silent, minRequests = 0.25, 20
	minRelativeSpread   = 0.03
	// minSilence is a deviation of a silent service: one that drops to nothing cannot
	// deviate by more than its level.
	minSilence = 3
)

// reading is how abnormal a signal is in a step.
type reading struct {
	deviation float64
	hot, cool bool
}

// episode is a time in which a signal of a service was abnormal.
type episode struct {
	service int
	signal  Signal
	// start is the first abnormal step; known the step at which it was certain.
	start, known int
	// end is the step after the last abnormal one, and over the step at which the
	// end was certain; both are steps of the record plus one while it lasts.
	end, over int
	level     float64
}

// judge reads a signal step by step.
type judge interface {
	// read judges a step by what is learned, and ready tells whether there is
	// enough of that.
	read(step int) reading
	ready() bool
	learn(step int)
	// forget makes way for a new normal.
	forget()
	level() float64
}

// episodes runs a judge over the steps.
func episodes(service int, signal Signal, steps int, j judge, deviations []float64) (found []episode, judged bool) {
	var history [confirmSpan]reading
	current := -1
	calm, learned := 0, 0
	never := steps + 1
	for i := range steps {
		// Steps of an anomaly, and those just before that may belong to one, do not
		// teach.
		if current < 0 {
			for ; learned <= i-lag; learned++ {
				j.learn(learned)
			}
		}
		if !j.ready() {
			continue
		}
		judged = true
		r := j.read(i)
		deviations[i] = r.deviation
		copy(history[:], history[1:])
		history[confirmSpan-1] = r
		if current < 0 {
			first, begins := begin(history)
			if begins {
				first += i - (confirmSpan - 1)
				found = append(found, episode{service: service, signal: signal, start: first, known: i, end: never, over: never, level: j.level()})
				current, calm = len(found)-1, 0
			}
			continue
		}
		if r.cool {
			calm++
		} else {
			calm = 0
		}
		e := &found[current]
		switch {
		case calm >= quiet:
			e.end, e.over = i-quiet+1, i
			learned = max(learned, e.end)
			current = -1
		case i-e.start >= maxFrozen:
			e.end, e.over = i, i
			j.forget()
			learned = max(learned, i-baseline)
			current = -1
		}
		if current < 0 {
			history = [confirmSpan]reading{}
		}
	}
	return found, judged
}

// begin tells whether the last steps are the begin of an episode, and which of
// them is its first.
func begin(history [confirmSpan]reading) (first int, begins bool) {
	hot, clearly := 0, 0
	first = confirmSpan
	for k := confirmSpan - 1; k >= 0; k-- {
		if !history[k].hot {
			continue
		}
		hot++
		if first-k <= maxPause+1 {
			first = k
		}
		if history[k].deviation >= certain && k >= confirmSpan-clearSpan {
			clearly++
		}
		if clearly >= confirmed {
			begins = true
		}
	}
	begins = begins || hot >= confirmedFaint
	return first, begins && history[confirmSpan-1].hot
}

// latencyJudge judges the mean latency.
type latencyJudge struct {
	values, requests []float64
	window           *window
	usual            *window
}

func (j *latencyJudge) ready() bool    { return j.window.len() >= minBaseline }
func (j *latencyJudge) forget()        { j.window.clear() }
func (j *latencyJudge) level() float64 { return j.window.quantile(0.5) }

func (j *latencyJudge) learn(step int) {
	if v := at(j.values, step); finite(v) && v > 0 {
		j.window.add(v)
	}
	if n := at(j.requests, step); n > 0 {
		j.usual.add(n)
	}
}

func (j *latencyJudge) read(step int) reading {
	v := at(j.values, step)
	if !finite(v) {
		return reading{cool: true}
	}
	level := j.window.quantile(0.5)
	spread := max(spreadOf(j.window, level), minRelativeSpread*level)
	if n := at(j.requests, step); n > 0 && j.usual.len() > 0 {
		if usual := j.usual.quantile(0.5); usual > n {
			spread *= math.Sqrt(usual / n)
		}
	}
	if !(spread > 0) {
		return reading{cool: true}
	}
	r := reading{deviation: (v - level) / (spread * math.Sqrt(1+1/float64(j.window.len())))}
	r.hot = r.deviation >= enter && v >= (1+minRelative)*level
	r.cool = r.deviation < leave || v < (1+minRelative/2)*level
	return r
}

// spreadOf is a standard deviation that a few outliers do not widen and a heavy
// tail does not escape.
func spreadOf(w *window, level float64) float64 {
	return max((w.quantile(0.84)-w.quantile(0.16))/2, (w.quantile(0.985)-level)/2.17)
}

// failureJudge judges the share of failed requests. Where there are few requests
// a few steps are taken together.
type failureJudge struct {
	requests, failed []float64
	shares           *window // of steps
	counts           *window // of requests
	all, bad         fifo
}

// fifo is the sum of the last values.
type fifo struct {
	values []float64
	sum    float64
}

func (f *fifo) add(v float64) {
	if len(f.values) == baseline {
		f.sum -= f.values[0]
		f.values = append(f.values[:0], f.values[1:]...)
	}
	f.values = append(f.values, v)
	f.sum += v
}

func (j *failureJudge) ready() bool { return len(j.all.values) >= minBaseline }

func (j *failureJudge) forget() {
	j.all, j.bad = fifo{}, fifo{}
	j.shares.clear()
	j.counts.clear()
}

func (j *failureJudge) level() float64 { return (max(0, j.bad.sum) + 0.5) / (j.all.sum + 1) }

func (j *failureJudge) learn(step int) {
	n, share := at(j.requests, step), at(j.failed, step)
	if !(n > 0) || !finite(share) {
		return
	}
	j.all.add(n)
	j.bad.add(n * share)
	j.shares.add(share)
	j.counts.add(n)
}

// pooled is how many requests make a step that is judged alone, and maxPool how
// many steps are taken together at most.
const pooled, maxPool = 20, 5

func (j *failureJudge) read(step int) reading {
	if !(at(j.requests, step) > 0) {
		return reading{cool: true}
	}
	total, failed := 0.0, 0.0
	for k := step; k > step-maxPool && total < pooled; k-- {
		if n, share := at(j.requests, k), at(j.failed, k); n > 0 && finite(share) {
			total, failed = total+n, failed+n*share
		}
	}
	if total == 0 {
		return reading{cool: true}
	}
	level := j.level()
	expected := total * level
	// What steps vary beyond chance widens the distribution.
	typical := j.counts.quantile(0.5)
	tail := (j.shares.quantile(0.985) - level) / 2.17
	own := max(0, tail*tail-level/typical)
	dispersion := 1 + own*total*total/max(expected, 0.1)
	r := reading{deviation: 2 * (math.Sqrt(failed+0.375) - math.Sqrt(expected+0.375)) / math.Sqrt(dispersion)}
	rise := failed/total - level
	r.hot = r.deviation >= enter && rise >= minShare && failed >= minFailed
	r.cool = r.deviation < leave || rise < minShare/2
	return r
}

// silenceJudge judges whether requests are gone.
type silenceJudge struct {
	requests []float64
	window   *window
}

func (j *silenceJudge) ready() bool    { return j.window.len() >= minBaseline }
func (j *silenceJudge) forget()        { j.window.clear() }
func (j *silenceJudge) level() float64 { return j.window.quantile(0.5) }

func (j *silenceJudge) learn(step int) {
	// A step without a value is one without requests, once there were some.
	switch n := at(j.requests, step); {
	case n >= 0:
		j.window.add(n)
	case j.window.len() > 0:
		j.window.add(0)
	}
}

func (j *silenceJudge) read(step int) reading {
	level := j.window.quantile(0.5)
	lowest := j.window.quantile(0.02)
	n := at(j.requests, step)
	if !(n >= 0) {
		n = 0
	}
	if level < minRequests || lowest < level/2 {
		return reading{cool: true} // it pauses, or is hardly used
	}
	spread := max((j.window.quantile(0.84)-j.window.quantile(0.16))/2, (level-lowest)/2.05, math.Sqrt(level))
	r := reading{deviation: (level - n) / spread}
	if r.hot = n < silent*level && r.deviation >= minSilence; r.hot {
		r.deviation = max(r.deviation, certain)
	}
	r.cool = n >= 2*silent*level
	return r
}

func at(values []float64, step int) float64 {
	if step < 0 || step >= len(values) {
		return math.NaN()
	}
	return values[step]
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
