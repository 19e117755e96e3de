package trace

import (
	"strings"
	"unicode/utf8"
)

// maxText bounds operations and examples, in bytes.
const maxText = 1000

// Operation names what a span did, without what differs from call to call, and
// gives the raw text behind the name. It takes the first that is there of:
// HTTP method and route, RPC method, the statement of a SQL query, the
// summary or operation of another database's, messaging operation and
// destination, the span's name (OpenTelemetry semantic conventions, old and
// new). Both texts are valid UTF-8 of at most 1,000 bytes.
func Operation(s *Span) (operation, example string) {
	described := describe(s)
	operation, example = described.name()
	return clean(operation), clean(example)
}

// description is the attributes that name an operation. It is comparable: what
// has one description has one name.
type description struct {
	spanName                                       string
	kind                                           Kind
	method, route, template, path                  string
	rpcService, rpcMethod                          string
	dbSystem, summary, statement, dbOperation, set string
	messaging, destination                         string
}

// describe collects the attributes that the name depends on and no others.
func describe(s *Span) (d description) {
	d.kind = s.Kind
	for i := range s.Attributes {
		value := s.Attributes[i].Value
		switch s.Attributes[i].Key {
		case "http.request.method", "http.method":
			d.method = value
		case "http.route":
			d.route = value
		case "url.template":
			d.template = value
		case "url.path", "http.target":
			d.path = value
		case "rpc.service":
			d.rpcService = value
		case "rpc.method":
			d.rpcMethod = value
		case "db.system", "db.system.name":
			d.dbSystem = value
		case "db.query.summary":
			d.summary = value
		case "db.query.text", "db.statement":
			d.statement = value
		case "db.operation.name", "db.operation":
			d.dbOperation = value
		case "db.collection.name":
			d.set = value
		case "messaging.operation.name", "messaging.operation":
			d.messaging = value
		case "messaging.destination.name", "messaging.destination":
			d.destination = value
		}
	}
	switch {
	case d.method != "" && (d.route != "" || d.template != ""):
		d.spanName, d.path = "", ""
	case d.method == "" && d.rpcMethod == "" && d.statement != "":
		d.spanName = ""
	default:
		d.spanName = s.Name
	}
	return d
}

// name is the operation and the raw text it was made from.
func (d *description) name() (operation, example string) {
	switch {
	case d.method != "" && d.route != "":
		return d.method + " " + templateRoute(d.route), d.method + " " + d.route
	case d.method != "" && d.template != "":
		return d.method + " " + templateRoute(d.template), d.method + " " + d.template
	case d.rpcMethod != "" && d.rpcService != "":
		return d.rpcService + "/" + d.rpcMethod, d.rpcService + "/" + d.rpcMethod
	case d.rpcMethod != "":
		return d.rpcMethod, d.rpcMethod // since 2025 fully qualified
	case d.statement != "" && d.isSQL():
		return NormalizeSQL(d.statement, d.dbSystem), d.statement
	case d.summary != "":
		return d.summary, first(d.statement, d.summary)
	case d.dbOperation != "":
		return strings.TrimSpace(d.dbOperation + " " + d.set), first(d.statement, d.spanName)
	case d.statement != "":
		return command(d.statement), d.statement
	case d.messaging != "" && d.destination != "":
		return d.messaging + " " + templateName(d.destination), d.messaging + " " + d.destination
	case d.method != "" && d.path != "" && (d.kind == Client || d.spanName == "" || d.spanName == d.method || d.spanName == "HTTP "+d.method):
		return d.method + " " + NormalizeURL(d.path), d.method + " " + d.path
	}
	return templateName(d.spanName), d.spanName
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// isSQL tells databases that speak SQL, by name or by the statement's first
// word.
func (d *description) isSQL() bool {
	switch d.dbSystem {
	case "redis", "memcached", "mongodb", "elasticsearch", "opensearch", "dynamodb", "aws.dynamodb",
		"couchdb", "neo4j", "hbase", "geode", "azure.cosmosdb", "cosmosdb":
		return false
	case "", "other_sql":
		return isStatementStart(command(d.statement))
	}
	return true
}

// command is the first word of a statement, in capitals: the command of a key
// value store ("GET" of "GET user:12").
func command(statement string) string {
	words := strings.Fields(statement[:min(len(statement), 200)])
	if len(words) == 0 {
		return ""
	}
	word := words[0]
	if !isIdentifierStart(word[0]) {
		return NormalizeSQL(statement, "")
	}
	return strings.ToUpper(word)
}

// clean makes valid UTF-8 of bounded length, cut between characters.
func clean(text string) string {
	if len(text) > maxText {
		cut := maxText - len("…")
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
		return clean(text)
	}
	return text
}
