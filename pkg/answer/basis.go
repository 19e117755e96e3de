package answer

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// The errors of a question that no configured upstream can answer.
var (
	errNoMetrics = errors.New("no metrics server is configured: set the Prometheus URL (or data source) in Foresight's settings")
	errNoTraces  = errors.New("no trace store is configured: set the Tempo URL (or data source) in Foresight's settings")
)

// IsConfiguration tells whether an answer failed because an upstream is not
// configured.
func IsConfiguration(err error) bool {
	return errors.Is(err, errNoMetrics) || errors.Is(err, errNoTraces)
}

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
