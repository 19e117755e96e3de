package query

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// maxAgo bounds relative times.
const maxAgo = 10 * 365 * 24 * time.Hour

// Population selects one side of a trace diff. Empty fields take the default
// of the side.
type Population struct {
	// Version is the service.version.
	Version string `json:"version,omitempty"`
	// From is the population's begin: RFC 3339, milliseconds since the epoch, or
	// relative to the end of the window ("-30m").
	From string `json:"from,omitempty"`
	// To is the end of the population, written like From.
	To string `json:"to,omitempty"`
	// TraceQL is a further spanset filter.
	TraceQL string `json:"traceQL,omitempty"`
	// Ago, of a baseline, puts it so long before the candidate, over the same
	// time: the same hour one ("1d") or seven days ago ("7d").
	Ago Duration `json:"ago,omitempty"`
}

func (p Population) validate(side string) error {
	_, errFrom := moment("from", p.From, time.Time{})
	_, errTo := moment("to", p.To, time.Time{})
	var errAgo error
	switch {
	case p.Ago == 0:
	case side != "baseline":
		errAgo = errors.New("ago: only the baseline lies a time before the other side")
	case p.From != "" || p.To != "":
		errAgo = errors.New("ago: the times are the candidate's, so long before; leave from and to out")
	case p.Ago < 0 || time.Duration(p.Ago) > maxAgo:
		errAgo = fmt.Errorf("ago is %s; choose up to %s", p.Ago, Duration(maxAgo))
	}
	err := first(
		checkName("version", p.Version),
		checkLength("traceQL", p.TraceQL, maxExpr),
		errFrom,
		errTo,
		errAgo,
	)
	if err != nil {
		return fmt.Errorf("%s.%w", side, err)
	}
	return nil
}

var errSamePopulation = errors.New("baseline and candidate are the same population: give them another version, time or traceQL")

func checkDistinct(baseline, candidate Population) error {
	if baseline == candidate && baseline != (Population{}) {
		return errSamePopulation
	}
	return nil
}

func checkSides(baseline, candidate Population) error {
	return first(baseline.validate("baseline"), candidate.validate("candidate"), checkDistinct(baseline, candidate))
}

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
	malformed := fmt.Errorf("%s is %.40q: write a time as 2026-01-31T12:00:00Z, as a number since 1970 in s, ms, µs or ns, or as -30m before the end of the window",
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
	parsed, ok := lenient.ParseTime(text)
	if !ok {
		return time.Time{}, malformed
	}
	return checkYear(field, parsed)
}

// checkYear keeps times within what stores can be asked for: nanoseconds since
// 1970 in 64 bits.
func checkYear(field string, t time.Time) (time.Time, error) {
	if t.Year() < 1970 || t.Year() > 2261 {
		return time.Time{}, fmt.Errorf("%s lies in the year %d; it must be between 1970 and 2261", field, t.Year())
	}
	return t, nil
}
