package topology

import (
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// peer is the other end of a call, as one span tells of it.
type peer struct {
	id, name, system string
	kind             Type
	names            []string
}

var caches = map[string]bool{"redis": true, "memcached": true, "valkey": true, "keydb": true, "dragonfly": true, "hazelcast": true, "ignite": true}

func serviceOf(name string) peer {
	if name == "" {
		name = "(unnamed service)"
	}
	return peer{id: name, name: name, kind: Service, names: []string{name}}
}

// database is the node of a statement: one for each system and database, or
// server where the database has no name.
func database(span *trace.Span) (peer, bool) {
	system := firstOf(span, "db.system.name", "db.system")
	if system == "" && firstOf(span, "db.statement", "db.query.text", "db.operation.name", "db.operation") == "" {
		return peer{}, false
	}
	name := firstOf(span, "db.namespace", "db.name", "server.address", "net.peer.name", "peer.service")
	if name == "" {
		name = system
	}
	if name == "" {
		name = "(database)"
	}
	p := peer{id: "database:" + system + ":" + name, name: name, system: system, kind: Database,
		names: namesOf(span, "peer.service", "db.namespace", "db.name", "db.system", "db.system.name", "server.address")}
	if caches[system] {
		p.kind, p.id = Cache, "cache:"+system+":"+name
	}
	return p, true
}

// queue is the node of a message: one for each system and destination.
func queue(span *trace.Span) peer {
	system, name := span.Attribute("messaging.system"), firstOf(span, "messaging.destination.name", "messaging.destination")
	if name == "" {
		name = firstOf(span, "server.address", "net.peer.name", "peer.service")
	}
	if name == "" {
		name = "(queue)"
	}
	return peer{id: "queue:" + system + ":" + name, name: name, system: system, kind: Queue,
		names: append(namesOf(span, "peer.service", "messaging.system", "server.address"), name)}
}

// external is the node of a peer that sends no spans.
func external(span *trace.Span) peer {
	name := firstOf(span, "peer.service", "server.address", "net.peer.name")
	if name == "" {
		name = "(unknown peer)"
	}
	return peer{id: "external:" + name, name: name, kind: External, names: namesOf(span, "peer.service", "server.address", "net.peer.name")}
}

// others is the node of all external peers beyond the limit.
func others() peer {
	return peer{id: "external:(others)", name: "(others)", kind: External}
}

func firstOf(span *trace.Span, keys ...string) string {
	for _, key := range keys {
		if value := span.Attribute(key); value != "" {
			return strings.ToValidUTF8(value, "\uFFFD")
		}
	}
	return ""
}

func namesOf(span *trace.Span, keys ...string) (names []string) {
	for _, key := range keys {
		if value := firstOf(span, key); value != "" && !slices.Contains(names, value) {
			names = append(names, value)
		}
	}
	return names
}
