package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// Explanation is an attribute's value with which the candidate's calls of a
// suspect are slow, or fail, more often than without it: for whom, where, on
// which instance.
type Explanation struct {
	Attribute, Value string
	// Failed tells failures from slowness.
	Failed bool
	// With and Without are how many of the requests with the value, and of those
	// with another, are slow (slower than 95 % of the baseline's) or failed.
	With, Without stats.Proportion
	// Coverage is the share of all slow or failed requests that have the value.
	Coverage float64
	// New says that the baseline has no request with the value.
	New bool
	// PValue is adjusted for all values and suspects (false discovery rate).
	PValue float64
}

// Circumstances are tried within bounds: attributes with a value for every
// request explain nothing.
const (
	maxValues      = 1000 // distinct values of an attribute that are counted
	maxTriedValues = 20   // of which those with the most slow requests are tested
	// minCoverage is the least share of the slow requests, and minLift the least
	// ratio of the rates, that explain.
	minCoverage, minLift = 0.2, 2.0
	maxExplanations      = 3
)

// ownAttributes are those of the call itself that may explain it, besides
// trace.CircumstanceAttributes. An outcome explains slowness, and no failure.
var (
	ownAttributes     = []string{"server.address", "peer.service", "net.peer.name", "db.namespace", "db.name"}
	outcomeAttributes = []string{"http.response.status_code", "http.status_code", "rpc.grpc.status_code", "error.type", "exception.type"}
)

// contrast is one value of one attribute of a suspect.
type contrast struct {
	suspect int
	Explanation
}

// explain looks for the circumstances of what got worse, within the
// candidate: the share of slow or failed requests with a value against the
// share without it (Fisher's exact test, valid at every look, false discoveries
// controlled over all values of all suspects). What was as slow in the
// baseline, with the same value, explains no change.
func (c *comparison) explain() {
	var tried []contrast
	var pValues []float64
	for i := range c.suspects {
		s := &c.suspects[i]
		id := slices.IndexFunc(c.results, func(p Path) bool { return p.Key == s.Path })
		if id < 0 || !s.Finding.Worse {
			continue
		}
		now, before, ok := c.marked(s.Kind, trace.PathID(id))
		if !ok {
			continue
		}
		attributes := slices.Concat(ownAttributes, trace.CircumstanceAttributes, furtherAttributes(now, s.Kind != ErrorRate))
		if s.Kind != ErrorRate {
			attributes = append(attributes, outcomeAttributes...)
		}
		for _, attribute := range attributes {
			for _, e := range contrasts(attribute, now, before) {
				e.Failed = s.Kind == ErrorRate
				tried = append(tried, contrast{i, e})
				pValues = append(pValues, stats.AlwaysValid(e.PValue, stats.Information(e.With.Trials, e.Without.Trials)))
			}
		}
	}
	for at, adjusted := range stats.BenjaminiHochberg(pValues) {
		e, s := tried[at].Explanation, &c.suspects[tried[at].suspect]
		if e.PValue = adjusted; adjusted <= c.options.FalseDiscoveryRate && e.Coverage >= minCoverage && e.With.Rate() >= minLift*e.Without.Rate() {
			s.Explanations = append(s.Explanations, e)
		}
	}
	for i := range c.suspects {
		s := &c.suspects[i]
		slices.SortStableFunc(s.Explanations, func(a, b Explanation) int {
			return cmp.Or(cmp.Compare(a.PValue, b.PValue), cmp.Compare(b.Coverage, a.Coverage))
		})
		s.Explanations = withoutEquals(s.Explanations)
		s.Explanations = s.Explanations[:min(len(s.Explanations), maxExplanations)]
	}
}

// maxAttributes bounds the further attributes that are tried, those of most spans
// first.
const maxAttributes = 120

