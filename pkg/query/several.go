package query

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// maxSeveral bounds the queries that one query stands for.
const maxSeveral = 100

// Several is one query about several services, operations or versions: a query
// for each, in the order in which they were named.
type Several struct {
	Each []Selected
	// every makes the query of one service; nil where services are named. Each is
	// then empty until Of names them.
	every func(service string) (Query, error)
	model Query
}

// Selected is the query about one of several.
type Selected struct {
	Query Query
	// Labels tell it from the others: "service_name", "operation", "journey",
	// "baseline_version", "candidate_version".
	Labels map[string]string
}

// Name is the query among the others, for people.
func (s Selected) Name() string {
	var parts []string
	for _, choice := range choices {
		if value := s.Labels[choice.label]; value != "" {
			parts = append(parts, value)
		}
	}
	return strings.Join(parts, " ")
}

// Type implements Query.
func (s Several) Type() Type { return s.model.Type() }

// RequestedFormat implements Query.
func (s Several) RequestedFormat() Format { return s.model.RequestedFormat() }

// Validate implements Query. The queries were validated one by one.
func (s Several) Validate() error {
	if len(s.Each) > maxSeveral {
		return fmt.Errorf("the query stands for %d services, operations and versions; at most %d are answered at once: choose fewer, or split it", len(s.Each), maxSeveral)
	}
	return nil
}

// EveryService says that all services are meant, whose names only the data know.
func (s Several) EveryService() bool { return s.every != nil }

// Of is a query about every service, now that their names are known.
func (s Several) Of(services []string) (Several, error) {
	named := Several{model: s.model}
	for _, service := range services {
		q, err := s.every(service)
		if err != nil {
			return named, err
		}
		named.Each = append(named.Each, Selected{q, map[string]string{"service_name": service}})
	}
	return named, named.Validate()
}

// choices are the fields that may hold several names, and the labels of their
// answers.
var choices = []struct{ side, field, label string }{
	{"", "service", "service_name"}, {"", "operation", "operation"}, {"", "journey", "journey"},
	{"baseline", "version", "baseline_version"}, {"candidate", "version", "candidate_version"},
}

// all are the ways in which a dashboard's variable says "All".
var all = []string{"$__all", "*", ".*", ".+"}

// severalOf parses a query, or the queries that one of several names stands for.
func severalOf(fields map[string]json.RawMessage, parser func(map[string]json.RawMessage) (Query, error), known map[string]reflect.Type) (Query, error) {
	queried := []selection{{fields, map[string]string{}}}
	everyService := false
	for _, choice := range choices {
		names, err := namesIn(fields, choice.side, choice.field, known)
		switch {
		case err != nil:
			return nil, err
		case len(names) == 0:
			continue
		case slices.Contains(names, ""):
			names = []string{""}
			everyService = everyService || choice.field == "service"
		}
		var more []selection
		for _, one := range queried {
			for _, name := range names {
				label := choice.label
				if len(names) == 1 {
					label = ""
				}
				more = append(more, one.with(choice.side, choice.field, name, label))
			}
		}
		if queried = more; len(queried) > maxSeveral {
			return nil, fmt.Errorf("%s: %d names are too many together with the others; a query answers for at most %d: choose fewer, or split it", strings.TrimPrefix(choice.side+"."+choice.field, "."), len(names), maxSeveral)
		}
	}
	if everyService {
		if q, err := parser(queried[0].fields); err == nil {
			return q, nil // an empty service is every one
		}
		if len(queried) > 1 {
			return nil, errors.New("service: with every service, operations and versions cannot be several: choose one, or none")
		}
		every := func(service string) (Query, error) {
			return parser(queried[0].with("", "service", service, "").fields)
		}
		model, err := every("any")
		if err != nil {
			return nil, err
		}
		return Several{every: every, model: model}, nil
	}
	if len(queried) == 1 {
		return parser(queried[0].fields)
	}
	var several Several
	var failure error
	for _, one := range queried {
		q, err := parser(one.fields)
		if err != nil {
			// Two lists of versions pair each version with itself, too.
			failure = err
			if !errors.Is(err, errSamePopulation) {
				return nil, err
			}
			continue
		}
		several.Each = append(several.Each, Selected{q, one.labels})
	}
	if len(several.Each) == 0 {
		return nil, failure
	}
	several.model = several.Each[0].Query
	return several, nil
}

