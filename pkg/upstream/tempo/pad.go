package tempo

import "strings"

// buffer is how much of a query Tempo's lexer (Go's text/scanner) reads at once.
// When it looks ahead into the next part, which it does at every attribute's
// name and every duration, it loses that part and takes the query to end there
// (up to 2.10 at least).
const buffer = 1024

// padded is a query with spaces in it, so that no word lies across the borders
// of the lexer's buffer. Inside of literals nothing is changed: there the lexer
// does not look ahead.
func padded(query string) string {
	for border := buffer; border < len(query); border += buffer {
		space := lastSpace(query, border)
		if space < 0 || space >= border {
			continue
		}
		query = query[:space] + strings.Repeat(" ", border-space+1) + query[space:]
	}
	return query
}

// lastSpace is the last space outside of literals before a border; the border
// itself where that lies in a literal, negative for none.
func lastSpace(query string, border int) int {
	space := -1
	for i := 0; i < border; i++ {
		switch quote := query[i]; quote {
		case ' ':
			space = i
		case '"', '`':
			for i++; i < len(query) && query[i] != quote; i++ {
				if query[i] == '\\' && quote == '"' {
					i++
				}
			}
			if i >= border {
				return border
			}
		}
	}
	return space
}
