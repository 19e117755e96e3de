package cause_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

var deployed = time.Date(2026, 3, 2, 19, 15, 0, 0, time.UTC)

// quarterHour are the requests of fifteen minutes after a deploy.
func quarterHour(shop tracetest.Shop) []trace.Trace {
	shop.Start, shop.Traces, shop.Every = deployed, 1800, 500*time.Millisecond
	return shop.Generate()
}

func baseline() []trace.Trace {
	return tracetest.Shop{Seed: 1, Traces: 1200, Every: 500 * time.Millisecond, Start: deployed.Add(-10 * time.Minute)}.Generate()
}

// waiting lets orders wait for a connection; how long tells wait, for the time since
// the deploy.
func waiting(traces []trace.Trace, wait func(time.Duration) time.Duration) []trace.Trace {
	for i := range traces {
		spans := traces[i].Spans
		length := int64(wait(traces[i].Start().Sub(deployed)))
		at := -1
		for j := range spans {
			if spans[j].Service == "orders" && spans[j].Kind == trace.Server {
				at = j
			}
		}
		if at < 0 || length == 0 {
			continue
		}
		s := spans[at]
		for j := range spans {
			switch {
			case j != at && spans[j].Start > s.Start:
				spans[j].Start += length
			case spans[j].End() >= s.End():
				spans[j].Duration += length
			}
		}
		traces[i].Spans = append(traces[i].Spans, trace.Span{ID: trace.SpanID{0xac, byte(i), byte(i >> 8)}, ParentID: s.ID, Kind: trace.Internal, Service: "orders",
			Name: "acquire connection", Start: s.Start, Duration: length})
	}
	return traces
}

func deployOf(service string, after time.Duration) cause.Deploy {
	return cause.Deploy{Service: service, Previous: "1", Version: "2", At: deployed.Add(after)}
}

func rankLater(candidate []trace.Trace, deploys ...cause.Deploy) cause.Result {
	return cause.Rank(diff.Compare(baseline(), candidate, diff.Options{}), cause.Evidence{Deploys: deploys})
}

func reasonsOf(s cause.Suspect) string { return strings.Join(s.Reasons, " ") }

// TestExhaustionAfterNineMinutes: a statement came with the deploy, a pool is
// exhausted nine minutes later in spans that were not there before.
func TestExhaustionAfterNineMinutes(t *testing.T) {
	r := rankLater(waiting(quarterHour(tracetest.Shop{Seed: 2, SlowQuery: 4}), func(since time.Duration) time.Duration {
		if since < 9*time.Minute {
			return 0
		}
		return 300 * time.Millisecond
	}), deployOf("orders", 0))
	require.Equal(t, diff.Regressed, r.Verdict)
	require.Equal(t, cause.Statement, r.Suspects[0].Kind, "%+v", r.Suspects)
	require.Contains(t, reasonsOf(r.Suspects[0]), "orders changed from 1 to 2")
	later := r.Suspects[1]
	require.WithinDuration(t, deployed.Add(9*time.Minute), later.Began, 20*time.Second, "%+v", later)
	require.Contains(t, reasonsOf(later), "an incident of its own")
	require.False(t, later.Grows)
}

// TestALeakIsTheDeploys: what grows from the deploy on came with it.
func TestALeakIsTheDeploys(t *testing.T) {
	r := rankLater(waiting(quarterHour(tracetest.Shop{Seed: 2}), func(since time.Duration) time.Duration { return since / 3000 }), deployOf("orders", 0))
	require.Equal(t, diff.Regressed, r.Verdict)
	require.Contains(t, reasonsOf(r.Suspects[0]), "It has grown since the candidate began, as a leak does.")
	require.Contains(t, reasonsOf(r.Suspects[0]), "orders changed from 1 to 2")
}

