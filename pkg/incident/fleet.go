package incident

import (
	"cmp"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

// fleet is a record with its map, and what was abnormal when.
type fleet struct {
	record   Record
	steps    int
	index    map[string]int
	services []Service
	callees  [][]int
	callers  [][]int
	calls    map[[2]int][]float64 // requests of a call; none where not known
	episodes []episode
	of       [][]int // episodes of each service
	// deviations of each signal and service, by step; nil where it was not judged.
	deviations map[Signal][][]float64
	unjudged   []string
}

var signals = []Signal{Failures, Latency, Lost, Silence}

func newFleet(r Record) *fleet {
	m := &fleet{record: r, index: map[string]int{}, calls: map[[2]int][]float64{}, deviations: map[Signal][][]float64{}}
	for _, s := range r.Services {
		if _, twice := m.index[s.Name]; twice {
			continue
		}
		m.index[s.Name] = len(m.services)
		m.services = append(m.services, s)
		m.steps = max(m.steps, len(s.Requests), len(s.Latency), len(s.Failed))
	}
	for _, c := range r.Calls {
		for _, name := range []string{c.Caller, c.Callee} {
			if _, known := m.index[name]; !known {
				m.index[name] = len(m.services)
				m.services = append(m.services, Service{Name: name})
			}
		}
	}
	m.callees, m.callers = make([][]int, len(m.services)), make([][]int, len(m.services))
	m.of = make([][]int, len(m.services))
	for _, c := range r.Calls {
		m.link(c)
	}
	return m
}

func (m *fleet) link(c propagation.Call) {
	from, to := m.index[c.Caller], m.index[c.Callee]
	key := [2]int{from, to}
	if from == to || slices.Contains(m.callees[from], to) {
		return
	}
	m.callees[from], m.callers[to] = append(m.callees[from], to), append(m.callers[to], from)
	if c.Requests != nil {
		m.calls[key] = c.Requests
	}
}

// detect finds the episodes of every service.
func (m *fleet) detect() {
	for _, signal := range signals {
		m.deviations[signal] = make([][]float64, len(m.services))
	}
	for i, s := range m.services {
		known := false
		for _, signal := range signals {
			if signal == Lost && s.Sent == nil {
				continue
			}
			deviations := make([]float64, m.steps)
			found, judged := episodes(i, signal, m.steps, judgeOf(s, signal), deviations)
			if !judged {
				continue
			}
			known = true
			m.deviations[signal][i] = deviations
			for _, e := range found {
				m.of[i] = append(m.of[i], len(m.episodes))
				m.episodes = append(m.episodes, e)
			}
		}
		if !known && len(s.Requests)+len(s.Latency)+len(s.Failed) > 0 {
			m.unjudged = append(m.unjudged, s.Name)
		}
	}
}

func judgeOf(s Service, signal Signal) judge {
	switch signal {
	case Latency:
		return &latencyJudge{values: s.Latency, requests: s.Requests, window: newWindow(baseline), usual: newWindow(baseline)}
	case Failures:
		return &failureJudge{requests: s.Requests, failed: s.Failed, shares: newWindow(baseline), counts: newWindow(baseline)}
	case Lost:
		return newLostJudge(s)
	}
	return &silenceJudge{requests: s.Requests, window: newWindow(baseline)}
}

// during are the episodes of a service that were known and not over at a step, by
// start.
func (m *fleet) during(service, step int) (found []*episode) {
	for _, k := range m.of[service] {
		if e := &m.episodes[k]; e.known <= step && step < e.over {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b *episode) int { return cmp.Compare(a.start, b.start) })
	return found
}

// recent bounds how many steps the size of an anomaly is measured over.
const recent = 10

// excess is what a service lost in each step beyond its level: seconds of all its
// requests, or failed requests; from the episode's start to a step.
func (m *fleet) excess(e *episode, step int) float64 {
	s := m.services[e.service]
	values := s.Latency
	if e.signal == Failures {
		values = s.Failed
	}
	sum, n := 0.0, 0
	for i := max(e.start, step-recent+1); i <= min(step, e.end-1); i++ {
		n++
		if v, requests := at(values, i), at(s.Requests, i); finite(v) && requests > 0 {
			sum += requests * max(0, v-e.level)
		}
	}
	return sum / float64(max(n, 1))
}

// requests is the mean number of requests of a series over some steps.
func mean(values []float64, from, to int) float64 {
	sum, n := 0.0, 0
	for i := max(from, 0); i <= to; i++ {
		if v := at(values, i); v >= 0 {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// growth is the ratio of requests from a step on to those well before; 1 where it
// is unknown.
func growth(values []float64, start, step int) float64 {
	before, now := mean(values, start-60, start-10), mean(values, max(start, step-recent+1), step)
	if !(before > 0) || !(now > 0) {
		return 1
	}
	return now / before
}
