package deploys

import (
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/series"
)

// A baseline must be what ran immediately before a deploy. Versions come back:
// one that was slow and rolled back an hour ago says nothing about what the
// deploy replaced, nor do the first minutes of a version that was away since.

// ServingPeriod is a time in which a version served without interruption.
type ServingPeriod struct{ From, To time.Time }

// spansToInterrupt is how many spans a version would have sent, at its share
// of the traffic, in a pause that interrupts it: with fewer expected, that none
// came may be chance, as with a canary of a few percent.
const spansToInterrupt = 20

// servingPeriods are the times in which a version served, oldest first. It is
// interrupted where others serve and it does not; where nobody serves, nothing
// is known.
func servingPeriods(version series.Series, all []float64) (stretches []ServingPeriod) {
	first, last, own := activity(version.Values)
	if own == 0 {
		return nil
	}
	everyone := 0.0
	for _, count := range all[first : last+1] {
		everyone += count
	}
	share := math.Min(1, own/everyone)
	began, latest, others := first, first, 0.0
	for i := first; i <= last; i++ {
		if !(version.Values[i] > 0) {
			others += all[i]
			continue
		}
		if others*share >= spansToInterrupt {
			stretches = append(stretches, ServingPeriod{version.Time(began), version.Time(latest + 1)})
			began = i
		}
		latest, others = i, 0
	}
	return append(stretches, ServingPeriod{version.Time(began), version.Time(latest + 1)})
}

// totalsOf are the spans of all versions at each step.
func totalsOf(versions []series.Series) []float64 {
	var totals []float64
	for _, counts := range versions {
		for len(totals) < counts.Len() {
			totals = append(totals, 0)
		}
		for i, count := range counts.Values {
			totals[i] += core.Count(count)
		}
	}
	return totals
}

// recentSteps is how many steps with spans tell who served last.
const recentSteps = 3

// servingTimes are who served when: read once, so that thousands of versions cost
// what their spans do, and not the square of it.
type servingTimes struct {
	arrivals []int           // the first step of every version; beyond all steps for a stray span
	names    []string        // of every version
	at       [][]spansAtStep // of every step: the versions with spans
	earliest int             // the first step of any version
}

type spansAtStep struct {
	version int
	count   float64
}

func servingTimesOf(versions []series.Series) *servingTimes {
	s := &servingTimes{earliest: math.MaxInt}
	for number, counts := range versions {
		first, _, spans := activity(counts.Values)
		if spans < spansToArrive {
			first = math.MaxInt
		}
		s.arrivals, s.names = append(s.arrivals, first), append(s.names, counts.Labels["service_version"])
		s.earliest = min(s.earliest, first)
		for len(s.at) < counts.Len() {
			s.at = append(s.at, nil)
		}
		for i, count := range counts.Values {
			if count > 0 && first < math.MaxInt {
				s.at[i] = append(s.at[i], spansAtStep{number, count})
			}
		}
	}
	return s
}

// before is the version with the most spans in the last steps up to the one in
// which another arrived, among those that were there before it; found is false
// where there is none. Spans that name no version count where no others do.
func (s *servingTimes) before(arrival int) (version string, found bool) {
	counts, steps := map[string]float64{}, 0
	for i := min(arrival, len(s.at)-1); i >= s.earliest && steps < recentSteps; i-- {
		served := false
		for _, candidate := range s.at[i] {
			if s.arrivals[candidate.version] < arrival {
				counts[s.names[candidate.version]] += candidate.count
				served = true
			}
		}
		if served {
			steps++
		}
	}
	for name, count := range counts {
		if !found || name != "" && (version == "" || count > counts[version] || count == counts[version] && name > version) {
			version, found = name, true
		}
	}
	return version, found
}

// LastServing is when a version served without interruption until an instant,
// and whether it was interrupted then and came back; found is false where it
// did not serve. Span metrics lag behind traces, so they have the word only on
// what searches do not show yet.
func (a *Answer) LastServing(service, version string, until time.Time) (last ServingPeriod, interrupted, found bool) {
	for _, source := range [][]Deploy{a.TraceVersions, a.MetricVersions} {
		for _, d := range source {
			if d.Version != version || d.Service != service {
				continue
			}
			for _, s := range d.Served {
				switch {
				case !s.From.Before(until):
					interrupted = interrupted || found
				case !found || !s.From.Before(last.To):
					last, found = s, true
				}
			}
		}
	}
	return last, interrupted, found
}