// TestTwoDeploys: each is blamed for what began with it, and neither for what the
// other brought.
func TestTwoDeploys(t *testing.T) {
	early, late := quarterHour(tracetest.Shop{Seed: 2, SlowQuery: 6}), quarterHour(tracetest.Shop{Seed: 2, SlowQuery: 6, SlowNetwork: 300})
	candidate := slices.Concat(early[:1080], late[1080:])
	r := rankLater(candidate, deployOf("orders", 0), deployOf("payment", 9*time.Minute))
	byService := map[string]cause.Suspect{}
	for _, s := range r.Suspects {
		byService[s.Service] = s
	}
	require.Contains(t, reasonsOf(byService["orders"]), "orders changed from 1 to 2 at 19:15:00Z")
	require.Contains(t, reasonsOf(byService["payment"]), "payment changed from 1 to 2 at 19:24:00Z")

	swapped := rankLater(candidate, deployOf("payment", 0), deployOf("orders", 9*time.Minute))
	for _, s := range swapped.Suspects {
		require.NotContains(t, reasonsOf(s), "changed from", "%+v", s)
		if s.Service == "orders" {
			require.Contains(t, reasonsOf(s), "the difference was there before it")
		}
	}
}

// TestFailuresThatBeginLater: failing payments begin in the middle.
func TestFailuresThatBeginLater(t *testing.T) {
	early, late := quarterHour(tracetest.Shop{Seed: 2, SlowQuery: 6}), quarterHour(tracetest.Shop{Seed: 2, SlowQuery: 6, PaymentFails: 0.5})
	r := rankLater(slices.Concat(early[:1080], late[1080:]), deployOf("orders", 0), deployOf("payment", 0))
	found := false
	for _, s := range r.Suspects {
		if s.Kind == cause.Errors {
			found = true
			require.WithinDuration(t, deployed.Add(9*time.Minute), s.Began, 20*time.Second)
			require.NotContains(t, reasonsOf(s), "payment changed from")
		}
	}
	require.True(t, found, "%+v", r.Suspects)
	require.Equal(t, "orders", r.Suspects[0].Service)
}

// TestNewExceptionsAreNamed: exceptions that the baseline never threw are evidence,
// and those that it did are none.
func TestNewExceptionsAreNamed(t *testing.T) {
	throwing := func(traces []trace.Trace, name string) []trace.Trace {
		for i := range traces {
			for j := range traces[i].Spans {
				if s := &traces[i].Spans[j]; s.Service == "payment" && s.Failed {
					s.Attributes = append(slices.Clone(s.Attributes), trace.Attribute{Key: "exception.type", Value: name})
				}
			}
		}
		return traces
	}
	before := throwing(tracetest.Shop{Seed: 1, Traces: 600, PaymentFails: 0.05}.Generate(), "shop.Declined")
	now := throwing(tracetest.Shop{Seed: 2, Traces: 300, PaymentFails: 0.4}.Generate(), "shop.Declined")
	r := cause.Rank(diff.Compare(before, now, diff.Options{}), cause.Evidence{})
	require.Equal(t, cause.Errors, r.Suspects[0].Kind)
	require.NotContains(t, reasonsOf(r.Suspects[0]), "New:")

	now = throwing(tracetest.Shop{Seed: 2, Traces: 300, PaymentFails: 0.4}.Generate(), "sql.TimeoutException")
	r = cause.Rank(diff.Compare(before, now, diff.Options{}), cause.Evidence{})
	require.Equal(t, cause.Errors, r.Suspects[0].Kind)
	require.Regexp(t, `New: it fails with sql\.TimeoutException in \d+ traces, in none of the baseline\.`, reasonsOf(r.Suspects[0]))
}

// TestARetryStormThatBeginsLater: calls that are made more often have a begin as
// well.
func TestARetryStormThatBeginsLater(t *testing.T) {
	early, late := quarterHour(tracetest.Shop{Seed: 2}), quarterHour(tracetest.Shop{Seed: 2, NPlusOne: 15})
	r := rankLater(slices.Concat(early[:1080], late[1080:]), deployOf("orders", 0))
	require.WithinDuration(t, deployed.Add(9*time.Minute), r.Suspects[0].Began, 20*time.Second, "%+v", r.Suspects[0])
	require.Contains(t, reasonsOf(r.Suspects[0]), "an incident of its own")
}
