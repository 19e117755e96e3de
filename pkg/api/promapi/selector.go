package promapi

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// A selector of a derived metric is a query: the metric says what is computed,
// the labels "series", or "service" and "signal", of what, and the others are
// the query's parameters, as in
// foresight_forecast{service="cart", lead="10m", quantile="0.95"}.

// maxSelectors bounds what one vector selector may expand to.
const maxSelectors = 20

// maxValue bounds a parameter's value in bytes: it becomes a label of the
// result and part of the key under which that is cached.
const maxValue = 1 << 10

// parameter is a label that changes the result. One that is not set takes its
// fallback; without a fallback it must be set unless it is optional.
type parameter struct {
	name, fallback string
	optional       bool
}

// selector is one derived series to compute.
type selector struct {
	metric
	labels map[string]string // subject and parameters, without the metric's name
}

// selectors are the series that the matchers of one vector selector ask for. A
// label is set by = or by =~ with alternatives; what other matchers exclude is
// sorted out from the results.
func (m metric) selectors(matchers []*labels.Matcher) ([]selector, error) {
	set := map[string][]string{}
	for _, matcher := range matchers {
		if len(matcher.Value) > maxValue && matcher.Type == labels.MatchEqual {
			return nil, fmt.Errorf("the label %s of %s has a value of %d bytes; at most %d are allowed", matcher.Name, m.name, len(matcher.Value), maxValue)
		}
		values := matchedValues(matcher)
		if before, twice := set[matcher.Name]; twice && values != nil {
			values = slices.DeleteFunc(slices.Clone(before), func(v string) bool { return !slices.Contains(values, v) })
		}
		if values != nil {
			set[matcher.Name] = values
		}
	}
	expanded := []map[string]string{{}}
	for _, p := range slices.Concat(m.subjectOf(set), m.parameters) {
		values, given := set[p.name]
		switch {
		case !given && p.optional:
			continue
		case !given && p.fallback == "":
			return nil, fmt.Errorf("%s needs to know of which %s: write %s{%s=\"…\"}", m.name, p.name, m.name, p.name)
		case !given:
			values = []string{p.fallback}
		}
		var combined []map[string]string
		for _, before := range expanded {
			for _, value := range values {
				with := maps.Clone(before)
				with[p.name] = value
				combined = append(combined, with)
			}
		}
		if expanded = combined; len(expanded) > maxSelectors {
			return nil, fmt.Errorf("the selector of %s asks for more than %d series: name fewer", m.name, maxSelectors)
		}
	}
	all := make([]selector, len(expanded))
	for i, labels := range expanded {
		all[i] = selector{m, labels}
	}
	return all, nil
}

// subjectOf are the labels that name the subject: of the forms that there are
// the first whose label is set, else the last.
func (m metric) subjectOf(set map[string][]string) []parameter {
	for _, form := range m.subjects {
		if _, ok := set[form[0].name]; ok {
			return form
		}
	}
	if len(m.subjects) == 0 {
		return nil
	}
	return m.subjects[len(m.subjects)-1]
}

// matchedValues are the values that a matcher lists; nil where it lists none.
func matchedValues(m *labels.Matcher) []string {
	switch m.Type {
	case labels.MatchEqual:
		if m.Value != "" {
			return []string{m.Value}
		}
	case labels.MatchRegexp:
		return m.SetMatches()
	}
	return nil
}

// key is different for different selectors.
func (s selector) key() string {
	var b strings.Builder
	b.WriteString(s.name)
	for _, name := range slices.Sorted(maps.Keys(s.labels)) {
		fmt.Fprintf(&b, "\x00%s\x00%q", name, s.labels[name])
	}
	return b.String()
}

// String is the selector as PromQL.
func (s selector) String() string {
	with := maps.Clone(s.labels)
	with[model.MetricNameLabel] = s.name
	return labels.FromMap(with).String()
}

// duration is a parameter that is a duration.
func (s selector) duration(name string, low, high time.Duration) (time.Duration, error) {
	d, err := model.ParseDuration(s.labels[name])
	if err != nil || time.Duration(d) < low || time.Duration(d) > high {
		return 0, fmt.Errorf("%s: the label %s is %.40q: write a duration from %s to %s, like \"10m\"",
			s.name, name, s.labels[name], model.Duration(low), model.Duration(high))
	}
	return time.Duration(d), nil
}

// number is a parameter that is a number.
func (s selector) number(name string, low, high float64) (float64, error) {
	v, err := strconv.ParseFloat(s.labels[name], 64)
	if err != nil || math.IsNaN(v) || v < low || v > high {
		return 0, fmt.Errorf("%s: the label %s is %.40q: write a number from %g to %g", s.name, name, s.labels[name], low, high)
	}
	return v, nil
}
