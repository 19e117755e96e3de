package trace

import (
	"net"
	"strconv"
	"strings"
)

// successors are the attributes of older conventions (Zipkin's, Brave's and
// OpenTracing's tags) with those that took their place. A full URL is taken as
// the request's target: its path and query.
var successors = map[string]string{
	"http.path": "url.path", "http.url": "http.target", "url.full": "http.target",
	"sql.query": "db.statement", "db.type": "db.system", "db.instance": "db.name",
	"peer.hostname": "server.address", "peer.address": "server.address",
	"message_bus.destination": "messaging.destination",
	"kafka.topic":             "messaging.destination", "rabbit.queue": "messaging.destination",
	"rabbit.exchange": "messaging.destination", "jms.queue": "messaging.destination", "jms.topic": "messaging.destination",
	"feature_flag.variant": "feature_flag.result.variant",
	"grpc.status_code":     "rpc.grpc.status_code", "rpc.response.status_code": "rpc.grpc.status_code",
	"net.peer.ip": PeerIP, "net.sock.peer.addr": PeerIP, "peer.ipv4": PeerIP, "peer.ipv6": PeerIP,
	"http.host": URLHost,
}

// PeerIP is the attribute for the address of the other end. It tells stores apart
// that nothing else tells apart, but names no service: behind one name are many.
const PeerIP = "network.peer.address"

// URLHost is the attribute for the host of a full URL, without its port: whom a
// client calls where nothing else says so.
const URLHost = "url.host"

// errorTag marks a failed span in older conventions.
const errorTag = "error"

// Describe takes an attribute, as a store has it, into a span: under its
// present name, if it describes the operation or its circumstances. Of two for
// one name the first stays. Call SetStatus before or after, the result is the
// same.
func (s *Span) Describe(key, value string) {
	key, isKnown := describes[key] // one copy of every key
	if !isKnown {
		return
	}
	if key == errorTag { // Zipkin's is a text, and failed even where that is empty
		sound, err := strconv.ParseBool(value)
		s.Failed = s.Failed || err != nil || sound
		return
	}
	if value == "" {
		return
	}
	if name, isOld := successors[key]; isOld {
		if key == "http.url" || key == "url.full" {
			if host := hostOf(value); host != "" && s.Attribute(URLHost) == "" {
				s.Attributes = append(s.Attributes, Attribute{Key: URLHost, Value: host})
			}
		}
		if key, value = name, present(name, value); value == "" || s.Attribute(key) != "" {
			return
		}
	}
	if isServerFailure(key, value) && !s.Succeeded {
		s.Failed = true
	}
	s.Attributes = append(s.Attributes, Attribute{Key: key, Value: value})
}

// isServerFailure says that a status code tells of a failure of the server. A
// client's mistake (HTTP 4xx, gRPC's NOT_FOUND) may be in order: there the
// instrumentation decides.
func isServerFailure(key, value string) bool {
	switch key {
	case "http.response.status_code", "http.status_code":
		return len(value) == 3 && value[0] == '5'
	case "rpc.grpc.status_code":
		switch strings.ToUpper(value) {
		case "2", "UNKNOWN", "4", "DEADLINE_EXCEEDED", "12", "UNIMPLEMENTED", "13", "INTERNAL", "14", "UNAVAILABLE", "15", "DATA_LOSS":
			return true
		}
	}
	return false
}

// present is an older attribute's value as the present one has it.
func present(name, value string) string {
	switch name {
	case "http.target":
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
	case URLHost:
		return HostWithoutPort(value)
	case PeerIP:
		return peerIP(value)
	}
	return value
}

// peerIP is an address as text, also of one that is written as a number (as
// OpenTracing's clients write IPv4); empty for one's own host: there a proxy
// listens, and says nothing of whom it calls.
func peerIP(value string) string {
	if number, err := strconv.ParseInt(value, 10, 64); err == nil {
		value = net.IPv4(byte(number>>24), byte(number>>16), byte(number>>8), byte(number)).String()
	}
	if ip := net.ParseIP(value); ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		return ""
	}
	return value
}

// hostOf is the host of a URL, without user and port; empty for none.
func hostOf(url string) string {
	_, rest, found := strings.Cut(url, "://")
	if !found {
		return ""
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return HostWithoutPort(rest[strings.LastIndexByte(rest, '@')+1:])
}

// HostWithoutPort is the host of an address that may have a port.
func HostWithoutPort(address string) string {
	if host, port, err := net.SplitHostPort(address); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err == nil {
			return host
		}
	}
	return address
}

// consumes are the operations of messaging that take a message: whatever their
// span's kind, the queue stands before them.
var consumes = map[string]bool{"receive": true, "process": true, "deliver": true, "consume": true, "poll": true}

// IsConsumer says whether a span takes messages: by its kind, or because its
// messaging operation says so.
func (s *Span) IsConsumer() bool {
	if s.Kind == Consumer {
		return true
	}
	if s.Kind == Producer || len(s.Attributes) == 0 {
		return false
	}
	operation, named := "", false
	for i := range s.Attributes {
		switch s.Attributes[i].Key {
		case "messaging.operation.type":
			operation = s.Attributes[i].Value
		case "messaging.operation", "messaging.operation.name":
			if operation == "" {
				operation = s.Attributes[i].Value
			}
		case "messaging.system", "messaging.destination", "messaging.destination.name":
			named = true
		}
	}
	return named && consumes[operation]
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
