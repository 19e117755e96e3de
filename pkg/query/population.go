package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// maxAgo bounds relative times.
const maxAgo = 10 * 365 * 24 * time.Hour

// Bounds are the times of the population: From and To where they are given,
// the window's elsewhere. Relative times count from the end of the window.
// set tells whether the population has a time of its own.
func (p Population) Bounds(windowFrom, windowTo time.Time) (from, to time.Time, set bool, err error) {
	from, to = windowFrom, windowTo
	if p.From != "" {
		if from, err = moment("from", p.From, windowTo); err != nil {
			return time.Time{}, time.Time{}, true, err
		}
	}
	if p.To != "" {
		if to, err = moment("to", p.To, windowTo); err != nil {
			return time.Time{}, time.Time{}, true, err
		}
	}
	if set = p.From != "" || p.To != ""; set && !from.Before(to) {
		return time.Time{}, time.Time{}, true, fmt.Errorf("from (%s) is not before to (%s)",
			from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	return from, to, set, nil
}

// moment reads one point in time. Empty text is the reference itself.
func moment(field, text string, reference time.Time) (time.Time, error) {
	malformed := fmt.Errorf("%s is %.40q: write a time as 2026-01-31T12:00:00Z, as milliseconds since 1970, or as -30m before the end of the window",
		field, text)
	relative := strings.TrimPrefix(text, "now")
	switch {
	case relative == "":
		return reference, nil
	case relative[0] == '-':
		ago, err := model.ParseDuration(relative[1:])
		if err != nil {
			return time.Time{}, malformed
		}
		if time.Duration(ago) > maxAgo {
			return time.Time{}, fmt.Errorf("%s reaches back %s; at most %s are allowed", field, ago, Duration(maxAgo))
		}
		return reference.Add(-time.Duration(ago)), nil
	case relative != text:
		return time.Time{}, malformed
	}
	if milliseconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return checkYear(field, time.UnixMilli(milliseconds).UTC())
	}
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, malformed
	}
	return checkYear(field, parsed.UTC())
}

// checkYear keeps times within what stores can be asked for: nanoseconds since
// 1970 in 64 bits.
func checkYear(field string, t time.Time) (time.Time, error) {
	if t.Year() < 1970 || t.Year() > 2261 {
		return time.Time{}, fmt.Errorf("%s lies in the year %d; it must be between 1970 and 2261", field, t.Year())
	}
	return t, nil
}
