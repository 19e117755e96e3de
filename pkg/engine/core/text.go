package core

import (
	"fmt"
	"strings"
	"time"
)

// List names a few things in a sentence.
func List(names []string) string {
	const most = 12
	if len(names) == 0 {
		return "none"
	}
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// FormatTime is an instant in a message.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// Count is a number of events: 0 where it is missing.
func Count(count float64) float64 {
	if count > 0 {
		return count
	}
	return 0
}
