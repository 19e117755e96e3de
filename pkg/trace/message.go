package trace

import (
	"strings"
	"unicode"
)

// maxMessage is the length in bytes to which a normalised message is cut.
const maxMessage = 160

// NormalizeMessage is the first line of an error's message without what varies from
// request to request: numbers, ids, what stands in quotes. Words of letters stay.
func NormalizeMessage(message string) string {
	message, _, _ = strings.Cut(strings.TrimSpace(message), "\n")
	message = unquoted(message)
	var words []string
	length := 0
	for _, word := range strings.Fields(message) {
		if length += len(word) + 1; length > maxMessage {
			break
		}
		words = append(words, withoutNumbers(word))
	}
	return strings.Join(words, " ")
}

// unquoted puts a question mark in the place of what stands in quotes.
func unquoted(message string) string {
	var b strings.Builder
	for i := 0; i < len(message); {
		quote := message[i]
		isQuote := quote == '"' || quote == '`' || quote == '\'' && (i == 0 || !isWord(message[i-1]))
		if end := strings.IndexByte(message[i+1:], quote); isQuote && end >= 0 {
			b.WriteByte('?')
			i += end + 2
			continue
		}
		b.WriteByte(quote)
		i++
	}
	return b.String()
}

func isWord(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' }

// withoutNumbers puts a question mark in the place of the parts of a word that have
// digits; punctuation around them stays.
func withoutNumbers(word string) string {
	if strings.IndexFunc(word, unicode.IsDigit) < 0 {
		return word
	}
	inPart := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' || r == '.'
	}
	var b strings.Builder
	for len(word) > 0 {
		end := strings.IndexFunc(word, func(r rune) bool { return !inPart(r) })
		if end < 0 {
			end = len(word)
		}
		if part := word[:end]; strings.IndexFunc(part, unicode.IsDigit) >= 0 {
			b.WriteByte('?')
		} else {
			b.WriteString(part)
		}
		word = word[end:]
		next := strings.IndexFunc(word, inPart)
		if next < 0 {
			next = len(word)
		}
		b.WriteString(word[:next])
		word = word[next:]
	}
	return b.String()
}
