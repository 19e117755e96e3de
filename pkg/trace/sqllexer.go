package trace

import "strings"

// sqlKind is the class of a SQL token.
type sqlKind uint8

const (
	sqlEnd        sqlKind = iota
	sqlWord               // keyword, identifier or function
	sqlQuotedName         // identifier in quotes, given without them
	sqlValue              // literal or parameter
	sqlSymbol             // operator or punctuation
)

// sqlToken is a token; its text is a part of the statement.
type sqlToken struct {
	kind sqlKind
	text string
	// spaced says that white space or a comment stood before the token.
	spaced bool
}

// sqlLexer cuts a statement into tokens and skips comments. It accepts any
// bytes: what no dialect knows is a symbol of one character.
type sqlLexer struct {
	text string
	at   int
	// doubleIsString: "…" is a string (MySQL) and not a name (ANSI).
	doubleIsString bool
	// bracketIsName: […] is a name (SQL Server) and not an array's index.
	bracketIsName bool
	// backslashEscapes: \' does not end a string (MySQL, and others' E'…').
	backslashEscapes bool
}

func newSQLLexer(text, system string) *sqlLexer {
	lexer := &sqlLexer{text: text}
	switch system {
	case "mysql", "mariadb", "clickhouse", "spanner", "gcp.spanner", "hive":
		lexer.doubleIsString = true
		lexer.backslashEscapes = true
	case "mssql", "microsoft.sql_server", "sqlserver":
		lexer.bracketIsName = true
	}
	return lexer
}

// next is the next token; of kind sqlEnd at the end.
func (l *sqlLexer) next() sqlToken {
	from := l.at
	l.skipBlanks()
	spaced := l.at > from
	token := l.scan()
	token.spaced = spaced
	return token
}

func (l *sqlLexer) scan() sqlToken {
	if l.at >= len(l.text) {
		return sqlToken{}
	}
	start, c := l.at, l.text[l.at]
	switch {
	case c == '\'' || c == '"' && l.doubleIsString:
		l.quoted(c, l.backslashEscapes)
		return sqlToken{kind: sqlValue, text: l.text[start:l.at]}
	case c == '"' || c == '`':
		l.quoted(c, false)
		return sqlToken{kind: sqlQuotedName, text: unquote(l.text[start:l.at], c)}
	case c == '[' && l.bracketIsName:
		l.quoted(']', false)
		return sqlToken{kind: sqlQuotedName, text: unquote(l.text[start:l.at], ']')}
	case isDigit(c), c == '.' && isDigit(l.peek(1)):
		l.number()
		return sqlToken{kind: sqlValue, text: l.text[start:l.at]}
	case c == '$':
		return l.dollar()
	case c == '?':
		l.at++
		return sqlToken{kind: sqlValue, text: "?"}
	case c == ':' && isIdentifierStart(l.peek(1)), c == '@' && isIdentifierStart(l.peek(1)):
		l.at++
		l.word()
		return sqlToken{kind: sqlValue, text: l.text[start:l.at]}
	case c == '%' && (l.peek(1) == 's' || l.peek(1) == '('):
		return l.percent()
	case isIdentifierStart(c):
		return l.wordOrPrefixedString()
	}
	l.symbol()
	return sqlToken{kind: sqlSymbol, text: l.text[start:l.at]}
}

func (l *sqlLexer) peek(ahead int) byte {
	if l.at+ahead < len(l.text) {
		return l.text[l.at+ahead]
	}
	return 0
}

// skipBlanks passes white space and comments; those of /* */ may be nested, as
// in PostgreSQL.
func (l *sqlLexer) skipBlanks() {
	for l.at < len(l.text) {
		switch c := l.text[l.at]; {
		case c <= ' ':
			l.at++
		case c == '-' && l.peek(1) == '-', c == '#' && l.doubleIsString:
			if end := strings.IndexByte(l.text[l.at:], '\n'); end >= 0 {
				l.at += end + 1
			} else {
				l.at = len(l.text)
			}
		case c == '/' && l.peek(1) == '*':
			l.comment()
		default:
			return
		}
	}
}

func (l *sqlLexer) comment() {
	for depth := 0; l.at < len(l.text); {
		switch {
		case l.text[l.at] == '/' && l.peek(1) == '*':
			depth++
			l.at += 2
		case l.text[l.at] == '*' && l.peek(1) == '/':
			depth--
			l.at += 2
		default:
			l.at++
		}
		if depth == 0 {
			return
		}
	}
}

