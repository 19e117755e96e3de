package fleet

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/incident"
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("demand", "lost demand told from less demand, on seeded services", demand)
}

type demandFigures struct {
	// ToldApart is the percentage of the cases of lost demand that are said to be
	// that, and of the cases of less demand that are not.
	ToldApart float64 `json:"told_apart"`
	// Found is the percentage of the cases of lost demand alone.
	Found float64 `json:"found"`
	// False is the percentage of all other cases in which demand is said to be lost.
	False       float64            `json:"false"`
	FalseByKind map[string]float64 `json:"false_by_kind"`
	Minutes     float64            `json:"minutes"` // median, until it is reported
	Cases       int                `json:"cases"`
}

// Kinds of cases. Requests are lost on the way; there are less of them; those of
// some pods are not counted; a caller's metrics are missing; callers retry what the
// service fails; they give up on, and send less of, what arrives all the same; there
// are more requests; nothing happens.
var demandKinds = []string{"lost", "less", "lost", "less", "uncounted", "unseen caller", "retries", "timeouts", "more", "nothing"}

const (
	demandBegins, demandLasts = 240, 40
	// demandPatience is within how many minutes lost demand must be reported.
	demandPatience = 15
)

func demand(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("demand", flag.ContinueOnError)
	cases := flags.Int("cases", 1000, "number of cases")
	seed := flags.Uint64("seed", 1, "seed")
	verbose := flags.Bool("v", false, "print each case that went wrong")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	f := demandFigures{Cases: *cases, FalseByKind: map[string]float64{}}
	n, mistakes := map[string]int{}, map[string]int{}
	var delays []float64
	for i := range *cases {
		kind := demandKinds[i%len(demandKinds)]
		w := newDemandWorld(*seed*1_000_000+uint64(i), kind)
		said := w.reported()
		n[kind]++
		right := said < 0
		if kind == "lost" {
			if right = said >= demandBegins && said <= demandBegins+demandPatience; right {
				delays = append(delays, float64(said-demandBegins))
			}
		}
		if !right {
			mistakes[kind]++
			if *verbose {
				fmt.Printf("%d %s: reported at %d: %+v\n", i, kind, said, w.about())
			}
		}
	}
	percent := func(part, all int) float64 { return runner.Round(100 * float64(part) / float64(max(1, all))) }
	wrong, others := 0, 0
	for kind := range n {
		if kind == "lost" {
			continue
		}
		wrong, others = wrong+mistakes[kind], others+n[kind]
		f.FalseByKind[kind] = percent(mistakes[kind], n[kind])
	}
	f.Found = percent(n["lost"]-mistakes["lost"], n["lost"])
	f.ToldApart = percent(n["lost"]+n["less"]-mistakes["lost"]-mistakes["less"], n["lost"]+n["less"])
	f.False, f.Minutes = percent(wrong, others), runner.MedianOf(delays)
	return f, nil
}

// demandWorld is web and mobile, which call orders; orders calls a database. Both
// callers vary with the day and by themselves; a third one, of other times of the
// day, counts nothing. What is sent and what arrives are counted apart, a part of a
// step later.
type demandWorld struct {
	random *rand.Rand
	kind   string
	level  float64 // requests a minute
	size   float64 // part of the requests that remains or is lost
	ramp   int
	skew   float64 // part of a step that what arrives is counted later
	noise  float64 // by which counts vary beyond chance
	phase  float64
	record incident.Record
}

func newDemandWorld(seed uint64, kind string) *demandWorld {
	random := rand.New(rand.NewPCG(seed, 21))
	w := &demandWorld{
		random: random, kind: kind, level: 60 * math.Exp(0.5+1.5*random.NormFloat64()), size: 0.2 + 0.75*random.Float64(), ramp: random.IntN(6),
		skew: 0.5 * random.Float64(), noise: 0.02 + 0.1*random.Float64(), phase: 2 * math.Pi * random.Float64(),
	}
	w.level = max(w.level, 60)
	w.run()
	return w
}

func (w *demandWorld) count(mean float64) float64 { return (&world{random: w.random}).count(mean) }

// binomial is how many of n are, each with probability p.
func (w *demandWorld) binomial(n, p float64) float64 {
	if n > 500 {
		return (&world{random: w.random}).binomial(n, p)
	}
	hits := 0.0
	for range int(n) {
		hits += runner.OneIf(w.random.Float64() < p)
	}
	return hits
}

