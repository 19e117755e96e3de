package pattern

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// confidence is that of all reported intervals.
const confidence = 0.95

// dropped marks a judgement that is not reported.
const dropped Change = "dropped"

const (
	// minGrownShare and minGrownSaving are the least ratios that count as growth.
	minGrownShare, minGrownSaving = 1.5, 1.25
	// minCompared is the least number of occurrences on each side to compare
	// what they cost.
	minCompared = 8
	// swallowed is the part of a chatty edge's calls that a loop explains.
	swallowed = 0.8
)

// judgement is one place on its way to a finding.
type judgement struct {
	place     place
	finding   Finding
	now, past []occurrence
	isNow     bool // a pattern in the candidate; in the baseline
	isPast    bool
}

// judge says whether what was seen at a place is a pattern of either side; nil
// for neither.
func (d *detection) judge(p place) *judgement {
	j := &judgement{place: p, now: d.now.places[p], past: d.before.places[p]}
	root := d.numbers.Path(p.call).Root
	j.isNow = d.isPattern(p, j.now, d.now, d.endpoints[root])
	j.isPast = d.isPattern(p, j.past, d.before, d.pastEndpoints[root])
	if p.kind == LostCache {
		_, _, lost := lostCache(p, d.before, d.now)
		j.isNow, j.isPast = j.isNow && lost, false
	}
	if !j.isNow && !j.isPast {
		return nil
	}
	j.finding.Side = sideOf(j.now, d.endpoints[root])
	if d.hasBaseline {
		past := sideOf(j.past, d.pastEndpoints[root])
		j.finding.Baseline = &past
	}
	return j
}

// isPattern asks for enough traces, and for what the kind needs besides.
func (d *detection) isPattern(p place, seen []occurrence, notes *collector, e *endpoint) bool {
	if e == nil || len(seen) < d.options.MinTraces || float64(len(seen)) < d.options.MinShare*float64(e.requests) {
		return false
	}
	switch p.kind {
	case NPlusOne, NPlusOneRPC:
		return isLoop(seen)
	case Serial:
		return notes.independent(p, seen) && saves(seen, e.median, &d.options)
	case Chatty:
		return !d.explained(p, seen, notes)
	case ChattyCache, Contention:
		return saves(seen, e.median, &d.options)
	}
	return true
}

// explained says that a loop of calls is behind a chatty edge: that is the
// better name for it.
func (d *detection) explained(p place, seen []occurrence, notes *collector) bool {
	service := d.numbers.Path(p.call).Service
	total := 0
	for _, o := range seen {
		total += o.repeats
	}
	inLoops := 0
	for other, occurrences := range notes.places {
		path := d.numbers.Path(other.call)
		if other.kind != NPlusOneRPC && other.kind != Loop || path.Root != d.numbers.Path(p.call).Root || path.Service != service {
			continue
		}
		for _, o := range occurrences {
			inLoops += o.repeats
		}
	}
	return float64(inLoops) >= swallowed*float64(total)
}

// sideOf sums a pattern up over one population.
func sideOf(seen []occurrence, e *endpoint) Side {
	side := Side{Traces: len(seen)}
	if e == nil {
		return side
	}
	side.Requests = e.requests
	side.Share = stats.Wilson(stats.Proportion{Successes: min(len(seen), e.requests), Trials: e.requests}, confidence)
	if len(seen) == 0 {
		return side
	}
	repeats, times, saved := figures(seen)
	sum := 0.0
	for _, value := range saved {
		sum += value
	}
	side.Repeats, side.MaxRepeats = stats.Quantile(repeats, 0.5), repeats[len(repeats)-1]
	side.Time = stats.Quantile(times, 0.5)
	side.Saved, side.SavedP95 = stats.Quantile(saved, 0.5), stats.Quantile(saved, 0.95)
	side.SavedPerRequest = sum / float64(e.requests)
	if e.mean > 0 {
		side.SavedShare = min(1, side.SavedPerRequest/e.mean)
	}
	return side
}

// figures are the numbers of occurrences, each ascending.
func figures(seen []occurrence) (repeats, times, saved []float64) {
	for _, o := range seen {
		repeats = append(repeats, float64(o.repeats))
		times = append(times, float64(o.time))
		saved = append(saved, float64(max(0, o.saved)))
	}
	slices.Sort(repeats)
	slices.Sort(times)
	slices.Sort(saved)
	return repeats, times, saved
}

// decideChanges says what became of every pattern since the baseline. Shares
// are compared by Fisher's exact test, costs by ranks; both with the false
// discovery rate controlled over all places.
func (d *detection) decideChanges(judged []*judgement) {
	var queried []*judgement
	var pValues []float64
	for _, j := range judged {
		j.finding.PValue = 1
		if !d.hasBaseline || min(j.finding.Side.Requests, j.finding.Baseline.Requests) < d.options.MinBaseline {
			if j.finding.Change = Unknown; !j.isNow {
				j.finding.Change = dropped
			}
			continue
		}
		queried = append(queried, j)
		pValues = append(pValues, j.shareTest(), j.costTest())
	}
	adjusted := stats.BenjaminiHochberg(pValues)
	for i, j := range queried {
		j.decide(adjusted[2*i], adjusted[2*i+1], d.options.FalseDiscoveryRate)
	}
}

func (j *judgement) shareTest() float64 {
	a, b := j.finding.Baseline, &j.finding.Side
	return stats.FisherMidP(
		stats.Proportion{Successes: min(a.Traces, a.Requests), Trials: a.Requests},
		stats.Proportion{Successes: min(b.Traces, b.Requests), Trials: b.Requests},
	)
}

func (j *judgement) costTest() float64 {
	if min(len(j.now), len(j.past)) < minCompared {
		return 1
	}
	_, _, before := figures(j.past)
	_, _, after := figures(j.now)
	return stats.MannWhitney(before, after).PValue
}

func (j *judgement) decide(share, cost, rate float64) {
	f := &j.finding
	moreOften := share <= rate && f.Side.Share.Estimate > f.Baseline.Share.Estimate
	lessOften := share <= rate && f.Side.Share.Estimate < f.Baseline.Share.Estimate
	f.Change, f.PValue = Unchanged, min(share, cost)
	switch {
	case j.isNow && !j.isPast:
		if f.PValue = share; moreOften {
			f.Change = Introduced
		}
	case j.isPast && !j.isNow:
		if f.PValue, f.Change = share, dropped; lessOften {
			f.Change = Gone
		}
	case moreOften && f.Side.Share.Estimate >= minGrownShare*f.Baseline.Share.Estimate:
		f.Change = Grown
	case cost <= rate && f.Side.Saved >= minGrownSaving*f.Baseline.Saved && f.Side.Saved > 0:
		f.Change = Grown
	}
}

// examples are the traces in which a pattern costs most.
func examples(seen []occurrence, notes *collector, count int) []trace.TraceID {
	costly := slices.Clone(seen)
	slices.SortFunc(costly, func(a, b occurrence) int {
		return cmp.Or(cmp.Compare(b.saved, a.saved), cmp.Compare(b.time, a.time),
			bytes.Compare(notes.requests[a.request].id[:], notes.requests[b.request].id[:]))
	})
	var ids []trace.TraceID
	for _, o := range costly[:min(count, len(costly))] {
		ids = append(ids, notes.requests[o.request].id)
	}
	return ids
}
