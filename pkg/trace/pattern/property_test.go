package pattern_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// TestShop checks that an ordinary system is left alone, and that its faults
// have their names.
func TestShop(t *testing.T) {
	ordinary := tracetest.Shop{Seed: 1, Traces: 400}.Generate()
	again := tracetest.Shop{Seed: 2, Traces: 400}.Generate()
	require.Empty(t, pattern.Detect(ordinary, again, pattern.Options{}).Findings)

	looping := tracetest.Shop{Seed: 3, Traces: 400, NPlusOne: 20}.Generate()
	found := pattern.Detect(looping, ordinary, pattern.Options{})
	require.Equal(t, []string{"n_plus_one"}, kinds(found))
	loop := found.Findings[0]
	require.Equal(t, pattern.Introduced, loop.Change)
	require.Equal(t, "orders", loop.Service)
	require.Equal(t, "POST /orders", loop.Operation)
	require.Equal(t, "POST /checkout", loop.EndpointOperation)
	require.Equal(t, 20.0, loop.Side.Repeats)

	slow := tracetest.Shop{Seed: 4, Traces: 400, SlowQuery: 12}.Generate()
	require.Equal(t, []string{"slow_query"}, kinds(pattern.Detect(slow, ordinary, pattern.Options{})))
	lost := tracetest.Shop{Seed: 5, Traces: 400, LostCache: true}.Generate()
	require.Equal(t, []string{"lost_cache"}, kinds(pattern.Detect(lost, ordinary, pattern.Options{})))
}

// TestDeterministic checks that neither the order of the traces nor that of
// their spans changes the answer.
func TestDeterministic(t *testing.T) {
	before := tracetest.Shop{Seed: 1, Traces: 200}.Generate()
	after := tracetest.Shop{Seed: 2, Traces: 200, NPlusOne: 10, PaymentFails: 0.2, SlowQuery: 9}.Generate()
	want := pattern.Detect(after, before, pattern.Options{})
	require.NotEmpty(t, want.Findings)
	random := rand.New(rand.NewPCG(1, 1))
	for range 3 {
		for _, traces := range [][]trace.Trace{before, after} {
			random.Shuffle(len(traces), func(i, j int) { traces[i], traces[j] = traces[j], traces[i] })
			for _, one := range traces {
				random.Shuffle(len(one.Spans), func(i, j int) { one.Spans[i], one.Spans[j] = one.Spans[j], one.Spans[i] })
			}
		}
		require.Equal(t, want, pattern.Detect(after, before, pattern.Options{}))
	}
}

// TestAnything checks that any spans get an answer with sensible figures.
func TestAnything(t *testing.T) {
	kindsOf := []trace.Kind{trace.Unspecified, trace.Internal, trace.Server, trace.Client, trace.Producer, trace.Consumer}
	texts := []string{"", "SELECT * FROM a WHERE b = 1", "SELECT * FROM c", "GET k", "BEGIN", "\xff\xfe", "acquire connection", "GET /a?page=1"}
	rapid.Check(t, func(t *rapid.T) {
		span := rapid.Custom(func(t *rapid.T) trace.Span {
			return trace.Span{
				ID:       trace.SpanID{7: rapid.Byte().Draw(t, "id")},
				ParentID: trace.SpanID{7: rapid.ByteRange(0, 9).Draw(t, "parent")},
				Kind:     rapid.SampledFrom(kindsOf).Draw(t, "kind"),
				Failed:   rapid.Bool().Draw(t, "failed"),
				Start:    rapid.Int64().Draw(t, "start"),
				Duration: rapid.Int64().Draw(t, "duration"),
				Service:  rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "service"),
				Name:     rapid.SampledFrom(texts).Draw(t, "name"),
				Attributes: attributes(
					rapid.SampledFrom([]string{"db.statement", "url.path", "db.system", "rpc.method"}).Draw(t, "key"),
					rapid.SampledFrom(append(texts, "redis")).Draw(t, "value"),
				),
			}
		})
		spans := rapid.SliceOfN(span, 0, 40).Draw(t, "spans")
		var traces []trace.Trace
		for i := range 4 {
			traces = append(traces, trace.Trace{ID: trace.TraceID{15: byte(i + 1)}, Spans: spans})
		}
		for _, f := range pattern.Detect(traces, traces[:2], pattern.Options{}).Findings {
			for _, figure := range []float64{f.Side.Saved, f.Side.SavedP95, f.Side.SavedPerRequest, f.Side.SavedShare, f.Side.Time, f.PValue} {
				if math.IsNaN(figure) || math.IsInf(figure, 0) || figure < 0 {
					t.Fatalf("%s has %v", f.Kind, figure)
				}
			}
			if f.Side.Traces > f.Side.Requests || f.Side.Share.Upper > 1 {
				t.Fatalf("%s in %d of %d traces", f.Kind, f.Side.Traces, f.Side.Requests)
			}
		}
	})
}

