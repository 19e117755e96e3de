// Package sqlnorm makes one text of all SQL statements that differ in their
// values only, so that calls of a database can be grouped and named. It reads
// tokens, not grammar: any dialect, and statements that were cut off.
package sqlnorm

import (
	"slices"
	"strings"
)

// maxStatement bounds how much of a statement is read, in bytes.
const maxStatement = 64 << 10

// Normalize is the form that statements which differ in their values only have
// in common: comments dropped, literals and parameters replaced by ?, lists after IN
// and rows after VALUES collapsed to (?+), keywords in capitals, needless
// quotes around names dropped, long numbers inside names (shards, partitions)
// replaced by {n}, one blank between words. system is the value of db.system
// or db.system.name and decides what quotes mean; empty for ANSI SQL.
func Normalize(statement, system string) string {
	var buffer [64]string // most statements need no more, and no memory
	return joinPieces(piecesOf(statement, system, buffer[:0]))
}

// Hash is that of a statement's normal form, without making its text: equal for
// statements that Normalize makes equal.
func Hash(statement, system string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	var buffer [64]string
	hash := uint64(offset)
	for _, piece := range piecesOf(statement, system, buffer[:0]) {
		for i := range len(piece) {
			hash = (hash ^ uint64(piece[i])) * prime
		}
		hash = (hash ^ 0xff) * prime // between pieces: no byte of valid text
	}
	return hash
}

// piecesOf are the words and symbols of the normal form.
func piecesOf(statement, system string, pieces []string) []string {
	l := newLexer(statement[:min(len(statement), maxStatement)], system)
	for t := l.next(); t.kind != endOfText; t = l.next() {
		pieces = appendPiece(pieces, t)
	}
	for len(pieces) > 0 && pieces[len(pieces)-1] == ";" {
		pieces = pieces[:len(pieces)-1]
	}
	return collapseLists(pieces)
}

// appendPiece adds the normalised token, without the sign of a literal.
func appendPiece(pieces []string, t token) []string {
	switch t.kind {
	case valueToken:
		if count := len(pieces); count > 0 && (pieces[count-1] == "-" || pieces[count-1] == "+") &&
			(count == 1 || beforeValue(pieces[count-2])) {
			pieces = pieces[:count-1]
		}
		return append(pieces, "?")
	case quotedName:
		return append(pieces, quoteName(nameWithoutNumbers(t.text)))
	case wordToken:
		if keyword, known := keywordOf(t.text); known {
			return append(pieces, keyword)
		}
		if len(pieces) > 0 && (pieces[len(pieces)-1] == "SAVEPOINT" || pieces[len(pieces)-1] == "TO") {
			return append(pieces, "?") // savepoints are numbered
		}
		return append(pieces, nameWithoutNumbers(t.text))
	}
	return append(pieces, t.text)
}

// beforeValue says that a sign after the piece belongs to the value, and is
// not an operation between two values.
func beforeValue(piece string) bool {
	if piece == "(" || piece == "," || piece == "[" || isOperator(piece) {
		return true
	}
	_, isKeyword := keywords[piece]
	return isKeyword
}

// quoteName leaves the quotes away where the name does not need them.
func quoteName(name string) string {
	plain := name != "" && (isIdentifierStart(name[0]) || name[0] == '{')
	for i := 0; i < len(name) && plain; i++ {
		plain = isIdentifierPart(name[i]) || name[i] == '{' || name[i] == '}'
	}
	if plain {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// nameWithoutNumbers replaces runs of four and more digits.
func nameWithoutNumbers(name string) string {
	var out strings.Builder
	written := 0
	for i := 0; i < len(name); {
		end := i
		for end < len(name) && isDigit(name[end]) {
			end++
		}
		if end-i >= 4 {
			out.WriteString(name[written:i])
			out.WriteString("{n}")
			written = end
		}
		i = max(end, i+1)
	}
	if written == 0 {
		return name
	}
	out.WriteString(name[written:])
	return out.String()
}

// collapseLists replaces lists of values: after IN and VALUES, and in arrays.
func collapseLists(pieces []string) []string {
	out := pieces[:0]
	for i := 0; i < len(pieces); {
		piece := pieces[i]
		switch {
		case piece == "[":
			if end := listEnd(pieces, i); end > 0 {
				out, i = append(out, "[?+]"), end
				continue
			}
		case piece == "(" && len(out) > 0 && (out[len(out)-1] == "IN" || out[len(out)-1] == "VALUES" || out[len(out)-1] == "ANY"):
			if end := listEnd(pieces, i); end > 0 {
				rows := out[len(out)-1] == "VALUES"
				out, i = append(out, "(?+)"), end
				for rows && i+1 < len(pieces) && pieces[i] == "," && pieces[i+1] == "(" {
					next := listEnd(pieces, i+1)
					if next == 0 {
						break
					}
					i = next
				}
				continue
			}
			if out[len(out)-1] == "VALUES" {
				out, i = appendRow(out, pieces, i)
				continue
			}
		}
		out = append(out, piece)
		i++
	}
	return out
}

// listEnd is the index after a bracketed list of values and such lists; 0 for
// another or an empty list.
func listEnd(pieces []string, start int) int {
	depth, values := 0, 0
	for i := start; i < len(pieces); i++ {
		switch pieces[i] {
		case "(", "[":
			depth++
		case ")", "]":
			depth--
			if depth == 0 {
				if values == 0 {
					return 0
				}
				return i + 1
			}
		case "?", "NULL", "DEFAULT", "TRUE", "FALSE":
			values++
		case ",":
		default:
			return 0
		}
	}
	return 0
}

// appendRow copies a row of VALUES that holds more than values, and passes the
// rows after it that are the same.
func appendRow(out, pieces []string, start int) ([]string, int) {
	end := groupEnd(pieces, start)
	row := len(out)
	out = append(out, pieces[start:end]...)
	rowEnd := len(out)
	for end+1 < len(pieces) && pieces[end] == "," && pieces[end+1] == "(" {
		next := groupEnd(pieces, end+1)
		if !slices.Equal(out[row:rowEnd], pieces[end+1:next]) {
			break
		}
		end = next
	}
	return out, end
}

// groupEnd is the index after the group that opens at start.
func groupEnd(pieces []string, start int) int {
	depth := 0
	for i := start; i < len(pieces); i++ {
		switch pieces[i] {
		case "(":
			depth++
		case ")":
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(pieces)
}

// joinPieces writes the statement with single blanks where a person would put
// them.
func joinPieces(pieces []string) string {
	length := len(pieces)
	for _, piece := range pieces {
		length += len(piece)
	}
	var out strings.Builder
	out.Grow(length)
	for i, piece := range pieces {
		if i > 0 && blankBetween(pieces[i-1], piece) {
			out.WriteByte(' ')
		}
		out.WriteString(piece)
	}
	return out.String()
}

func blankBetween(left, right string) bool {
	switch right {
	case ",", ")", "]", ".", ";", "::", "[", "[?+]":
		return false
	case "(":
		if _, isKeyword := keywords[left]; isKeyword || !isName(left) {
			return left != "(" && left != "." && !functions[left]
		}
		return false
	}
	switch left {
	case "(", "[", ".", "::":
		return false
	}
	return true
}

func isName(piece string) bool {
	return piece != "" && (isIdentifierStart(piece[0]) || piece[0] == '"')
}
