// Package shorten cuts text to size.
package shorten

import "unicode/utf8"

const mark = "…"

// Bytes cuts text to a number of bytes, the mark of the cut among them, at a
// whole character.
func Bytes(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := max(0, limit-len(mark))
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + mark
}

// Characters cuts text to a number of characters, the mark of the cut among them.
func Characters(text string, limit int) string {
	if characters := []rune(text); len(characters) > limit {
		return string(characters[:limit-1]) + mark
	}
	return text
}
