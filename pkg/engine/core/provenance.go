package core

import (
	"fmt"
	"slices"
)

// Provenance says what an answer rests on.
type Provenance struct {
	Queries    []string // the upstream queries as they were sent
	Notices    []string // what was left out, repaired or replaced
	Remarks    []string // what explains the answer, and asks nobody to act
	Parameters map[string]any
}

// UserError is an error that the asker, or whoever configured the data
// source, can correct.
type UserError struct{ Message string }

func (e *UserError) Error() string { return e.Message }

// UserErrorf formats a UserError.
func UserErrorf(format string, arguments ...any) error {
	return &UserError{fmt.Sprintf(format, arguments...)}
}

// NotFoundError says that what the query names does not exist in the data.
type NotFoundError struct{ Message string }

func (e *NotFoundError) Error() string { return e.Message }

// NotFoundErrorf formats a NotFoundError.
func NotFoundErrorf(format string, arguments ...any) error {
	return &NotFoundError{fmt.Sprintf(format, arguments...)}
}

// The errors of a question that no configured upstream can answer.
var (
	ErrNoMetrics = UserErrorf("no metrics server is configured: set the Prometheus URL (or data source) in Foresight's settings")
	ErrNoTraces  = UserErrorf("no trace store is configured: set the Tempo URL (or data source) in Foresight's settings")
)

// AddQuery adds an upstream query that the answer rests on.
func (b *Provenance) AddQuery(format string, arguments ...any) {
	b.Queries = append(b.Queries, fmt.Sprintf(format, arguments...))
}

// AddNotice adds what the reader should know, each thing once.
func (b *Provenance) AddNotice(texts ...string) {
	for _, text := range texts {
		if text != "" && !slices.Contains(b.Notices, text) {
			b.Notices = append(b.Notices, text)
		}
	}
}

// AddRemark adds what explains the answer, each thing once.
func (b *Provenance) AddRemark(text string) {
	if !slices.Contains(b.Remarks, text) {
		b.Remarks = append(b.Remarks, text)
	}
}

// SetParameter records a value that the computation used.
func (b *Provenance) SetParameter(name string, value any) {
	if b.Parameters == nil {
		b.Parameters = map[string]any{}
	}
	b.Parameters[name] = value
}

// Merge takes over what another basis holds.
func (b *Provenance) Merge(other Provenance) {
	b.Queries = append(b.Queries, other.Queries...)
	b.AddNotice(other.Notices...)
	for _, text := range other.Remarks {
		b.AddRemark(text)
	}
	for name, value := range other.Parameters {
		b.SetParameter(name, value)
	}
}
