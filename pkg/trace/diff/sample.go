package diff

import (
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// sample is one call path in one population. The request is the sampling unit:
// calls of one request depend on each other, requests hardly do.
type sample struct {
	calls    []call
	requests int  // of the endpoint, with the path or without
	present  int  // requests in which the path occurs
	failed   int  // requests in which a call failed
	origin   int  // requests in which a failure began here
	errors   int  // failed calls
	leaf     bool // calls nothing and has no gap: the self times are the durations

	// Mean per call of every request where the path occurs, ascending,
	// nanoseconds.
	durations, selfs, gaps, owns []float64

	// Time on the critical path, without calls below, summed over all requests:
	// at work, and between client and server.
	critical, criticalGap float64
	scratch               []float64
}

// measure reads the calls of a path, which stand in the order of the requests.
func (s *sample) measure(calls []call, requests int) {
	*s = sample{
		calls: calls, requests: requests, leaf: true, durations: s.durations[:0], selfs: s.selfs[:0], gaps: s.gaps[:0],
		owns: s.owns[:0], scratch: s.scratch,
	}
	for start := 0; start < len(calls); {
		var duration, self, gap int64
		failed, origin := false, false
		end := start
		for ; end < len(calls) && calls[end].request == calls[start].request; end++ {
			c := &calls[end]
			duration += c.duration
			self += c.self
			gap += c.gap
			s.critical += float64(c.critical)
			s.criticalGap += float64(c.criticalGap)
			failed = failed || c.failed
			origin = origin || c.origin
			s.leaf = s.leaf && c.self == c.duration
			if c.failed {
				s.errors++
			}
		}
		count := float64(end - start)
		s.durations = append(s.durations, float64(duration)/count)
		s.selfs = append(s.selfs, float64(self)/count)
		s.gaps = append(s.gaps, float64(gap)/count)
		s.owns = append(s.owns, float64(self+gap)/count)
		s.present++
		s.failed += one(failed)
		s.origin += one(origin)
		start = end
	}
	slices.Sort(s.durations)
	if s.leaf {
		s.selfs = append(s.selfs[:0], s.durations...)
	} else {
		slices.Sort(s.selfs)
	}
	if len(s.gaps) > 0 && slices.Max(s.gaps) > 0 {
		slices.Sort(s.gaps)
		slices.Sort(s.owns)
	} else {
		s.gaps, s.owns = s.gaps[:0], append(s.owns[:0], s.selfs...)
	}
}

func durationOf(c *call) int64 { return c.duration }
func selfOf(c *call) int64     { return c.self }
func gapOf(c *call) int64      { return c.gap }
func ownOf(c *call) int64      { return c.self + c.gap }

// eachRequest visits the requests where the path occurs with the mean of a
// value per call.
func (s *sample) eachRequest(value func(*call) int64, visit func(request int32, mean float64)) {
	eachRequest(s.calls, value, visit)
}

func eachRequest(calls []call, value func(*call) int64, visit func(request int32, mean float64)) {
	for start := 0; start < len(calls); {
		sum, end := int64(0), start
		for ; end < len(calls) && calls[end].request == calls[start].request; end++ {
			sum += value(&calls[end])
		}
		visit(calls[start].request, float64(sum)/float64(end-start))
		start = end
	}
}

func one(condition bool) int {
	if condition {
		return 1
	}
	return 0
}

// callsPerOccurrence is the mean number of calls in a request where the path
// occurs.
func (s *sample) callsPerOccurrence() float64 {
	if s.present == 0 {
		return 0
	}
	return float64(len(s.calls)) / float64(s.present)
}

// perCall is the mean time on the critical path of one call.
func (s *sample) perCall() (self, gap float64) {
	if len(s.calls) == 0 {
		return 0, 0
	}
	return s.critical / float64(len(s.calls)), s.criticalGap / float64(len(s.calls))
}

// failures are the requests with the path in which a call of it failed.
func (s *sample) failures() stats.Proportion {
	return stats.Proportion{Successes: s.failed, Trials: s.present}
}

// originRate is the share of requests in which a failure began on the path.
func (s *sample) originRate() float64 {
	return stats.Proportion{Successes: s.origin, Trials: s.requests}.Rate()
}

func (s *sample) callsPerRequest() float64 {
	if s.requests == 0 {
		return 0
	}
	return float64(len(s.calls)) / float64(s.requests)
}

// summary is what the result shows of the side.
func (s *sample) summary() PathSummary {
	summary := PathSummary{Traces: s.present, Calls: len(s.calls), CallsPerRequest: s.callsPerRequest()}
	if len(s.calls) > 0 {
		summary.ErrorRate = float64(s.errors) / float64(len(s.calls))
	}
	summary.Duration = s.quantile(s.durations, durationOf)
	summary.SelfTime = summary.Duration
	if !s.leaf {
		summary.SelfTime = s.quantile(s.selfs, selfOf)
	}
	if len(s.gaps) > 0 {
		summary.Gap = s.quantile(s.gaps, gapOf)
	}
	return summary
}

// quantile is over single calls; where every request has one, the sorted
// values of the requests are those of the calls.
func (s *sample) quantile(perRequest []float64, value func(*call) int64) Quantile {
	values := perRequest
	if len(s.calls) != s.present {
		s.scratch = s.scratch[:0]
		for i := range s.calls {
			s.scratch = append(s.scratch, float64(value(&s.calls[i])))
		}
		slices.Sort(s.scratch)
		values = s.scratch
	}
	return quantileOf(values)
}

func quantileOf(ascending []float64) Quantile {
	if len(ascending) == 0 {
		return Quantile{}
	}
	sum := 0.0
	for _, value := range ascending {
		sum += value
	}
	return Quantile{
		Mean: sum / float64(len(ascending)),
		P50:  stats.Quantile(ascending, 0.50),
		P95:  stats.Quantile(ascending, 0.95),
		P99:  stats.Quantile(ascending, 0.99),
	}
}
