package api

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

// A selector of a derived series is a question: its metric says what is asked,
// the labels "series", or "service" and "signal", say of what, and the others
// are the question's parameters, as in
// foresight_forecast{service="cart", lead="10m", quantile="0.95"}.

// mostQuestions bounds what one selector may ask.
const mostQuestions = 20

// parameter is a label that changes the answer. One that is not named takes its
// fallback; without a fallback it must be named unless it is optional.
type parameter struct {
	name, fallback string
	optional       bool
}

// question is one derived series to work out.
type question struct {
	derived
	labels map[string]string // subject and parameters, without the metric's name
}

// questions are what the matchers of one selector ask. A label is named by = or
// by =~ with alternatives; what other matchers exclude is sorted out from the
// answers.
func (d derived) questions(matchers []*labels.Matcher) ([]question, error) {
	named := map[string][]string{}
	for _, m := range matchers {
		values := wanted(m)
		if before, twice := named[m.Name]; twice && values != nil {
			values = slices.DeleteFunc(slices.Clone(before), func(v string) bool { return !slices.Contains(values, v) })
		}
		if values != nil {
			named[m.Name] = values
		}
	}
	asked := []map[string]string{{}}
	for _, p := range slices.Concat(d.subjectOf(named), d.parameters) {
		values, given := named[p.name]
		switch {
		case !given && p.optional:
			continue
		case !given && p.fallback == "":
			return nil, noTrust("%s needs to know of which %s: write %s{%s=\"…\"}", d.name, p.name, d.name, p.name)
		case !given:
			values = []string{p.fallback}
		}
		var combined []map[string]string
		for _, one := range asked {
			for _, value := range values {
				with := maps.Clone(one)
				with[p.name] = value
				combined = append(combined, with)
			}
		}
		if asked = combined; len(asked) > mostQuestions {
			return nil, noTrust("the selector of %s asks for more than %d series: name fewer", d.name, mostQuestions)
		}
	}
	found := make([]question, len(asked))
	for i, one := range asked {
		found[i] = question{d, one}
	}
	return found, nil
}

// subjectOf says which labels name the subject: of the forms that there are the
// first whose label is named, else the last.
func (d derived) subjectOf(named map[string][]string) []parameter {
	for _, form := range d.subjects {
		if _, ok := named[form[0].name]; ok {
			return form
		}
	}
	if len(d.subjects) == 0 {
		return nil
	}
	return d.subjects[len(d.subjects)-1]
}

// wanted are the values that a matcher names; nil where it names none.
func wanted(m *labels.Matcher) []string {
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

// key names the question so that no two share a name.
func (q question) key() string {
	var b strings.Builder
	b.WriteString(q.name)
	for _, name := range slices.Sorted(maps.Keys(q.labels)) {
		fmt.Fprintf(&b, "\x00%s\x00%q", name, q.labels[name])
	}
	return b.String()
}

// length is a parameter that is a length of time.
func (q question) length(name string, least, most time.Duration) (time.Duration, error) {
	d, err := model.ParseDuration(q.labels[name])
	if err != nil || time.Duration(d) < least || time.Duration(d) > most {
		return 0, noTrust("%s: the label %s is %.40q: write a duration from %s to %s, like \"10m\"",
			q.name, name, q.labels[name], model.Duration(least), model.Duration(most))
	}
	return time.Duration(d), nil
}

// number is a parameter that is a number.
func (q question) number(name string, least, most float64) (float64, error) {
	v, err := strconv.ParseFloat(q.labels[name], 64)
	if err != nil || math.IsNaN(v) || v < least || v > most {
		return 0, noTrust("%s: the label %s is %.40q: write a number from %g to %g", q.name, name, q.labels[name], least, most)
	}
	return v, nil
}