func (w *demandWorld) run() {
	const steps = demandBegins + demandLasts
	orders := incident.Service{Name: "orders"}
	callers := []incident.Service{{Name: "web"}, {Name: "mobile"}}
	unknown := 0.3 * w.random.Float64()
	weights := []float64{0.4 + 0.5*w.random.Float64()}
	weights = append(weights, 1-weights[0])
	wander := [3]float64{}
	failing := 0.002 * w.random.Float64()
	before := 0.0 // of what arrives, counted in the next step
	calls := []propagation.Call{{Caller: "web", Callee: "orders"}, {Caller: "mobile", Callee: "orders"}}
	for t := range steps {
		strength := 0.0
		if t >= demandBegins {
			strength = min(1, float64(t-demandBegins+1)/float64(w.ramp+1))
		}
		lost, uncounted, retried, late, own := 0.0, 0.0, 0.0, 0.0, failing
		demands := season(t, w.phase)
		switch w.kind {
		case "lost":
			lost = w.size * strength
		case "less":
			demands *= 1 - w.size*strength
		case "more":
			demands *= 1 + 2*w.size*strength
		case "uncounted":
			uncounted = w.size * strength
		case "timeouts":
			late, demands = w.size*strength, demands*(1-w.size*strength/2)
		case "retries":
			own += w.size * strength
			retried = 0.7 * own
		}
		sent, failed, arrived := 0.0, 0.0, 0.0
		for c := range callers {
			wander[c] = 0.95*wander[c] + 0.3*w.noise*w.random.NormFloat64()
			made := w.level * weights[c] * demands * math.Exp(wander[c]+w.noise*0.3*w.random.NormFloat64())
			asked := w.count(made * (1 + retried))
			gone := w.binomial(asked, lost)
			bad := w.binomial(asked-gone, min(1, own+late))
			arrived += asked - gone
			callers[c].Requests = append(callers[c].Requests, w.count(made))
			callers[c].Latency = append(callers[c].Latency, 0.1*(1+0.05*w.random.NormFloat64()))
			callers[c].Failed = append(callers[c].Failed, 0.5*(gone+bad)/max(1, asked))
			if c == 1 && w.kind == "unseen caller" && strength > 0 {
				continue
			}
			sent, failed = sent+asked, failed+gone+bad
		}
		wander[2] = 0.95*wander[2] + 0.3*w.noise*w.random.NormFloat64()
		others := w.count(w.level * unknown * demands / season(t, w.phase) * season(t, w.phase+1) * (1 - lost) * math.Exp(wander[2]))
		arrived += others
		arrived = w.binomial(arrived, 1-uncounted)
		shown := (1-w.skew)*arrived + before
		before = w.skew * arrived
		orders.Sent, orders.Requests = append(orders.Sent, sent), append(orders.Requests, shown)
		orders.SentFailed = append(orders.SentFailed, failed/max(1, sent))
		orders.Latency = append(orders.Latency, 0.05*(1+0.05*w.random.NormFloat64()))
		orders.Failed = append(orders.Failed, w.binomial(math.Round(shown), own)/max(1, shown))
		if w.random.Float64() < 0.002 { // a lost scrape
			orders.Requests[t], orders.Latency[t], orders.Failed[t] = math.NaN(), math.NaN(), math.NaN()
		}
	}
	w.record = incident.Record{Services: append(callers, orders), Calls: calls}
}

// reported is the first step at which demand of orders is said to be lost by an
// incident that pages; -1 for never.
func (w *demandWorld) reported() int {
	for now := demandBegins - 60; now < demandBegins+demandLasts; now += stride {
		for _, one := range incident.Find(w.until(now + 1)).Incidents {
			if one.State == incident.Active && losesDemand(one) {
				return now
			}
		}
	}
	return -1
}

func losesDemand(one incident.Incident) bool {
	return slices.ContainsFunc(one.Members, func(m incident.Member) bool {
		return m.Service == "orders" && slices.Contains(m.Signals, incident.Lost)
	})
}

func (w *demandWorld) until(steps int) incident.Record {
	known := incident.Record{Calls: w.record.Calls}
	for _, s := range w.record.Services {
		s.Requests, s.Latency, s.Failed = s.Requests[:steps], s.Latency[:steps], s.Failed[:steps]
		if s.Sent != nil {
			s.Sent, s.SentFailed = s.Sent[:steps], s.SentFailed[:steps]
		}
		known.Services = append(known.Services, s)
	}
	return known
}

// about is what is found at the end.
func (w *demandWorld) about() string {
	var text strings.Builder
	fmt.Fprintf(&text, "level %.0f size %.2f ramp %d skew %.2f noise %.2f", w.level, w.size, w.ramp, w.skew, w.noise)
	for _, one := range incident.Find(w.record).Incidents {
		fmt.Fprintf(&text, "; %s %s since %d: %+v", one.ID, one.Cause.Kind, one.Start, one.Members)
	}
	return text.String()
}
