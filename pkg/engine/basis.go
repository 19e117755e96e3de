package engine

import (
	"fmt"
	"slices"
	"time"
)

// AskersFault is an error that the asker, or whoever configured the data
// source, can correct.
type AskersFault struct{ Message string }

func (e *AskersFault) Error() string { return e.Message }

func askersFault(format string, arguments ...any) error {
	return &AskersFault{fmt.Sprintf(format, arguments...)}
}

// NotFoundError says that what the question names does not exist in the data.
type NotFoundError struct{ Message string }

func (e *NotFoundError) Error() string { return e.Message }

// The errors of a question that no configured upstream can answer.
var (
	errNoMetrics = askersFault("no metrics server is configured: set the Prometheus URL (or data source) in Foresight's settings")
	errNoTraces  = askersFault("no trace store is configured: set the Tempo URL (or data source) in Foresight's settings")
)

func (b *Basis) query(format string, arguments ...any) {
	b.Queries = append(b.Queries, fmt.Sprintf(format, arguments...))
}

// notice adds what the reader should know, each thing once.
func (b *Basis) notice(texts ...string) {
	for _, text := range texts {
		if text != "" && !slices.Contains(b.Notices, text) {
			b.Notices = append(b.Notices, text)
		}
	}
}

func (b *Basis) parameter(name string, value any) {
	if b.Parameters == nil {
		b.Parameters = map[string]any{}
	}
	b.Parameters[name] = value
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