// TestContention checks that own time which grows with company is told from
// own time that merely varies.
func TestContention(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	build := func(grows bool) func(i int) step {
		return func(i int) step {
			took := 150 + 20*random.Float64()
			if i%40 >= 20 { // a rush: every second run of twenty comes at five times the rate
				if grows {
					took *= 3 + random.Float64()
				}
			}
			s := page()
			s.took = took
			if i%40 >= 20 {
				s.at = -160 * float64(i%40-20)
			}
			return s
		}
	}
	require.Equal(t, []string{"contention"}, kinds(pattern.Detect(population(200, build(true)), nil, pattern.Options{})))
	require.Empty(t, pattern.Detect(population(200, build(false)), nil, pattern.Options{}).Findings)
}

// TestPauses checks that pauses before statements which grow with company are
// waits for a connection, whose pool sends no spans, and others are not.
func TestPauses(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	rush := func(i int) bool { return i%40 >= 20 } // every second run of twenty comes at five times the rate
	build := func(pause func(i int) float64) func(i int) step {
		return func(i int) step {
			wait := pause(i)
			s := serve("orders", "GET", "/orders", "/orders", wait+160, statement("orders", "SELECT * FROM a WHERE b = 1", wait+2, 150))
			if rush(i) {
				s.at = -160 * float64(i%40-20)
			}
			return s
		}
	}
	detect := func(pause func(i int) float64) pattern.Result {
		return pattern.Detect(population(200, build(pause)), nil, pattern.Options{})
	}
	waits := detect(func(i int) float64 {
		if rush(i) {
			return 80 + 60*random.Float64()
		}
		return 1 + random.Float64()
	})
	require.Equal(t, []string{"silent_wait"}, kinds(waits))
	require.Contains(t, waits.Findings[0].Evidence, "before SELECT * FROM a WHERE b = ?, longer the more requests")
	require.InDelta(t, 110, waits.Findings[0].Side.Saved/1e6, 15)
	require.Empty(t, detect(func(int) float64 { return 1 + 100*random.Float64() }).Findings, "whatever the company")
	require.Empty(t, detect(func(i int) float64 {
		if rush(i) {
			return 5
		}
		return 1
	}).Findings, "too short to matter")
}

func BenchmarkDetect(b *testing.B) {
	before := tracetest.Shop{Seed: 1, Traces: 1000, Width: 85}.Generate()
	after := tracetest.Shop{Seed: 2, Traces: 1000, Width: 85, NPlusOne: 80}.Generate()
	b.ReportMetric(float64(len(before[0].Spans)), "spans")
	for b.Loop() {
		if len(pattern.Detect(after, before, pattern.Options{}).Findings) == 0 {
			b.Fatal("nothing found")
		}
	}
}

// TestLargeTraces checks traces of many calls of one kind below one caller:
// what is quadratic would not end.
func TestLargeTraces(t *testing.T) {
	const count = 60_000
	for name, build := range map[string]func(i int) step{
		"one statement": func(i int) step {
			return statement("orders", "SELECT * FROM a WHERE id = "+string(rune('a'+i%26)), 0, 0.1)
		},
		"writes": func(i int) step {
			return statement("orders", []string{"UPDATE a SET b = 1", "SELECT * FROM a"}[i%2], 0, 0.1)
		},
		"below helpers": func(i int) step {
			return within("orders", "step "+string(rune('a'+i%26)), 0, 0.1, statement("orders", "SELECT * FROM a", 0, 0.1))
		},
		"of another kind": func(i int) step {
			return statement("orders", []string{"SELECT * FROM a", "SELECT * FROM b", "SELECT * FROM c"}[i*i%7%3], 0, 0.1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			large := population(3, func(int) step {
				return serve("orders", "GET", "/", "/", 7000, inRow(1, 0.01, repeat(count, build)...)...)
			})
			require.NotEmpty(t, pattern.Detect(large, nil, pattern.Options{}).Findings)
		})
	}
}
