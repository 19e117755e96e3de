package cause_test

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

// pausing are requests of orders that pause before a statement, or after it,
// about so long (milliseconds).
func pausing(seed uint64, before, after float64) []trace.Trace {
	random := rand.New(rand.NewPCG(seed, 1))
	start := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).Add(time.Duration(seed) * time.Hour).UnixNano()
	took := func(milliseconds float64) int64 { return int64(milliseconds * 1e6 * (0.7 + 0.6*random.Float64())) }
	traces := make([]trace.Trace, 150)
	for i := range traces {
		t := &traces[i]
		binary.BigEndian.PutUint64(t.ID[:], random.Uint64()|1)
		wait, query, rest := took(before), took(5), took(after)
		at := start + int64(i)*int64(200*time.Millisecond)
		t.Spans = []trace.Span{
			{ID: trace.SpanID{1}, Kind: trace.Server, Service: "orders", Name: "GET /orders", Start: at, Duration: wait + query + rest},
			{ID: trace.SpanID{2}, ParentID: trace.SpanID{1}, Kind: trace.Client, Service: "orders", Name: "SELECT", Start: at + wait, Duration: query,
				Attributes: []trace.Attribute{{Key: "db.system", Value: "postgresql"}, {Key: "db.statement", Value: "SELECT * FROM a WHERE b = 1"}}},
		}
	}
	return traces
}

// TestSilentWaits checks that a pause before a statement is a wait for a
// connection where the pool's metrics say so, in both directions, and own work
// where they do not or where the time passes elsewhere.
func TestSilentWaits(t *testing.T) {
	quiet, waiting, working := pausing(1, 2, 2), pausing(2, 60, 2), pausing(3, 2, 60)
	rank := func(before, after []trace.Trace, signals ...cause.Signal) (cause.Result, cause.Suspect) {
		patterns := pattern.Detect(after, before, pattern.Options{})
		r := cause.Rank(diff.Compare(before, after, diff.Options{}), cause.Evidence{Patterns: patterns.Findings, Pauses: patterns.Pauses, Signals: signals})
		require.NotEmpty(t, r.Suspects)
		return r, r.Suspects[0]
	}
	pool := cause.Signal{Service: "orders", Kind: cause.Pool, Title: "requests waiting for a connection", Before: 0, Now: 12, Worse: true}

	r, first := rank(quiet, waiting, pool)
	require.Equal(t, diff.Regressed, r.Verdict)
	require.Equal(t, cause.PoolWait, first.Kind)
	require.Equal(t, "orders", first.Service)
	reasons := strings.Join(first.Reasons, " ")
	require.Contains(t, reasons, "it is spent before the first statement, SELECT * FROM a WHERE b = ?: 59.6 ms there on average, 2.04 ms before")
	require.Contains(t, reasons, "Its metrics agree: requests waiting for a connection went from 0 to 12.")

	_, first = rank(quiet, waiting)
	require.Equal(t, cause.OwnWork, first.Kind, "nothing tells of a pool")
	_, first = rank(quiet, working, pool)
	require.Equal(t, cause.OwnWork, first.Kind, "the time passes after the statement")
	processor := pool
	processor.Kind = cause.Processor
	_, first = rank(quiet, waiting, processor)
	require.Equal(t, cause.OwnWork, first.Kind)
	other := pool
	other.Service = "web"
	_, first = rank(quiet, waiting, other)
	require.Equal(t, cause.OwnWork, first.Kind)

	pool.Before, pool.Now, pool.Worse, pool.Better = 12, 0, false, true
	r, first = rank(waiting, quiet, pool)
	require.Equal(t, diff.Improved, r.Verdict)
	require.Equal(t, cause.PoolWait, first.Kind)
	reasons = strings.Join(first.Reasons, " ")
	require.Contains(t, reasons, "no longer wait as long")
	require.Contains(t, reasons, "saved")
	require.Contains(t, reasons, "went from 12 to 0")
}

// TestWhatWentIsNamed checks that a request that got shorter names the pattern that went
// and the deploy that came with it.
func TestWhatWentIsNamed(t *testing.T) {
	looping := pausing(1, 2, 2)
	for i := range looping {
		spans := &looping[i].Spans
		at, length := (*spans)[1].Start+(*spans)[1].Duration, int64(4*time.Millisecond)
		for n := range 15 {
			row := (*spans)[1]
			row.ID, row.Start, row.Duration = trace.SpanID{9, byte(n)}, at+int64(n)*length, length
			row.Attributes = []trace.Attribute{{Key: "db.system", Value: "postgresql"}, {Key: "db.statement", Value: "SELECT * FROM lines WHERE id = 1"}}
			*spans = append(*spans, row)
		}
		(*spans)[0].Duration += 15 * length
	}
	plain := pausing(2, 2, 2)
	patterns := pattern.Detect(plain, looping, pattern.Options{})
	r := cause.Rank(diff.Compare(looping, plain, diff.Options{}), cause.Evidence{
		Patterns: patterns.Findings, Deploys: []cause.Deploy{{Service: "orders", Previous: "1", Version: "2"}},
	})
	require.Equal(t, diff.Changed, r.Verdict)
	reasons := strings.Join(r.Suspects[0].Reasons, " ")
	require.Equal(t, cause.LostCall, r.Suspects[0].Kind)
	require.Contains(t, reasons, "A pattern went with it")
	require.Contains(t, reasons, "orders changed from 1 to 2")
}
