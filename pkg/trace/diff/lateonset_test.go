package diff

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// waitingFrom lets orders wait for a connection, in a share of the requests from
// the given one on.
func waitingFrom(traces []trace.Trace, from int, share float64, wait time.Duration) []trace.Trace {
	random := rand.New(rand.NewPCG(7, 7))
	for i := from; i < len(traces); i++ {
		spans := traces[i].Spans
		for at := range spans {
			s := spans[at]
			if s.Service != "orders" || s.Kind != trace.Server || random.Float64() >= share {
				continue
			}
			length := int64(float64(wait) * (0.5 + random.Float64()))
			for j := range spans {
				switch {
				case j != at && spans[j].Start > s.Start:
					spans[j].Start += length
				case spans[j].End() >= s.End():
					spans[j].Duration += length
				}
			}
			spans = append(spans, trace.Span{
				ID: trace.SpanID{0xac, byte(i), byte(i >> 8)}, ParentID: s.ID, Kind: trace.Internal, Service: "orders",
				Name: "acquire connection", Start: s.Start, Duration: length,
			})
			traces[i].Spans = spans
			break
		}
	}
	return traces
}

// TestAFaultThatBeginsLater checks that a fault which befalls a few requests,
// some time after the deploy, is never called no change: with many traces it is
// found, with few the answer is that they are few, and names where it shows.
func TestAFaultThatBeginsLater(t *testing.T) {
	for _, size := range []struct{ before, now int }{{60, 100}, {100, 200}, {300, 500}} {
		for _, wave := range []float64{0, 0.3} {
			for _, from := range []float64{0.6, 0.8, 0.9} {
				shop := tracetest.Shop{Seed: 1, Traces: size.before, Wave: wave, Period: 15 * time.Second}
				baseline := shop.Generate()
				shop.Seed, shop.Traces, shop.Start = 2, size.now, deployAt
				candidate := waitingFrom(shop.Generate(), int(from*float64(size.now)), 0.6, 400*time.Millisecond)
				r := Compare(baseline, candidate, Options{})
				require.Contains(t, []Verdict{Regressed, Insufficient}, r.Verdict, r.Reason)
				if r.Verdict == Insufficient {
					require.Contains(t, r.Reason, "acquire connection")
					require.Positive(t, r.NeededTraces)
					require.Contains(t, r.Reason, "web: POST /checkout takes")
				}
				if size.now == 500 || from == 0.6 && size.now == 200 {
					require.Equal(t, Regressed, r.Verdict, r.Reason)
				}
			}
		}
	}
}