// quoted passes a quoted text; a doubled end quote stands for itself. Without
// an end (cut by the instrumentation) it reaches to the end of the statement.
func (l *sqlLexer) quoted(end byte, escapes bool) {
	for l.at++; l.at < len(l.text); l.at++ {
		switch c := l.text[l.at]; {
		case c == '\\' && escapes:
			l.at++
		case c == end && l.peek(1) == end:
			l.at++
		case c == end:
			l.at++
			return
		}
	}
	l.at = len(l.text)
}

func unquote(text string, end byte) string {
	text = text[1:]
	if strings.HasSuffix(text, string(end)) {
		text = text[:len(text)-1]
	}
	return strings.ReplaceAll(text, string([]byte{end, end}), string(end))
}

// number passes 1, 1.5, .5e-3, 0xFF, 1_000 and what is glued to them.
func (l *sqlLexer) number() {
	hex := l.text[l.at] == '0' && l.peek(1)|0x20 == 'x'
	for l.at < len(l.text) {
		c := l.text[l.at]
		signed := (c == '+' || c == '-') && !hex && l.text[l.at-1]|0x20 == 'e' && isDigit(l.peek(1))
		if !isIdentifierPart(c) && c != '.' && !signed {
			return
		}
		l.at++
	}
}

// dollar passes $1, and PostgreSQL's $tag$ … $tag$.
func (l *sqlLexer) dollar() sqlToken {
	start := l.at
	l.at++
	for l.at < len(l.text) && isIdentifierPart(l.text[l.at]) && l.text[l.at] != '$' {
		l.at++
	}
	if l.at < len(l.text) && l.text[l.at] == '$' && !isDigit(l.text[start+1]) {
		l.at++
		tag := l.text[start:l.at]
		if end := strings.Index(l.text[l.at:], tag); end >= 0 {
			l.at += end + len(tag)
		} else {
			l.at = len(l.text)
		}
		return sqlToken{kind: sqlValue, text: l.text[start:l.at]}
	}
	if l.at == start+1 {
		return sqlToken{kind: sqlSymbol, text: "$"}
	}
	return sqlToken{kind: sqlValue, text: l.text[start:l.at]}
}

// percent passes Python's parameters %s and %(name)s, or the operator.
func (l *sqlLexer) percent() sqlToken {
	start := l.at
	if l.peek(1) == 's' && !isIdentifierPart(l.peek(2)) {
		l.at += 2
		return sqlToken{kind: sqlValue, text: l.text[start:l.at]}
	}
	if end := strings.Index(l.text[l.at:], ")s"); l.peek(1) == '(' && isIdentifierStart(l.peek(2)) && end >= 0 && end < 64 {
		l.at += end + 2
		return sqlToken{kind: sqlValue, text: l.text[start:l.at]}
	}
	l.at++
	return sqlToken{kind: sqlSymbol, text: "%"}
}

func (l *sqlLexer) word() {
	for l.at < len(l.text) && isIdentifierPart(l.text[l.at]) {
		l.at++
	}
}

// wordOrPrefixedString passes a word, or a string with a prefix: N'…', E'…',
// X'…', B'…', U&'…'.
func (l *sqlLexer) wordOrPrefixedString() sqlToken {
	start := l.at
	l.word()
	word := l.text[start:l.at]
	if l.peek(0) == '&' && l.peek(1) == '\'' && (word == "U" || word == "u") {
		l.at++
	}
	if l.peek(0) == '\'' && len(word) == 1 && strings.ContainsAny(word, "NEXBUnexbu") {
		l.quoted('\'', l.backslashEscapes || word == "E" || word == "e")
		return sqlToken{kind: sqlValue, text: l.text[start:l.at]}
	}
	return sqlToken{kind: sqlWord, text: word}
}

// symbol passes an operator of two characters where there is one.
func (l *sqlLexer) symbol() {
	two := l.text[l.at:min(l.at+2, len(l.text))]
	switch two {
	case "::", "<=", ">=", "<>", "!=", "||", "->", ":=", "=>", "@>", "<@", "&&", "@@":
		l.at += 2
		return
	}
	l.at++
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isIdentifierStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}

func isIdentifierPart(c byte) bool {
	return isIdentifierStart(c) || isDigit(c) || c == '$'
}
