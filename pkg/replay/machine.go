package replay

import (
	"math"
	"slices"
	"time"
)

// state of an alert instance, as in Grafana.
type state uint8

const (
	normal state = iota
	pending
	alerting
	recovering
	noData
	failed
)

// Kind says what a page is about.
type Kind string

// The kinds of pages.
const (
	KindAlert  Kind = "alert"
	KindNoData Kind = "no data"
	KindError  Kind = "error"
)

// Page is a time in which an instance fired: one notification, or one group's
// part of it.
type Page struct {
	// Instance is the number of its labels.
	Instance   int
	Kind       Kind
	Start, End time.Time
	// Firing says that it had not ended at the last evaluation.
	Firing bool
	// Peak is the value furthest beyond the limit, and PeakAt when that was; NaN
	// where there was none, as of no data.
	Peak   float64
	PeakAt time.Time
}

// instance is the state of one label set.
type instance struct {
	state  state
	reason bool      // it has its state from no data or an error
	since  time.Time // of the state
	seen   time.Time // last evaluation
	page   int       // the page under way, -1 for none
}

// Machine turns evaluations into pages. It follows Grafana's state manager
// (pkg/services/ngalert/state): pending time, keep-firing time, recovery threshold,
// no data and errors, and instances that vanish.
type Machine struct {
	rule   Rule
	all    []*instance
	known  []int // instances that have a state
	pages  []Page
	count  int
	firing time.Duration // time in which any instance fired
	last   time.Time
	fired  bool
}

// NewMachine begins where nothing alerts.
func NewMachine(rule Rule) *Machine { return &Machine{rule: rule.withDefaults()} }

// Unlabelled is the instance of a result that has no instances at all.
const Unlabelled = 0

// Evaluate takes in one evaluation: the instances that were there, and the value
// of each, NaN for no data. Numbers of instances are small, and 0 is that without
// labels. Evaluations come in the order of time.
func (m *Machine) Evaluate(at time.Time, instances []int, values []float64) {
	m.begin(at)
	some := slices.ContainsFunc(values, func(v float64) bool { return !math.IsNaN(v) })
	switch {
	case !some && m.rule.NoData != AsNoData && len(m.known) > 0:
		for _, id := range m.known {
			m.noData(m.all[id], id, at) // as one for all
		}
	case len(instances) == 0:
		m.noData(m.instance(Unlabelled), Unlabelled, at)
	default:
		for i, id := range instances {
			one := m.instance(id)
			if v := values[i]; math.IsNaN(v) {
				m.noData(one, id, at)
			} else {
				loaded := !one.reason && (one.state == alerting || one.state == pending)
				m.decide(one, id, at, v, m.rule.alerts(v, loaded), false)
			}
		}
	}
	m.forget(at)
}

// Fail takes in an evaluation that failed.
func (m *Machine) Fail(at time.Time) {
	m.begin(at)
	ids := m.known
	if len(ids) == 0 || m.rule.Error == AsError {
		m.instance(Unlabelled)
		ids = []int{Unlabelled}
	}
	for _, id := range ids {
		one := m.all[id]
		switch m.rule.Error {
		case AsOK:
			m.decide(one, id, at, math.NaN(), false, false)
		case AsAlert:
			m.decide(one, id, at, math.NaN(), true, true)
		case KeepLast:
			m.keep(one, id, at)
		default:
			if one.state != failed {
				m.set(one, id, failed, at, math.NaN())
			}
			one.reason = true
		}
		one.seen = at
	}
	m.forget(at)
}

// Pages are all so far, in the order in which they began. Those that have not
// ended end at the last evaluation.
func (m *Machine) Pages() []Page {
	pages := slices.Clone(m.pages)
	for i := range pages {
		if pages[i].End.IsZero() {
			pages[i].End, pages[i].Firing = m.last, true
		}
	}
	return pages
}

// Evaluations is how many there were, and Firing for how long any instance fired.
func (m *Machine) Evaluations() (count int, firing time.Duration) { return m.count, m.firing }

