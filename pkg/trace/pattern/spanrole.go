package pattern

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/sqlnorm"
)

// role is what a call is for.
type role uint8

const (
	local    role = iota // work within the service
	query                // a statement of a database
	control              // of a connection or transaction: no work of its own
	cacheGet             // a read of a cache
	cacheSet             // any other command of a cache
	remote               // a call of another service
	message              // a message sent
	poolWait             // waiting for a connection
)

// call is a node, read once.
type call struct {
	role   role
	read   bool   // asks only
	begins bool   // begins a transaction
	ends   bool   // ends one
	resend bool   // marked as a retry by its client
	batch  bool   // one call for many items
	cut    bool   // its statement was cut off: it may be another one each time
	raw    string // statement or URL with all its values; empty where they are unknown
	// address is the URL of a remote call as far as it is known.
	address string
	target  string // database or peer, to tell equal statements apart
	table   string // what a statement reads or writes
	size    int64  // of the answer, in bytes; 0 for not known
}

// poolName is how instrumentations of connection pools call the wait.
var poolName = regexp.MustCompile(`(?i)(get|acquire|check.?out|obtain|borrow|wait|lease).*(conn|pool)|pool.*(wait|acquire|connect|check.?out)|hikari|connection.*(acquire|check.?out|wait)`)

// caches are databases that answer from memory by key.
var caches = map[string]bool{"redis": true, "memcached": true, "valkey": true, "keydb": true, "dragonfly": true, "hazelcast": true, "ignite": true}

// classifierCache keeps what is known of texts that come again and again.
type classifierCache struct {
	pools  map[string]bool // by span name
	tables map[trace.PathID]string
	gates  map[trace.PathID]bool
	names  map[trace.PathID][]string // what in an operation looks like a value
}

// maxRemembered bounds the memory for span names.
const maxRemembered = 20_000

func newClassifierCache() classifierCache {
	return classifierCache{map[string]bool{}, map[trace.PathID]string{}, map[trace.PathID]bool{}, map[trace.PathID][]string{}}
}

// isPool says that a span's name is that of a wait for a connection.
func (m *classifierCache) isPool(name string) bool {
	known, exists := m.pools[name]
	if !exists {
		known = poolName.MatchString(name)
		if len(m.pools) < maxRemembered {
			m.pools[name] = known
		}
	}
	return known
}

// table is what a statement reads or writes; the same for all of one path.
func (m *classifierCache) table(path trace.PathID, statement string) string {
	known, exists := m.tables[path]
	if !exists {
		if found := tableName.FindStringSubmatch(statement); found != nil {
			known = strings.ToLower(strings.Trim(found[1], "\"`[]"))
		}
		m.tables[path] = known
	}
	return known
}

// readCall is what a node on a path is for.
func (m *classifierCache) readCall(t *trace.Trace, node *trace.Node, path trace.PathID) call {
	if node.Span == trace.None {
		return call{}
	}
	span := &t.Spans[node.Span]
	system := firstOf(span, "db.system.name", "db.system")
	statement := firstOf(span, "db.query.text", "db.statement")
	operation := firstOf(span, "db.operation.name", "db.operation")
	switch {
	case system == "" && statement == "" && m.isPool(span.Name):
		return call{role: poolWait}
	case system != "" || statement != "" || operation != "" && span.Kind == trace.Client:
		return m.readStatement(span, path, system, statement, operation)
	case span.Kind == trace.Producer:
		return call{role: message}
	case node.Server != trace.None || span.Kind == trace.Client:
		return readRemote(t, node, span)
	}
	return call{}
}

func firstOf(span *trace.Span, keys ...string) string {
	for _, key := range keys {
		if value := span.Attribute(key); value != "" {
			return value
		}
	}
	return ""
}

