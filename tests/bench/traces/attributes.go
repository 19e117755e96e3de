package traces

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("attributes", "an attribute of one's own among forty explains slow requests: how often named first, and how often is one named where none does? [-runs N]", attributes)
}

// attributeFigures are in percent.
type attributeFigures struct {
	First      float64 `json:"first"`       // the attribute is the regression's first explanation
	ViewFirst  float64 `json:"view_first"`  // it is first of one's own attributes that tell slow from fast requests
	False      float64 `json:"false"`       // an attribute is named where none explains
	ViewFalse  float64 `json:"view_false"`  // of comparisons of like groups, those with any row
	Comparison int     `json:"comparisons"` // of each kind
}

// attributes makes a statement slow for a share of the requests, most of which
// have one value of one attribute: 96, 80 or 60 % of the slow ones, 11, 20 or 25 %
// of the others.
func attributes(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("attributes", flag.ContinueOnError)
	runs := flags.Int("runs", 20, "comparisons of each kind")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	kinds := [][2]float64{{0.96, 0.11}, {0.8, 0.2}, {0.6, 0.25}}
	figures := attributeFigures{Comparison: *runs * len(kinds)}
	for run := range *runs {
		for i, kind := range kinds {
			seed := uint64(run*10 + i)
			before := decorated(tracetest.Shop{Seed: 4 * seed, Traces: 400}, seed, kind[1], kind[1])
			after := decorated(afterDeploy(4*seed+1), seed+1_000_000, kind[0], kind[1])
			r := diff.Compare(before, after, diff.Options{})
			figures.First += runner.OneIf(len(r.Suspects) > 0 && len(r.Suspects[0].Explanations) > 0 && r.Suspects[0].Explanations[0].Attribute == "payment.provider")
			var slow, fast []trace.Trace
			for j := range after {
				if isSlow(&after[j]) {
					slow = append(slow, after[j])
				} else {
					fast = append(fast, after[j])
				}
			}
			found := diff.Attributes(fast, slow, 0.05)
			// That only some requests call a service, or have a route, is no attribute.
			own := slices.IndexFunc(found, func(d diff.AttributeDifference) bool {
				return strings.HasPrefix(d.Attribute, "app.") || d.Attribute == "payment.provider"
			})
			figures.ViewFirst += runner.OneIf(own >= 0 && found[own].Attribute == "payment.provider")

			plain := decorated(afterDeploy(4*seed+2), seed+2_000_000, kind[1], kind[1])
			r = diff.Compare(before, plain, diff.Options{})
			named := false
			for _, s := range r.Suspects {
				named = named || len(s.Explanations) > 0
			}
			figures.False += runner.OneIf(named)
			like := decorated(tracetest.Shop{Seed: 4*seed + 3, Traces: 400}, seed+3_000_000, kind[1], kind[1])
			apart := false
			for _, d := range diff.Attributes(before, like, 0.05) {
				apart = apart || strings.HasPrefix(d.Attribute, "app.") || d.Attribute == "payment.provider"
			}
			figures.ViewFalse += runner.OneIf(apart)
		}
	}
	for _, share := range []*float64{&figures.First, &figures.ViewFirst, &figures.False, &figures.ViewFalse} {
		*share *= 100 / float64(max(1, figures.Comparison))
	}
	return figures, nil
}

func afterDeploy(seed uint64) tracetest.Shop {
	return tracetest.Shop{Seed: seed, Traces: 400, Start: time.Date(2024, 1, 1, 0, 1, 0, 0, time.UTC), SlowQuery: 10, SlowShare: 0.3}
}

// isSlow tells the requests with the slow statement.
func isSlow(t *trace.Trace) bool {
	for i := range t.Spans {
		s := &t.Spans[i]
		if strings.HasPrefix(s.Attribute("db.statement"), "SELECT * FROM orders") && s.Duration > int64(15*time.Millisecond) {
			return true
		}
	}
	return false
}

// decorated gives the requests forty attributes, among them payment.provider, an id
// for each request, and a few with many values.
func decorated(shop tracetest.Shop, seed uint64, slow, others float64) []trace.Trace {
	random := rand.New(rand.NewPCG(seed, 17))
	traces := shop.Generate()
	for i := range traces {
		first := &traces[i].Spans[0]
		share := others
		if isSlow(&traces[i]) {
			share = slow
		}
		provider := fmt.Sprintf("provider-%c", 'a'+rune(random.IntN(5)))
		if random.Float64() < share {
			provider = "acme"
		}
		first.Other("payment.provider", provider)
		first.Other("app.cart.id", fmt.Sprint("cart-", seed, "-", i))
		for j := range 38 {
			first.Other(fmt.Sprintf("app.attribute%d", j), fmt.Sprint("value", random.IntN(2+j*j/20)))
		}
	}
	return traces
}
