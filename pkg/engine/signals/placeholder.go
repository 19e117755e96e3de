package signals

import (
	"regexp"
	"strconv"
	"strings"
)

// servicePlaceholder stands for a service's name in an administrator's PromQL.
const servicePlaceholder = "$service"

// fillService puts a service's name in the place of its placeholder. The name
// stays inside the string literal that it stands in, whatever it holds, and is
// taken literally where that literal is a regular expression. quoted tells
// whether every placeholder stands in a literal; elsewhere it stays as it is.
func fillService(promQL, service string) (filled string, quoted bool) {
	var b strings.Builder
	var quote byte // of the literal that is being read; 0 outside of any
	var pattern bool
	quoted = true
	for i := 0; i < len(promQL); {
		rest := promQL[i:]
		length := 1
		switch {
		case strings.HasPrefix(rest, servicePlaceholder) && quote == 0:
			quoted = false
		case strings.HasPrefix(rest, servicePlaceholder):
			b.WriteString(inLiteral(service, quote, pattern))
			i += len(servicePlaceholder)
			continue
		case quote == 0 && rest[0] == '#': // a comment
			if length = strings.IndexByte(rest, '\n'); length < 0 {
				length = len(rest)
			}
		case quote == 0 && strings.IndexByte("\"'`", rest[0]) >= 0:
			quote, pattern = rest[0], strings.HasSuffix(strings.TrimSpace(promQL[:i]), "~")
		case quote != 0 && quote != '`' && rest[0] == '\\':
			length = min(2, len(rest))
		case rest[0] == quote:
			quote = 0
		}
		b.WriteString(rest[:length])
		i += length
	}
	return b.String(), quoted
}

// quotes are written by their codes, which close no literal.
var quotes = strings.NewReplacer(`\"`, `\x22`, "'", `\x27`, "`", `\x60`)

// inLiteral is a text inside a string literal of PromQL.
func inLiteral(text string, quote byte, pattern bool) string {
	if pattern {
		text = regexp.QuoteMeta(text)
	}
	if quote == '`' && !strings.Contains(text, "`") {
		return text
	}
	escaped := strconv.Quote(text)
	return quotes.Replace(escaped[1 : len(escaped)-1])
}
