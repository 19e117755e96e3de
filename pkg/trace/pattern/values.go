package pattern

// nextValue finds what differs from call to call in a statement or address: a
// text in quotes, or a word with a digit in it. Both ends are negative where
// there is none.
func nextValue(text string) (start, end int) {
	for start = 0; start < len(text); {
		switch {
		case text[start] == '\'':
			if end = endOfQuote(text, start); end > 0 {
				return start, end
			}
			start++
		case isWord(text[start]):
			hasDigit := false
			for end = start; end < len(text) && isWord(text[end]); end++ {
				hasDigit = hasDigit || text[end] >= '0' && text[end] <= '9'
			}
			if hasDigit {
				return start, end
			}
			start = end
		default:
			start++
		}
	}
	return -1, -1
}

// endOfQuote is behind the quote that closes the one at start; two in a row are
// a part of the text, but for the last two where no other closes it. It is 0
// where none does.
func endOfQuote(text string, start int) (end int) {
	for at := start + 1; at < len(text); at++ {
		if text[at] != '\'' {
			continue
		}
		end = at + 1
		if at++; at == len(text) || text[at] != '\'' {
			return end
		}
	}
	return end
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-'
}

// valuesOf are all of a text.
func valuesOf(text string) (all []string) {
	for {
		start, end := nextValue(text)
		if start < 0 {
			return all
		}
		all = append(all, text[start:end])
		text = text[end:]
	}
}
