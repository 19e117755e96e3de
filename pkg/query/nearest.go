package query

import (
	"fmt"
	"slices"
	"strings"
)

// CheckKnown says what is wrong with a name that is none of the choices, and
// which of them was probably meant; nil for a known one.
func CheckKnown(field, name string, choices []string) error {
	if slices.Contains(choices, name) {
		return nil
	}
	return fmt.Errorf("%s is %.40q: choose one of %s%s", field, name, strings.Join(choices, ", "), didYouMean(name, choices))
}

// didYouMean is the nearest choice as the end of a sentence; empty for none.
func didYouMean(name string, choices []string) string {
	meant := nearest(name, choices)
	if meant == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", meant)
}

// nearest is the choice that differs least from a name, without regard to case;
// empty where none is near.
func nearest(name string, choices []string) string {
	best, minEdits := "", len(name)/3+2
	for _, choice := range choices {
		if edits := distance(strings.ToLower(name), strings.ToLower(choice)); edits < minEdits {
			best, minEdits = choice, edits
		}
	}
	return best
}

// distance is Levenshtein's: the insertions, deletions and substitutions of
// bytes that make one text of another.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substituted := diagonal
			if a[i] != b[j] {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(substituted, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