// selection is the fields of a query, with one name for each choice.
type selection struct {
	fields map[string]json.RawMessage
	labels map[string]string
}

// with is the selection with another name in a field.
func (s selection) with(side, field, name, label string) selection {
	text, _ := json.Marshal(name) // a text always can be written
	changed := selection{maps.Clone(s.fields), maps.Clone(s.labels)}
	if label != "" {
		changed.labels[label] = name
	}
	if side == "" {
		changed.fields[field] = text
		return changed
	}
	inner, err := object(s.fields[side])
	if err != nil {
		return s // the parser says what is wrong
	}
	inner[field] = text
	changed.fields[side], _ = json.Marshal(inner) // read from JSON, so it can be written
	return changed
}

// namesIn are the names that a field holds as a list, or as Grafana writes
// several values of a variable; none where it holds one name. An empty
// name among them is all there are.
func namesIn(fields map[string]json.RawMessage, side, field string, known map[string]reflect.Type) ([]string, error) {
	raw, path := fields[field], field
	if side != "" {
		inner, err := object(fields[side])
		if err != nil {
			return nil, nil // the parser says what is wrong
		}
		raw, path = inner[field], side+"."+field
	}
	if _, has := known[cmp.Or(side, field)]; !has || len(bytes.TrimSpace(raw)) == 0 {
		return nil, nil
	}
	var one string
	var list []json.RawMessage
	if json.Unmarshal(raw, &one) == nil {
		one = strings.TrimSpace(one)
		switch {
		case slices.Contains(all, one):
			return []string{""}, nil
		case one != "" && Variable(one) == one:
			return nil, fmt.Errorf("%s holds %.60q, %s", path, one, NoValue)
		case !strings.HasPrefix(one, "[") || json.Unmarshal([]byte(one), &list) != nil:
			return writtenNames(field, one), nil
		}
	} else if json.Unmarshal(raw, &list) != nil {
		return nil, nil
	}
	var names []string
	for i, element := range list {
		var name string
		if err := decodeField(element, reflect.ValueOf(&name).Elem(), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	if names = distinct(names); len(names) == 0 {
		return nil, fmt.Errorf("%s is an empty list: name one at least, or leave it out", path)
	}
	return names, nil
}

// writtenNames are several names in one text, as Grafana writes the values of a
// variable: {a,b} or, of services and versions, whose names have no such
// characters, (a|b), a|b, a,b, "a","b" and 'a','b'. It is nil for one name.
func writtenNames(field, text string) []string {
	if inner, is := inside(text, "{", "}"); is && strings.Contains(inner, ",") {
		return distinct(strings.Split(inner, ","))
	}
	if field != "service" && field != "version" {
		return nil
	}
	if inner, is := inside(text, "(", ")"); is {
		text = escaped.ReplaceAllString(inner, "$1")
	}
	for _, separator := range []string{"|", ","} {
		if !strings.Contains(text, separator) {
			continue
		}
		parts := strings.Split(text, separator)
		for i, part := range parts {
			parts[i] = strings.Trim(strings.TrimSpace(part), `"'`)
		}
		return distinct(parts)
	}
	return nil
}

// inside is what stands between brackets.
func inside(text, opening, closing string) (inner string, is bool) {
	inner, opened := strings.CutPrefix(text, opening)
	inner, closed := strings.CutSuffix(inner, closing)
	return inner, opened && closed
}

// escaped is a character that is escaped in a regular expression.
var escaped = regexp.MustCompile(`\\([\\^$*+?.()|\[\]{}/-])`)

// distinct are the names, each once, and "" alone where all are meant.
func distinct(names []string) (kept []string) {
	for _, name := range names {
		name = strings.TrimSpace(name)
		if slices.Contains(all, name) {
			return []string{""}
		}
		if name != "" && !slices.Contains(kept, name) {
			kept = append(kept, name)
		}
	}
	return kept
}
