package trace

import "strings"

// successors are the attributes of older conventions (Zipkin's and
// OpenTracing's tags) with those that took their place, and the full URL, of
// which the path and what follows is kept.
var successors = map[string]string{
	"http.path": "url.path", "http.url": "url.path", "url.full": "url.path",
	"sql.query": "db.statement", "db.type": "db.system", "db.instance": "db.name",
	"peer.hostname": "server.address", "peer.address": "server.address",
	"message_bus.destination": "messaging.destination",
}

// errorTag marks a failed span in older conventions.
const errorTag = "error"

// Describe takes an attribute, as a store has it, into a span: under its
// present name, if it describes the operation or its circumstances. Of two for one name the first
// stays. It reports whether it was taken.
func (s *Span) Describe(key, value string) bool {
	key, isKnown := describes[key] // one copy of every key
	if value == "" || !isKnown {
		return false
	}
	if key == errorTag {
		s.Failed = s.Failed || value != "false"
		return false
	}
	if name, isOld := successors[key]; isOld {
		if key, value = name, present(name, value); s.Attribute(key) != "" {
			return false
		}
	}
	s.Attributes = append(s.Attributes, Attribute{Key: key, Value: value})
	return true
}

// present is an older attribute's value as the present one has it.
func present(name, value string) string {
	switch name {
	case "url.path":
		if scheme := strings.Index(value, "://"); scheme >= 0 {
			value = value[scheme+3:]
			if path := strings.IndexAny(value, "/?"); path >= 0 {
				return value[path:]
			}
			return "/"
		}
	case "db.system":
		if value == "sql" {
			return "other_sql"
		}
	}
	return value
}

var describes = func() map[string]string {
	set := map[string]string{}
	for _, keys := range [][]string{DescribingAttributes, CircumstanceAttributes} {
		for _, key := range keys {
			set[key] = key
		}
	}
	return set
}()