func (m *Machine) begin(at time.Time) {
	if m.count > 0 && m.fired {
		m.firing += at.Sub(m.last)
	}
	m.count++
	m.last = at
}

func (m *Machine) instance(id int) *instance {
	for len(m.all) <= id {
		m.all = append(m.all, nil)
	}
	if m.all[id] == nil {
		m.all[id] = &instance{page: -1}
		m.known = append(m.known, id)
	}
	return m.all[id]
}

// decide is what follows from a result that alerts or does not.
func (m *Machine) decide(one *instance, id int, at time.Time, v float64, alerts, reason bool) {
	one.seen = at
	before := one.state
	switch {
	case alerts && before == alerting:
		m.extend(one, v, at)
		return // the reason of an alert stays
	case alerts && before == pending:
		if at.Sub(one.since) < m.rule.For {
			return
		}
		m.set(one, id, alerting, at, v)
	case alerts && (before == recovering || m.rule.For == 0):
		m.set(one, id, alerting, at, v)
	case alerts:
		m.set(one, id, pending, at, v)
	case before == normal:
		return
	case before == recovering && at.Sub(one.since) < m.rule.KeepFiring:
		return
	case before == alerting && m.rule.KeepFiring > 0:
		m.set(one, id, recovering, at, v)
	default:
		m.set(one, id, normal, at, v)
	}
	one.reason = reason
}

func (m *Machine) noData(one *instance, id int, at time.Time) {
	switch m.rule.NoData {
	case AsOK:
		m.decide(one, id, at, math.NaN(), false, true)
	case AsAlert:
		m.decide(one, id, at, math.NaN(), true, true)
	case KeepLast:
		m.keep(one, id, at)
	default:
		if one.state != noData {
			m.set(one, id, noData, at, math.NaN())
			one.reason = false
		}
	}
	one.seen = at
}

// keep is what follows from a result that keeps the last state.
func (m *Machine) keep(one *instance, id int, at time.Time) {
	one.seen = at
	switch one.state {
	case alerting:
	case pending:
		if at.Sub(one.since) >= m.rule.For {
			m.decide(one, id, at, math.NaN(), true, true)
		}
	default:
		m.decide(one, id, at, math.NaN(), false, true)
	}
}

// kindOf is what a state pages about; empty for states that do not page.
func kindOf(s state) Kind {
	switch s {
	case alerting, recovering:
		return KindAlert
	case noData:
		return KindNoData
	case failed:
		return KindError
	}
	return ""
}

// set moves an instance to a state, and begins and ends its pages.
func (m *Machine) set(one *instance, id int, to state, at time.Time, v float64) {
	one.state, one.since = to, at
	kind := kindOf(to)
	if one.page >= 0 && m.pages[one.page].Kind != kind {
		m.pages[one.page].End = at
		one.page = -1
	}
	if kind != "" && one.page < 0 {
		one.page = len(m.pages)
		m.pages = append(m.pages, Page{Instance: id, Kind: kind, Start: at, Peak: math.NaN()})
	}
	if to == alerting {
		m.extend(one, v, at)
	}
}

// extend takes a value into the page under way.
func (m *Machine) extend(one *instance, v float64, at time.Time) {
	if one.page < 0 || math.IsNaN(v) {
		return
	}
	p := &m.pages[one.page]
	beyond := v > p.Peak
	if m.rule.Load.falling() {
		beyond = v < p.Peak
	}
	if math.IsNaN(p.Peak) || beyond {
		p.Peak, p.PeakAt = v, at
	}
}

// forget ends what was missing from so many evaluations.
func (m *Machine) forget(at time.Time) {
	patience := time.Duration(m.rule.MissingResolves) * m.rule.Interval
	m.fired = false
	m.known = slices.DeleteFunc(m.known, func(id int) bool {
		one := m.all[id]
		if !one.seen.Equal(at) && at.Sub(one.seen) >= patience {
			m.set(one, id, normal, at, math.NaN())
			m.all[id] = nil
			return true
		}
		m.fired = m.fired || one.page >= 0
		return false
	})
}
