package tempo

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// condition compares an attribute with a text. Whatever the text holds stays
// inside the string literal: TraceQL reads literals by Go's rules.
func condition(attribute, operator, text string) string {
	return attribute + " " + operator + " " + strconv.Quote(text)
}

// spanset is the filter of spans that meet all conditions.
func spanset(conditions ...string) string {
	if len(conditions) == 0 {
		return "{ }"
	}
	return "{ " + strings.Join(conditions, " && ") + " }"
}

// matching is the filter of the spans that a trace must contain, without the
// asker's own TraceQL.
func matching(filter upstream.TraceFilter, further ...string) string {
	var conditions []string
	for _, one := range []struct{ attribute, text string }{
		{"resource.service.name", filter.Service},
		{"resource.service.version", filter.Version},
		{"name", filter.Operation},
	} {
		if one.text != "" {
			conditions = append(conditions, condition(one.attribute, "=", one.text))
		}
	}
	return spanset(append(conditions, further...)...)
}

// selection finds the traces that match, as a person would ask for them.
func selection(filter upstream.TraceFilter) string {
	own := matching(filter)
	switch {
	case filter.TraceQL == "":
		return own
	case own == spanset():
		return filter.TraceQL
	}
	return "(" + filter.TraceQL + ") && " + own
}

// described is what is read of every span, besides its identity, name, start
// and duration.
var described = "span:parentID, span:kind, span:status, span:statusMessage, span:name, resource.service.name, resource.service.version, span." +
	strings.Join(trace.DescribingAttributes, ", span.") + ", ." + strings.Join(trace.CircumstanceAttributes, ", .") +
	", event." + strings.Join(trace.EventAttributes, ", event.")

// wholeTraces asks for all spans of the traces that match, newest traces
// first. "A && B" holds for a trace that has both, and gives the spans of
// both; B is every span.
//
// Further conditions narrow the spans that A matches.
func wholeTraces(filter upstream.TraceFilter, further ...string) string {
	every := spanset()
	query := every
	if own := matching(filter, further...); own != every {
		query = "(" + own + ") && (" + every + ")"
	}
	if filter.TraceQL != "" {
		query = "(" + filter.TraceQL + ") && " + query
	}
	selected := described
	if len(filter.Attributes) > 0 {
		selected += ", " + strings.Join(filter.Attributes, ", ")
	}
	return query + " | select(" + selected + ") with (most_recent=true)"
}

// anyTraces asks for the traces that match, whatever their spans.
func anyTraces(filter upstream.TraceFilter) string {
	query := matching(filter)
	if filter.TraceQL != "" {
		query = "(" + filter.TraceQL + ") && (" + query + ")"
	}
	return query
}

// spanCounts counts spans by service and version.
func spanCounts(service string) string {
	return matching(upstream.TraceFilter{Service: service}) + " | count_over_time() by (resource.service.name, resource.service.version)"
}

// plain is what Tempo's lists of values can filter by. From a filter with a
// space, a quote or a brace in it they take nothing and list all values.
var plain = regexp.MustCompile(`^[\p{L}\p{N}._/:-]+$`)