// furtherAttributes are the keys, other than the well-known ones, that the requests
// have on any span: one's own, resources', and names of events.
func furtherAttributes(now []markedCall, events bool) []string {
	counts := map[string]int{}
	for i := range now {
		for key := range now[i].request.circumstancesOf() {
			if _, isKnown := circumstances[key]; !isKnown && (events || !strings.HasPrefix(key, trace.EventPrefix)) {
				counts[key]++
			}
		}
	}
	keys := make([]string, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	return keys[:min(len(keys), maxAttributes)]
}

// withoutEquals leaves out what has the very numbers of an explanation before it: a
// pod and its host tell the same.
func withoutEquals(explanations []Explanation) (kept []Explanation) {
	for _, e := range explanations {
		if !slices.ContainsFunc(kept, func(k Explanation) bool {
			return k.Attribute != e.Attribute && k.With == e.With && k.Without == e.Without
		}) {
			kept = append(kept, e)
		}
	}
	return kept
}

// markedCall is the calls of a path in one request: whether they are slow or
// failed, and where their circumstances are found.
type markedCall struct {
	marked  bool
	request *request
	calls   []call
}

// marked are the requests of a path on both sides, each slow or not, or failed
// or not, as the suspect's kind asks; ok is false where there is nothing to
// contrast.
func (c *comparison) marked(kind Aspect, path trace.PathID) (now, before []markedCall, ok bool) {
	value := map[Aspect]func(*call) int64{SelfTime: selfOf, OwnTail: ownOf, Gap: gapOf, Latency: durationOf}[kind]
	var isMarked func(calls []call) bool
	switch {
	case kind == ErrorRate:
		isMarked = func(calls []call) bool { return slices.ContainsFunc(calls, func(c call) bool { return c.failed }) }
	case value != nil:
		usual := sample{}
		usual.measure(c.baseline.of(path), 0)
		var values []float64
		usual.eachRequest(value, func(_ int32, mean float64) { values = append(values, mean) })
		if len(values) == 0 {
			return nil, nil, false
		}
		slices.Sort(values)
		threshold := stats.Quantile(values, 0.95)
		isMarked = func(calls []call) bool {
			sum := 0.0
			for i := range calls {
				sum += float64(value(&calls[i]))
			}
			return sum/float64(len(calls)) > threshold
		}
	default:
		return nil, nil, false
	}
	now, before = c.candidate.mark(path, isMarked), c.baseline.mark(path, isMarked)
	bad := 0
	for i := range now {
		bad += one(now[i].marked)
	}
	return now, before, bad >= minExact && len(now)-bad >= minExact
}

func (p *population) mark(path trace.PathID, isMarked func([]call) bool) (marked []markedCall) {
	calls := p.of(path)
	for start := 0; start < len(calls); {
		end := start
		for end < len(calls) && calls[end].request == calls[start].request {
			end++
		}
		marked = append(marked, markedCall{isMarked(calls[start:end]), &p.requests[calls[start].request], calls[start:end]})
		start = end
	}
	return marked
}

// value is what an attribute is in all calls of the request: on their spans,
// else on any of the trace. It is empty where it is not told or not the same. An
// event that is not there is absent.
func (m *markedCall) value(attribute string) string {
	value := ""
	for i := range m.calls {
		for _, at := range []int32{m.calls[i].span, m.calls[i].server} {
			if at == trace.None {
				continue
			}
			if found := m.request.trace.Spans[at].Explaining(attribute); found != "" {
				value = agreed(value, found)
			}
		}
	}
	if value == "" {
		value = m.request.circumstancesOf()[attribute]
	}
	if value == several {
		return ""
	}
	if value == "" && strings.HasPrefix(attribute, trace.EventPrefix) {
		return "absent"
	}
	return value
}

// several stands for values that differ; no attribute of valid text has it.
const several = "\xff"

func agreed(known, found string) string {
	if known == "" || known == found {
		return found
	}
	return several
}

// circumstances are trace.CircumstanceAttributes.
var circumstances = func() map[string]bool {
	set := map[string]bool{}
	for _, attribute := range trace.CircumstanceAttributes {
		set[attribute] = true
	}
	return set
}()

// circumstancesOf is what the spans of a trace say of its circumstances, well-known
// or one's own: worked out once, for the few traces that are asked.
func (r *request) circumstancesOf() map[string]string {
	if r.circumstances != nil {
		return r.circumstances
	}
	r.circumstances = map[string]string{}
	for i := range r.trace.Spans {
		span := &r.trace.Spans[i]
		for _, attribute := range span.Attributes {
			if circumstances[attribute.Key] && attribute.Value != "" {
				r.circumstances[attribute.Key] = agreed(r.circumstances[attribute.Key], attribute.Value)
			}
		}
		for _, attribute := range span.Others {
			r.circumstances[attribute.Key] = agreed(r.circumstances[attribute.Key], attribute.Value)
		}
	}
	return r.circumstances
}

// contrasts tests the values of one attribute, unadjusted.
func contrasts(attribute string, now, before []markedCall) (found []Explanation) {
	type tally struct{ marked, all int }
	counts, earlier := map[string]*tally{}, map[string]*tally{}
	count := func(into map[string]*tally, calls []markedCall) (reported tally) {
		for i := range calls {
			value := calls[i].value(attribute)
			if value == "" {
				continue
			}
			held := into[value]
			if held == nil && len(into) < maxValues {
				held = &tally{}
				into[value] = held
			}
			if held != nil {
				held.all++
				held.marked += one(calls[i].marked)
			}
			reported.all++
			reported.marked += one(calls[i].marked)
		}
		return reported
	}
	reported := count(counts, now)
	if len(counts) < 2 || reported.marked < minExact {
		return nil
	}
	count(earlier, before)
	values := make([]string, 0, len(counts))
	for value := range counts {
		values = append(values, value)
	}
	slices.SortFunc(values, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b].marked, counts[a].marked), cmp.Compare(a, b))
	})
	for _, value := range values[:min(len(values), maxTriedValues)] {
		with := stats.Proportion{Successes: counts[value].marked, Trials: counts[value].all}
		without := stats.Proportion{Successes: reported.marked - with.Successes, Trials: reported.all - with.Trials}
		was := stats.Proportion{}
		if held := earlier[value]; held != nil {
			was = stats.Proportion{Successes: held.marked, Trials: held.all}
		}
		if was.Trials > 0 && (with.Rate() <= was.Rate() || stats.FisherMidP(was, with) > sameAsBefore) {
			continue
		}
		found = append(found, Explanation{
			Attribute: attribute, Value: value, With: with, Without: without, New: was.Trials == 0,
			Coverage: float64(with.Successes) / float64(reported.marked), PValue: stats.FisherMidP(without, with),
		})
	}
	return found
}

// sameAsBefore is the p-value above which a value's calls count as being as
// they were in the baseline.
const sameAsBefore = 0.05

// String is the explanation in words.
func (e Explanation) String() string {
	what := "slow"
	if e.Failed {
		what = "failed"
	}
	text := fmt.Sprintf("%.0f %% of the %s requests have %s = %s: %.0f %% of those with it are %s, %.1f %% of those without",
		100*e.Coverage, what, e.Attribute, nameOf("", e.Value), 100*e.With.Rate(), what, 100*e.Without.Rate())
	if e.New {
		text += ", and none had it before"
	}
	return text
}