// readStatement reads a database's span.
func (m *classifierCache) readStatement(span *trace.Span, path trace.PathID, system, statement, operation string) call {
	c := call{role: query, target: system + " " + firstOf(span, "db.namespace", "db.name") + " " + firstOf(span, "server.address", "net.peer.name", "peer.service", trace.URLHost)}
	verb := strings.ToUpper(firstWord(operation))
	if verb == "" {
		verb = strings.ToUpper(firstWord(statement))
	}
	if verb == "" {
		verb = strings.ToUpper(firstWord(span.Name))
	}
	if caches[system] {
		c.role, c.raw = cacheSet, complete(statement)
		if strings.HasPrefix(verb, "GET") || strings.HasPrefix(verb, "MGET") || strings.HasPrefix(verb, "HGET") || verb == "EXISTS" || verb == "GETS" {
			c.role, c.read = cacheGet, true
		}
		if verb == "PING" || verb == "AUTH" || verb == "CONNECT" || verb == "SELECT" || verb == "HELLO" || verb == "CLIENT" {
			c.role = control
		}
		return c
	}
	if statement == "" && m.isPool(span.Name) {
		return call{role: poolWait}
	}
	switch verb {
	case "BEGIN", "START":
		return call{role: control, begins: true}
	case "COMMIT", "ROLLBACK", "END":
		return call{role: control, ends: true}
	case "SET", "SAVEPOINT", "RELEASE", "PING", "CONNECT", "PG.CONNECT", "USE", "DEALLOCATE", "DISCARD", "RESET", "CLOSE", "PREPARE":
		return call{role: control}
	case "SELECT", "SHOW", "EXPLAIN", "FIND", "AGGREGATE", "COUNT", "DISTINCT", "GET", "QUERY", "SCAN", "BATCHGETITEM", "GETITEM", "SEARCH", "MATCH":
		c.read = true
	case "WITH":
		c.read = !writing.MatchString(statement)
	}
	if verb == "SELECT" && len(statement) < 20 && sqlnorm.Normalize(statement, system) == "SELECT ?" {
		return call{role: control} // asks whether the connection lives
	}
	if statement == "" && strings.Contains(strings.ToLower(span.Name), "connect") {
		return call{role: control}
	}
	items := span.Attribute("db.operation.batch.size")
	c.batch = items != "" && items != "1"
	c.raw, c.cut = complete(statement), isCut(statement)
	if c.table = firstOf(span, "db.collection.name"); c.table == "" {
		c.table = m.table(path, statement)
	}
	return c
}

var (
	writing   = regexp.MustCompile(`(?i)\b(insert\s+into|update|delete\s+from|merge\s+into)\b`)
	tableName = regexp.MustCompile("(?i)\\b(?:from|into|update|join)\\s+([\\w.\"`\\[\\]]+)")
	// readingMethod is how methods of remote procedures that only ask are called.
	readingMethod = regexp.MustCompile(`^(?i:get|list|find|search|query|read|fetch|lookup|count|check|describe|has|is|resolve|load)`)
	values        = regexp.MustCompile(`'(?:[^']|'')*'|"[^"]*"`)
	placeholder   = regexp.MustCompile(`\?|\$\d+|%s|%\(|@\w|(?:^|[^:]):[A-Za-z_]\w*`)
)

// complete is the statement where it shows all its values: without placeholders
// and not cut off.
func complete(statement string) string {
	if isCut(statement) {
		return ""
	}
	if strings.ContainsAny(statement, "?$%@:") && placeholder.MatchString(values.ReplaceAllString(statement, "")) {
		return ""
	}
	return statement
}

func isCut(statement string) bool {
	return strings.HasSuffix(statement, "...") || strings.HasSuffix(statement, "…")
}

// readRemote reads a call of another service.
func readRemote(t *trace.Trace, node *trace.Node, span *trace.Span) call {
	c := call{role: remote, target: firstOf(span, trace.PeerAttributes...)}
	server := span
	if node.Server != trace.None {
		server = &t.Spans[node.Server]
		c.target = server.Service
	}
	resent := span.Attribute("http.request.resend_count")
	c.resend = resent != "" && resent != "0"
	for _, side := range []*trace.Span{span, server} {
		if size, err := strconv.ParseInt(side.Attribute("http.response.body.size"), 10, 64); err == nil {
			c.size = size
		}
	}
	if method := firstOf(span, "rpc.method"); method != "" {
		c.read = readingMethod.MatchString(method[strings.LastIndexByte(method, '/')+1:])
		return c
	}
	method := strings.ToUpper(firstOf(span, "http.request.method", "http.method"))
	c.read = method == "GET" || method == "HEAD"
	for _, side := range []*trace.Span{span, server} {
		if target := targetOf(side); target != "" && c.raw == "" {
			c.raw = method + " " + target
		}
		if path := firstOf(side, "http.target", "url.path"); path != "" && c.address == "" {
			c.address = method + " " + path
		}
	}
	return c
}

// targetOf is what an HTTP span asks for, with its query; empty where the span
// does not tell the whole: a path alone may have had any query.
func targetOf(span *trace.Span) string {
	if target := span.Attribute("http.target"); target != "" {
		return target
	}
	path, query := span.Attribute("url.path"), span.Attribute("url.query")
	if path == "" || query == "" {
		return ""
	}
	return path + "?" + query
}

func firstWord(text string) string {
	text = strings.TrimSpace(text)
	if end := strings.IndexFunc(text, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '(' || r == ';' }); end >= 0 {
		return text[:end]
	}
	return text
}
