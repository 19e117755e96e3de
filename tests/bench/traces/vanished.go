package traces

import (
	"flag"
	"math/rand/v2"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("vanished", "calls whose presence moves: how often found, and how often claimed where only the mix of requests moves? [-runs N]", vanished)
}

type vanishedFigures struct {
	Found float64 `json:"found"` // percent of the comparisons in which a call's presence moves
	False float64 `json:"false"` // percent of those in which nothing does, or the mix of requests alone
}

// vanished compares 1,000 requests with 1,000 of another time. A call is made in
// more or fewer of them, or only the shares of the kinds of requests differ.
func vanished(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("vanished", flag.ContinueOnError)
	runs := flags.Int("runs", 20, "comparisons of each kind")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	var figures vanishedFigures
	moves := [][2]float64{{1, 0.55}, {0.3, 0.05}, {0.05, 0.4}, {1, 0.9}, {0.5, 0.75}}
	mixes := [][2]float64{{0.3, 0.3}, {0.2, 0.5}, {0.7, 0.4}}
	for run := range *runs {
		for i, move := range moves {
			seed := uint64(run*100 + i)
			r := diff.Compare(requests(2*seed, move[0], 0.3), requests(2*seed+1, move[1], 0.3), diff.Options{})
			figures.Found += runner.OneIf(isFinding(r.Verdict))
		}
		for i, mix := range mixes {
			seed := uint64(run*100 + 50 + i)
			r := diff.Compare(requests(2*seed, 0.6, mix[0]), requests(2*seed+1, 0.6, mix[1]), diff.Options{})
			figures.False += runner.OneIf(isFinding(r.Verdict))
		}
	}
	figures.Found *= 100 / float64(max(1, *runs*len(moves)))
	figures.False *= 100 / float64(max(1, *runs*len(mixes)))
	return figures, nil
}

// requests of one endpoint: a share browses, the others order, and some of
// those pay.
func requests(seed uint64, pays, browses float64) (traces []trace.Trace) {
	random := rand.New(rand.NewPCG(seed, 11))
	start := time.Date(2024, 1, 1, 0, 0, int(seed%10_000)*120, 0, time.UTC).UnixNano()
	for i := range 1000 {
		t := trace.Trace{ID: trace.TraceID{0: byte(seed >> 8), 1: byte(seed), 14: byte(i >> 8), 15: byte(i)}}
		add := func(id, parent byte, service, name string, from, took float64) {
			spread := 0.8 + 0.4*random.Float64()
			t.Spans = append(t.Spans, trace.Span{ID: trace.SpanID{7: id}, ParentID: trace.SpanID{7: parent}, Kind: trace.Server, Service: service, Name: name,
				Start: start + int64(i)*100_000_000 + int64(from*1e6), Duration: int64(took * spread * 1e6)})
		}
		add(1, 0, "web", "/*", 0, 100)
		if random.Float64() < browses {
			add(2, 1, "catalog", "list", 5, 20)
			add(5, 1, "reviews", "list", 30, 20)
		} else {
			add(3, 1, "orders", "create", 5, 40)
			if random.Float64() < pays {
				add(4, 1, "payment", "charge", 60, 5)
			}
			if random.Float64() < 0.5 {
				add(6, 1, "stock", "reserve", 80, 5)
			}
		}
		traces = append(traces, t)
	}
	return traces
}
