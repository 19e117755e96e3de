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

// maxHosts is how many hosts may hold databases of one name and still be told
// apart: with more, the name is that of a cluster, whose members come and go.
const maxHosts = 20

// stores are the hosts on which databases of one system and name were seen.
type stores map[storeName]map[string]bool

type storeName struct{ system, name string }

// add notes where the database of a statement is.
func (s stores) add(span *trace.Span) {
	if len(span.Attributes) == 0 {
		return
	}
	key, host := storeOf(span)
	if key.name == "" || host == "" {
		return
	}
	if s[key] == nil {
		s[key] = map[string]bool{}
	}
	if len(s[key]) <= maxHosts {
		s[key][host] = true
	}
}

// storeOf is the name of a statement's database and its host, either empty
// where nothing tells it. A number is no name: every Redis has a database 0.
func storeOf(span *trace.Span) (key storeName, host string) {
	key = storeName{firstOf(span, "db.system.name", "db.system"), firstOf(span, "db.namespace", "db.name")}
	if strings.Trim(key.name, "0123456789") == "" {
		key.name = ""
	}
	if host = firstOf(span, "server.address", "net.peer.name"); host != "" {
		return key, host
	}
	if key.name == "" {
		key.name = firstOf(span, "peer.service")
	}
	return key, firstOf(span, trace.PeerIP, "peer.service", trace.URLHost)
}

// database is the node of a statement: one for each system and database, and
// for each host where databases of one name are on several.
func (s stores) database(span *trace.Span) (peer, bool) {
	key, host := storeOf(span)
	if key.system == "" && firstOf(span, "db.statement", "db.query.text", "db.operation.name", "db.operation") == "" {
		return peer{}, false
	}
	name := key.name
	switch hosts := len(s[key]); {
	case name == "":
		name = host
	case host != "" && hosts > 1 && hosts <= maxHosts:
		name = host + "/" + name
	}
	if name == "" {
		name = key.system
	}
	if name == "" {
		name = "(database)"
	}
	p := peer{id: "database:" + key.system + ":" + name, name: name, system: key.system, kind: Database,
		names: namesOf(span, "peer.service", "db.namespace", "db.name", "db.system", "db.system.name", "server.address")}
	if caches[key.system] {
		p.kind, p.id = Cache, "cache:"+key.system+":"+name
	}
	return p, true
}

const unnamedQueue = "(queue)"

// queue is the node of a message: one for each system and destination.
func queue(span *trace.Span) peer {
	system, name := span.Attribute("messaging.system"), firstOf(span, "messaging.destination.name", "messaging.destination")
	if name == "" {
		name = firstOf(span, "server.address", "net.peer.name", "peer.service", trace.URLHost, trace.PeerIP)
	}
	if name == "" {
		name = unnamedQueue
	}
	return peer{id: "queue:" + system + ":" + name, name: name, system: system, kind: Queue,
		names: append(namesOf(span, "peer.service", "messaging.system", "server.address"), name)}
}

// external is the node of a peer that sends no spans. Of peers without a name
// each caller has its own: nothing says that they are the same.
func external(span *trace.Span) peer {
	name := firstOf(span, trace.PeerAttributes...)
	if name == "" {
		name = "(unknown peer of " + serviceOf(span.Service).name + ")"
	}
	return peer{id: "external:" + name, name: name, kind: External, names: namesOf(span, trace.PeerAttributes...)}
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
