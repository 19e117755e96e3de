package diff

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// AttributeDifference is a value of an attribute that the traces of one group have
// more often than those of another.
type AttributeDifference struct {
	// Service is whose spans have the attribute. The attribute "service" says that the
	// service has spans at all.
	Service, Attribute, Value string
	// Baseline and Candidate are how many traces of each group have it, of those in
	// which the service has spans.
	Baseline, Candidate stats.Proportion
	// Difference is the candidate's share less the baseline's, with its 95 %
	// interval (Newcombe).
	Difference stats.Interval
	// PValue is adjusted for all values that were tried (false discovery rate).
	PValue float64
	// Also are further values, as "attribute = value", with the very same numbers:
	// they stand and fall together.
	Also []string
}

const (
	// maxAttributeValues bounds the values of one attribute that are counted; with
	// more it tells requests apart, not groups.
	maxAttributeValues = 200
	// maxAttributeKeys bounds the attributes of all services.
	maxAttributeKeys = 2000
	// minDifference is the least difference of shares that is worth a row, and
	// maxDifferences the most rows.
	minDifference, maxDifferences = 0.05, 200
)

// attributeKey is an attribute of a service's spans.
type attributeKey struct{ service, attribute string }

// groupTally counts the traces of one group, those with spans of each service, and
// those with each value.
type groupTally struct {
	traces   int
	services map[string]int
	values   map[attributeKey]map[string]int
}

// presence is the attribute of a service that has spans.
const presence = "service"

// of are the traces among which a value is counted.
func (t *groupTally) of(key attributeKey) int {
	if key.attribute == presence {
		return t.traces
	}
	return t.services[key.service]
}

// Attributes compares which attributes, resource attributes, events and exception
// types the spans of two groups of traces have: slow ones and fast ones, say. A
// trace counts once for each value. The largest differences come first.
func Attributes(baseline, candidate []trace.Trace, falseDiscoveryRate float64) []AttributeDifference {
	before, now := tallyGroup(baseline), tallyGroup(candidate)
	if before.traces == 0 || now.traces == 0 {
		return nil
	}
	keys := map[attributeKey]bool{}
	for key := range before.values {
		keys[key] = true
	}
	for key := range now.values {
		keys[key] = true
	}
	var tried []AttributeDifference
	for key := range keys {
		values := map[string]bool{}
		for value := range before.values[key] {
			values[value] = true
		}
		for value := range now.values[key] {
			values[value] = true
		}
		if len(values) > maxAttributeValues || before.of(key) == 0 || now.of(key) == 0 {
			continue
		}
		for value := range values {
			was := stats.Proportion{Successes: before.values[key][value], Trials: before.of(key)}
			is := stats.Proportion{Successes: now.values[key][value], Trials: now.of(key)}
			tried = append(tried, AttributeDifference{
				Service: key.service, Attribute: key.attribute, Value: value, Baseline: was, Candidate: is,
				Difference: stats.Newcombe(was, is, 0.95),
			})
		}
	}
	slices.SortFunc(tried, byName)
	pValues := make([]float64, len(tried))
	for i := range tried {
		pValues[i] = min(1, twoSided(tried[i].Baseline, tried[i].Candidate))
	}
	var found []AttributeDifference
	for i, adjusted := range stats.BenjaminiHochberg(pValues) {
		if tried[i].PValue = adjusted; adjusted <= falseDiscoveryRate && math.Abs(shift(&tried[i])) >= minDifference {
			found = append(found, tried[i])
		}
	}
	slices.SortStableFunc(found, func(a, b AttributeDifference) int {
		return cmp.Or(cmp.Compare(math.Abs(shift(&b)), math.Abs(shift(&a))), cmp.Compare(a.PValue, b.PValue), byName(a, b))
	})
	found = together(found)
	return found[:min(len(found), maxDifferences)]
}

// together makes one row of the values of a service that have the same numbers, as
// a route, its method and its span's name do. One's own attributes lead it.
func together(found []AttributeDifference) (rows []AttributeDifference) {
	type numbers struct {
		service             string
		baseline, candidate stats.Proportion
	}
	at := map[numbers]int{}
	for _, d := range found {
		key := numbers{d.Service, d.Baseline, d.Candidate}
		held, known := at[key]
		if !known {
			at[key] = len(rows)
			rows = append(rows, d)
			continue
		}
		row := &rows[held]
		if trace.MayExplain(d.Attribute) && !trace.MayExplain(row.Attribute) {
			row.Attribute, d.Attribute, row.Value, d.Value = d.Attribute, row.Attribute, d.Value, row.Value
		}
		row.Also = append(row.Also, d.Attribute+" = "+d.Value)
	}
	return rows
}

func shift(d *AttributeDifference) float64 { return d.Candidate.Rate() - d.Baseline.Rate() }

func byName(a, b AttributeDifference) int {
	return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Attribute, b.Attribute), cmp.Compare(a.Value, b.Value))
}

// twoSided is Fisher's mid-p in the direction of the difference, doubled.
func twoSided(a, b stats.Proportion) float64 {
	if a.Rate() > b.Rate() {
		a, b = b, a
	}
	return 2 * stats.FisherMidP(a, b)
}

func tallyGroup(traces []trace.Trace) groupTally {
	t := groupTally{services: map[string]int{}, values: map[attributeKey]map[string]int{}}
	seen := map[attributeKey]map[string]bool{}
	for i := range traces {
		if len(traces[i].Spans) == 0 {
			continue
		}
		t.traces++
		clear(seen)
		note := func(service, attribute, value string) {
			key := attributeKey{service, attribute}
			if value == "" || len(value) > maxValueLength || seen[key][value] {
				return
			}
			held := t.values[key]
			if held == nil {
				if len(t.values) >= maxAttributeKeys {
					return
				}
				held = map[string]int{}
				t.values[key] = held
			}
			if _, known := held[value]; !known && len(held) > maxAttributeValues {
				return
			}
			if seen[key] == nil {
				seen[key] = map[string]bool{}
			}
			seen[key][value] = true
			if held[value]++; attribute == presence {
				t.services[service]++
			}
		}
		for j := range traces[i].Spans {
			span := &traces[i].Spans[j]
			note(span.Service, presence, span.Service)
			note(span.Service, "service.version", span.Version)
			note(span.Service, "name", span.Name)
			if span.Failed {
				note(span.Service, "status", "error")
				note(span.Service, "status message", trace.NormalizeMessage(span.StatusMessage))
			}
			for _, attribute := range span.Attributes {
				if attribute.Key == "exception.message" {
					note(span.Service, attribute.Key, trace.NormalizeMessage(attribute.Value))
				} else if !describesStatement[attribute.Key] {
					note(span.Service, attribute.Key, attribute.Value)
				}
			}
			for _, attribute := range span.Others {
				if name, is := strings.CutPrefix(attribute.Key, trace.EventPrefix); is {
					note(span.Service, "event", name)
					continue
				}
				note(span.Service, attribute.Key, attribute.Value)
			}
		}
	}
	return t
}

// maxValueLength is the longest value, in bytes, that is compared.
const maxValueLength = 200

// describesStatement are texts with literals in them: the span's name, or the call
// paths, tell of them.
var describesStatement = map[string]bool{
	"db.query.text": true, "db.statement": true, "url.path": true, "url.query": true, "http.target": true, "http.response.body.size": true,
}
