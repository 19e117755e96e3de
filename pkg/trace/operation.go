package trace

import (
	"strings"
	"unicode/utf8"

	"github.com/foresight-observability/foresight/pkg/trace/sqlnorm"
)

// maxText bounds operations and examples, in bytes.
const maxText = 1000

// naming is what an operation is named after: a rule and the texts that it
// uses. It is comparable: spans of one naming have one name.
type naming struct {
	rule                   namingRule
	first, second, example string
}

type namingRule uint8

const (
	byName      namingRule = iota // first: the span's name
	byRoute                       // first: method, second: route
	byPath                        // first: method, second: path
	byRPC                         // first: service, second: method
	bySQL                         // first: statement, second: system
	byCommand                     // first: statement
	byGiven                       // first: the operation, second: what on; example
	byMessaging                   // first: operation, second: destination
)

// attributes are those of a span that may name its operation.
type attributes struct {
	method, route, template, path                           string
	rpcService, rpcMethod                                   string
	dbSystem, summary, statement, dbOperation, dbCollection string
	messaging, destination                                  string
}

func attributesOf(s *Span) (a attributes) {
	for i := range s.Attributes {
		value := s.Attributes[i].Value
		switch s.Attributes[i].Key {
		case "http.request.method", "http.method":
			a.method = value
		case "http.route":
			a.route = value
		case "url.template":
			a.template = value
		case "url.path":
			if a.path == "" {
				a.path = value
			}
		case "http.target": // with the names of the query's parameters
			a.path = value
		case "rpc.service":
			a.rpcService = value
		case "rpc.method":
			a.rpcMethod = value
		case "db.system", "db.system.name":
			a.dbSystem = value
		case "db.query.summary":
			a.summary = value
		case "db.query.text", "db.statement":
			a.statement = value
		case "db.operation.name", "db.operation":
			a.dbOperation = value
		case "db.collection.name":
			a.dbCollection = value
		case "messaging.operation.name", "messaging.operation":
			a.messaging = value
		case "messaging.destination.name", "messaging.destination":
			a.destination = value
		}
	}
	return a
}

// namingOf picks the rule that names a span's operation: the first that applies
// of HTTP method and route, RPC method, the statement of a SQL query, the
// summary or operation of another database's, messaging operation and
// destination, HTTP method and path, the span's name (OpenTelemetry semantic
// conventions, old and new).
func namingOf(s *Span) naming {
	if len(s.Attributes) == 0 {
		return naming{rule: byName, first: s.Name}
	}
	a := attributesOf(s)
	switch {
	case a.method != "" && a.route != "":
		return naming{rule: byRoute, first: a.method, second: a.route}
	case a.method != "" && a.template != "":
		return naming{rule: byRoute, first: a.method, second: a.template}
	case a.rpcMethod != "":
		return naming{rule: byRPC, first: a.rpcService, second: a.rpcMethod}
	case a.statement != "" && speaksSQL(a.dbSystem, a.statement):
		return naming{rule: bySQL, first: a.statement, second: a.dbSystem}
	case a.summary != "":
		return naming{rule: byGiven, first: a.summary, example: a.statement}
	case a.dbOperation != "":
		return naming{rule: byGiven, first: a.dbOperation, second: a.dbCollection, example: a.statement}
	case a.statement != "":
		return naming{rule: byCommand, first: a.statement}
	case a.messaging != "" && a.destination != "":
		return naming{rule: byMessaging, first: a.messaging, second: a.destination}
	case a.method != "" && a.path != "" && (s.Kind == Client || s.Name == "" || strings.EqualFold(s.Name, a.method) || s.Name == "HTTP "+a.method):
		return naming{rule: byPath, first: a.method, second: a.path}
	}
	return naming{rule: byName, first: s.Name}
}

// texts are the operation and the raw text it was made from.
func (n *naming) texts() (operation, example string) {
	switch n.rule {
	case byRoute:
		return n.first + " " + templateRoute(n.second), n.first + " " + n.second
	case byPath:
		return n.first + " " + NormalizeURL(n.second), n.first + " " + n.second
	case byRPC:
		name := n.second // since 2025 fully qualified
		if n.first != "" {
			name = n.first + "/" + n.second
		}
		return name, name
	case bySQL:
		return sqlnorm.Normalize(n.first, n.second), n.first
	case byCommand:
		return command(n.first), n.first
	case byGiven:
		name := strings.TrimSpace(n.first + " " + n.second)
		if n.example == "" {
			return name, name
		}
		return name, n.example
	case byMessaging:
		return n.first + " " + templateName(n.second), n.first + " " + n.second
	}
	return templateName(n.first), n.first
}

// speaksSQL tells databases that speak SQL, by name or by the statement's
// first word.
func speaksSQL(system, statement string) bool {
	switch system {
	case "redis", "memcached", "mongodb", "elasticsearch", "opensearch", "dynamodb", "aws.dynamodb",
		"couchdb", "neo4j", "hbase", "geode", "azure.cosmosdb", "cosmosdb":
		return false
	case "", "other_sql":
		return sqlnorm.IsStatement(statement, system)
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
	if first := words[0][0]; !letter(first) && first < utf8.RuneSelf && first != '_' {
		return sqlnorm.Normalize(statement, "") // JSON and the like: at least without values
	}
	return strings.ToUpper(words[0])
}

// clean makes valid UTF-8 of bounded length, cut between characters.
func clean(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text[:min(len(text), maxText)], "\uFFFD")
	}
	if len(text) <= maxText {
		return text
	}
	cut := maxText - len("…")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
