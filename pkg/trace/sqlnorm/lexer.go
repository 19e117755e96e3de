package sqlnorm

import "strings"

// tokenKind is the class of a SQL token.
type tokenKind uint8

const (
	endOfText   tokenKind = iota
	wordToken             // keyword, identifier or function
	quotedName            // identifier in quotes, given without them
	valueToken            // literal or parameter
	symbolToken           // operator or punctuation
)

// token is a token; its text is a part of the statement.
type token struct {
	kind tokenKind
	text string
	// spaced says that white space or a comment stood before the token.
	spaced bool
}

// endsOperand says that an operator may follow the token.
func (t *token) endsOperand() bool {
	switch t.kind {
	case wordToken:
		_, isKeyword := keywordOf(t.text)
		return !isKeyword
	case quotedName, valueToken:
		return true
	}
	return t.text == ")" || t.text == "]"
}

// lexer cuts a statement into tokens and skips comments. It accepts any
// bytes: what no dialect knows is a symbol of one character.
type lexer struct {
	text string
	at   int
	// doubleIsString: "…" is a string (MySQL) and not a name (ANSI).
	doubleIsString bool
	// bracketIsName: […] is a name (SQL Server) and not an array's index.
	bracketIsName bool
	// last is the token before: after a name or value, "?" begins an operator
	// (PostgreSQL's ?| and the like) and is no parameter.
	last token
	// backslashEscapes: \' does not end a string (MySQL, and others' E'…').
	backslashEscapes bool
}

func newLexer(text, system string) *lexer {
	l := &lexer{text: text}
	switch system {
	case "mysql", "mariadb", "clickhouse", "spanner", "gcp.spanner", "hive":
		l.doubleIsString = true
		l.backslashEscapes = true
	case "mssql", "microsoft.sql_server", "sqlserver":
		l.bracketIsName = true
	}
	return l
}

// next is the next token; of kind endOfText at the end.
func (l *lexer) next() token {
	from := l.at
	l.skipBlanks()
	spaced := l.at > from
	t := l.scan()
	t.spaced = spaced
	l.last = t
	return t
}

func (l *lexer) scan() token {
	if l.at >= len(l.text) {
		return token{}
	}
	start, c := l.at, l.text[l.at]
	switch {
	case c == '\'' || c == '"' && l.doubleIsString:
		l.quoted(c, l.backslashEscapes)
		return token{kind: valueToken, text: l.text[start:l.at]}
	case c == '"' || c == '`':
		l.quoted(c, false)
		return token{kind: quotedName, text: unquote(l.text[start:l.at], c)}
	case c == '[' && l.bracketIsName:
		l.quoted(']', false)
		return token{kind: quotedName, text: unquote(l.text[start:l.at], ']')}
	case isDigit(c), c == '.' && isDigit(l.peek(1)):
		l.number()
		return token{kind: valueToken, text: l.text[start:l.at]}
	case c == '$':
		return l.dollar()
	case c == '?' && !l.last.endsOperand():
		l.at++
		return token{kind: valueToken, text: "?"}
	case c == ':' && isIdentifierStart(l.peek(1)), c == '@' && isIdentifierStart(l.peek(1)):
		l.at++
		l.word()
		return token{kind: valueToken, text: l.text[start:l.at]}
	case c == '%' && (l.peek(1) == 's' || l.peek(1) == '('):
		return l.percent()
	case isIdentifierStart(c):
		return l.wordOrPrefixedString()
	}
	l.symbol()
	return token{kind: symbolToken, text: l.text[start:l.at]}
}

func (l *lexer) peek(ahead int) byte {
	if l.at+ahead < len(l.text) {
		return l.text[l.at+ahead]
	}
	return 0
}

// skipBlanks passes white space and comments; those of /* */ may be nested, as
// in PostgreSQL.
func (l *lexer) skipBlanks() {
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

func (l *lexer) comment() {
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
func (l *lexer) quoted(end byte, escapes bool) {
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
func (l *lexer) number() {
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
func (l *lexer) dollar() token {
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
		return token{kind: valueToken, text: l.text[start:l.at]}
	}
	if l.at == start+1 {
		return token{kind: symbolToken, text: "$"}
	}
	return token{kind: valueToken, text: l.text[start:l.at]}
}

// percent passes Python's parameters %s and %(name)s, or the operator.
func (l *lexer) percent() token {
	start := l.at
	if l.peek(1) == 's' && !isIdentifierPart(l.peek(2)) {
		l.at += 2
		return token{kind: valueToken, text: l.text[start:l.at]}
	}
	if end := strings.Index(l.text[l.at:], ")s"); l.peek(1) == '(' && isIdentifierStart(l.peek(2)) && end >= 0 && end < 64 {
		l.at += end + 2
		return token{kind: valueToken, text: l.text[start:l.at]}
	}
	l.at++
	return token{kind: symbolToken, text: "%"}
}

func (l *lexer) word() {
	for l.at < len(l.text) && isIdentifierPart(l.text[l.at]) {
		l.at++
	}
}

// wordOrPrefixedString passes a word, or a string with a prefix: N'…', E'…',
// X'…', B'…', U&'…'.
func (l *lexer) wordOrPrefixedString() token {
	start := l.at
	l.word()
	word := l.text[start:l.at]
	if l.peek(0) == '&' && l.peek(1) == '\'' && (word == "U" || word == "u") {
		l.at++
	}
	if l.peek(0) == '\'' && len(word) == 1 && strings.ContainsAny(word, "NEXBUnexbu") {
		l.quoted('\'', l.backslashEscapes || word == "E" || word == "e")
		return token{kind: valueToken, text: l.text[start:l.at]}
	}
	return token{kind: wordToken, text: word}
}

// operators are those of more than one character: PostgreSQL's (JSON, arrays,
// ranges, text search, patterns, geometry), and those of MySQL, SQLite, Oracle
// and SQL Server. The longest come first.
var operators = []string{
	"!~~*",
	"->>", "#>>", "<=>", "!~*", "~~*", "!~~", "@@@", "<<=", ">>=", "-|-", "&<|", "|&>", "<<|", "|>>", "||/", "<->", "<#>", "?-|", "?||",
	"::", "<=", ">=", "<>", "!=", "||", "|/", "->", "#>", "#-", ":=", "=>", "@>", "<@", "@?", "@@", "&&", "&<", "&>", "<<", ">>", "~*", "!~",
	"~~", "^@", "?|", "?&", "?-", "==", "!<", "!>", "**", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=",
}

const operatorCharacters = "+-*/<>=~!@#%^&|?:"

// symbol passes an operator, or one character of anything else.
func (l *lexer) symbol() {
	run := l.at
	for run < len(l.text) && run < l.at+len(operators[0]) && strings.IndexByte(operatorCharacters, l.text[run]) >= 0 {
		run++
	}
	if run > l.at+1 {
		for _, operator := range operators {
			if strings.HasPrefix(l.text[l.at:run], operator) {
				l.at += len(operator)
				return
			}
		}
	}
	l.at++
}

// isOperator says that a piece of a normalised statement is an operator and not
// the placeholder of a value.
func isOperator(piece string) bool {
	return piece != "" && piece != "?" && strings.IndexByte(operatorCharacters, piece[0]) >= 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isIdentifierStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}

func isIdentifierPart(c byte) bool {
	return isIdentifierStart(c) || isDigit(c) || c == '$'
}
