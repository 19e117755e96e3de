package frames

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/internal/shorten"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Grafana tells the lines of a time series panel apart by display name alone:
// a band whose lower bound shares its name with another field fills the wrong
// area. So every display name of an answer is unique.

// The lines of a series; their names are the field names of the frame.
const (
	actual   = "actual"
	expected = "expected"
	lower    = "lower"
	upper    = "upper"
	score    = "score"

	limit       = "threshold"
	probability = "probability"
)

var roles = []string{actual, expected, lower, upper, score, limit, probability}

// displayName is the name of one line of a series; the observations carry the
// series' own name.
func displayName(name, role string) string {
	if role == actual {
		return name
	}
	return name + " " + role
}

var placeholder = regexp.MustCompile(`\{\{\s*(.+?)\s*\}\}`)

// seriesNames names the series as the legend asks for, with Prometheus'
// {{label}}; without a legend, by the labels that tell the series apart. No
// line of one series has the display name of a line of another.
func seriesNames(legend, expr string, labels []series.Labels) []string {
	distinguishing := distinguishingLabels(labels)
	taken := map[string]bool{}
	names := make([]string, len(labels))
	for i, l := range labels {
		name := automaticName(l, distinguishing, expr)
		if legend != "" && legend != "__auto" {
			name = filled(legend, l)
		}
		names[i] = claim(taken, name, l)
	}
	return names
}

// filled is a legend with its placeholders filled in, as far as a display name
// goes: a legend may name a long label many times.
func filled(legend string, labels series.Labels) string {
	var name strings.Builder
	rest := legend
	for rest != "" && name.Len() <= maxDisplayName {
		at := placeholder.FindStringSubmatchIndex(rest)
		if at == nil {
			name.WriteString(rest)
			break
		}
		name.WriteString(rest[:at[0]])
		label := strings.Trim(rest[at[2]:at[3]], `"'`) // quoted, as in PromQL, where it has dots
		name.WriteString(shorten.Bytes(labels[label], maxDisplayName))
		rest = rest[at[1]:]
	}
	return name.String()
}

// longestRole leaves room for what is added to the name of a series.
const longestRole = len(" probability (10000)")

// claim takes the first name of which no line is taken yet.
func claim(taken map[string]bool, name string, labels series.Labels) string {
	free := func(name string) bool {
		return !slices.ContainsFunc(roles, func(role string) bool { return taken[displayName(name, role)] })
	}
	if strings.TrimSpace(name) == "" {
		name = labels.String()
	}
	name = shorten.Bytes(name, maxDisplayName-longestRole)
	candidate := name
	if !free(candidate) {
		name = shorten.Bytes(name+" "+labels.String(), maxDisplayName-longestRole)
		candidate = name
	}
	for number := 2; !free(candidate); number++ {
		candidate = fmt.Sprintf("%s (%d)", name, number)
	}
	for _, role := range roles {
		taken[displayName(candidate, role)] = true
	}
	return candidate
}

func automaticName(labels series.Labels, distinguishing []string, expr string) string {
	switch {
	case len(labels) == 0:
		return shorten.Characters(expr, 60)
	case len(distinguishing) == 0:
		return labels.String()
	}
	var values []string
	for _, name := range distinguishing {
		if labels[name] != "" {
			values = append(values, shorten.Bytes(labels[name], maxDisplayName))
		}
	}
	return strings.Join(values, " ")
}

// distinguishingLabels are the names of the labels whose values differ, sorted.
func distinguishingLabels(labels []series.Labels) []string {
	values := map[string]map[string]bool{}
	for _, l := range labels {
		for name := range l {
			values[name] = map[string]bool{}
		}
	}
	for _, l := range labels {
		for name := range values {
			values[name][l[name]] = true
		}
	}
	maps.DeleteFunc(values, func(_ string, different map[string]bool) bool { return len(different) < 2 })
	return slices.Sorted(maps.Keys(values))
}
