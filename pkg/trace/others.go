package trace

import "strings"

const (
	// MaxOthers is how many attributes of a span are kept that neither describe
	// its operation nor are known circumstances, and maxOtherText the longest value:
	// one that long is a text of its own for every request.
	MaxOthers    = 48
	maxOtherText = 128
	// EventPrefix begins the key of an event's name.
	EventPrefix = "event:"
)

// neverExplains are keys, or their beginnings up to a dot, that have a value of
// their own for every request, belong to a person, or say what the exporter is.
var neverExplains = map[string]bool{
	"user": true, "enduser": true, "session": true, "client": true, "email": true, "password": true, "token": true,
	"telemetry": true, "otel": true, "internal": true, "sampler": true, "process": true, "thread": true, "code": true,
	"net": true, "network": true, "span": true, "trace": true, "trace_id": true, "span_id": true, "traceid": true, "spanid": true,
	"ip": true, "hostname": true, "guid:x-request-id": true, "request_id": true, "x-request-id": true, "exception": true,
	// Intrinsics of spans: stores name them alike.
	"name": true, "kind": true, "status": true, "statusmessage": true, "parentid": true, "duration": true, "id": true,
	"db": true, "url": true, "http": true, "rpc": true, "messaging": true, "sql": true, "service": true,
}

// MayExplain says whether an attribute, one's own or a resource's, can tell slow
// or failed requests from others: "app.plan", "payment.provider".
func MayExplain(key string) bool {
	if _, isKnown := describes[key]; isKnown || key == "" || len(key) > maxOtherText {
		return false
	}
	first, _, _ := strings.Cut(strings.ToLower(key), ".")
	return !neverExplains[first] && !strings.HasSuffix(key, "stacktrace")
}

// Other takes an attribute that may explain into a span; of two with one key the
// first stays. It tells whether the attribute was taken.
func (s *Span) Other(key, value string) bool {
	if value == "" || len(value) > maxOtherText || len(s.Others) >= MaxOthers || !MayExplain(key) {
		return false
	}
	for i := range s.Others {
		if s.Others[i].Key == key {
			return false
		}
	}
	s.Others = append(s.Others, Attribute{Key: key, Value: value})
	return true
}

// Event takes the name of an event into a span. Exceptions are known by their
// type.
func (s *Span) Event(name string) {
	if name != "" && name != "exception" && name != "error" {
		s.Other(EventPrefix+name, "true")
	}
}

// Explaining is the value of an attribute that may explain, empty where it is not
// set.
func (s *Span) Explaining(key string) string {
	for i := range s.Others {
		if s.Others[i].Key == key {
			return s.Others[i].Value
		}
	}
	return s.Attribute(key)
}
