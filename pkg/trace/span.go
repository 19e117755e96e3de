// Package trace turns spans into structures that can be compared: trees, call
// paths with normalised operations, self times, critical paths.
package trace

import (
	"encoding/hex"
	"fmt"
	"time"
)

type (
	// TraceID is the W3C Trace Context identifier of a trace.
	TraceID [16]byte //nolint:revive // the standard's own name
	// SpanID is the W3C Trace Context identifier of a span; zero means "no parent".
	SpanID [8]byte
)

func (id TraceID) String() string { return hex.EncodeToString(id[:]) }
func (id SpanID) String() string  { return hex.EncodeToString(id[:]) }

// ParseTraceID reads up to 32 hexadecimal digits; leading zeros may be absent,
// as in Tempo's and Jaeger's answers.
func ParseTraceID(text string) (id TraceID, err error) { return id, parseID(id[:], text) }

// ParseSpanID reads up to 16 hexadecimal digits.
func ParseSpanID(text string) (id SpanID, err error) { return id, parseID(id[:], text) }

func parseID(id []byte, text string) error {
	if len(text) > 2*len(id) {
		return fmt.Errorf("trace or span id %.40q has more than %d hexadecimal digits", text, 2*len(id))
	}
	if len(text)%2 == 1 {
		text = "0" + text
	}
	if _, err := hex.Decode(id[len(id)-len(text)/2:], []byte(text)); err != nil {
		return fmt.Errorf("trace or span id %.40q is not hexadecimal", text)
	}
	return nil
}

// Kind is OpenTelemetry's span kind.
type Kind uint8

// The span kinds, with OTLP's numbers.
const (
	Unspecified Kind = iota
	Internal
	Server
	Client
	Producer
	Consumer
)

func (k Kind) String() string {
	names := [...]string{"unspecified", "internal", "server", "client", "producer", "consumer"}
	if int(k) < len(names) {
		return names[k]
	}
	return names[0]
}

// Attribute is a span or resource attribute that describes the operation, as
// text.
type Attribute struct{ Key, Value string }

// Span is one recorded operation, as stored: nothing about it has been
// checked. Times are nanoseconds since the Unix epoch.
type Span struct {
	ID, ParentID SpanID
	Kind         Kind
	// Failed is OpenTelemetry's status "error", or what stands for it in older
	// conventions: an error tag, a status code of HTTP or gRPC that says that the
	// server failed.
	Failed bool
	// Succeeded is OpenTelemetry's status "ok": somebody decided that the span
	// did not fail, whatever its status codes say.
	Succeeded bool
	// Follows says that the parent does not wait for the span (OpenTracing's
	// FOLLOWS_FROM).
	Follows       bool
	Start         int64
	Duration      int64
	Service       string // service.name
	Version       string // service.version, empty where not set
	Name          string
	StatusMessage string
	Links         []Link
	Attributes    []Attribute // only those in DescribingAttributes and CircumstanceAttributes, under their present names
	Others        []Attribute // further ones that may explain, see MayExplain; and names of events
}

// Link is a span that a span follows from without being its child: the message
// that a batch consumer works on, the calls whose results are put together.
type Link struct {
	Trace TraceID
	Span  SpanID
}

// MaxLinks is how many links of a span upstreams keep.
const MaxLinks = 64

// SetStatus takes the status that OpenTelemetry's span has: error, ok, or
// neither. It overrides what status codes say.
func (s *Span) SetStatus(isError, isOK bool) {
	s.Succeeded = isOK
	s.Failed = isError || s.Failed && !isOK
}

// End is the instant at which the span ended, in nanoseconds since the Unix
// epoch.
func (s *Span) End() int64 { return s.Start + s.Duration }

// Attribute is the value of an attribute, empty where it is not set.
func (s *Span) Attribute(key string) string {
	for i := range s.Attributes {
		if s.Attributes[i].Key == key {
			return s.Attributes[i].Value
		}
	}
	return ""
}

// Trace is the spans of one request, in no particular order.
type Trace struct {
	ID      TraceID
	Spans   []Span
	Partial bool // the store said or showed that spans are missing
}

// Start is the earliest start of any span; the zero time for no spans.
func (t *Trace) Start() time.Time {
	if len(t.Spans) == 0 {
		return time.Time{}
	}
	first := t.Spans[0].Start
	for i := range t.Spans {
		first = min(first, t.Spans[i].Start)
	}
	return time.Unix(0, first).UTC()
}

// DescribingAttributes are the attributes that name an operation or explain a
// fault. Upstreams fetch these and no others: they bound memory and keep
// personal data out.
var DescribingAttributes = []string{
	"http.request.method", "http.method", "http.route", "url.template", "url.path", "url.query", "http.target",
	"http.response.status_code", "http.status_code", "http.response.body.size", "http.request.resend_count",
	"rpc.system", "rpc.service", "rpc.method", "rpc.grpc.status_code",
	"db.system", "db.system.name", "db.namespace", "db.name", "db.collection.name",
	"db.operation.name", "db.operation", "db.query.summary", "db.query.text", "db.statement", "db.operation.batch.size",
	"messaging.system", "messaging.operation.name", "messaging.operation.type", "messaging.operation", "messaging.destination.name", "messaging.destination",
	"server.address", "peer.service", "net.peer.name", PeerIP,
	"error.type", "exception.type", "exception.message",
	// Of older conventions; see Span.Describe.
	"http.path", "http.url", "url.full", "sql.query", "db.type", "db.instance",
	"peer.hostname", "peer.address", "message_bus.destination", "grpc.status_code", "rpc.response.status_code",
	"net.peer.ip", "net.sock.peer.addr", "peer.ipv4", "peer.ipv6", "http.host",
	"feature_flag.variant", "kafka.topic", "rabbit.queue", "rabbit.exchange", "jms.queue", "jms.topic", errorTag,
}

// EventAttributes are those of a span's events that describe the span:
// OpenTelemetry records exceptions, and evaluations of feature flags, as events.
// The first event that has one counts.
var EventAttributes = []string{
	"exception.type", "exception.message", "feature_flag.key", "feature_flag.result.variant", "feature_flag.variant",
}
