package fleet

import (
	"flag"
	"fmt"
	"slices"

	"github.com/foresight-observability/foresight/pkg/incident"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("incidents", "one page per incident, on a simulated fleet of 200 services", incidents)
}

type incidentFigures struct {
	First                float64            `json:"first"`
	PagesPerIncident     float64            `json:"pages_per_incident"`
	Apart                float64            `json:"apart"`
	FalsePer100          float64            `json:"false_per_100_service_weeks"`
	Detected             float64            `json:"detected"`
	Delay                float64            `json:"delay_minutes"`
	Cases                int                `json:"cases"`
	FirstByKind          map[string]float64 `json:"first_by_kind"`
	PagesPerIncidentKind map[string]float64 `json:"pages_by_kind"`
	ServiceWeeks         float64            `json:"service_weeks"`
}

const (
	size = 200
	// stride is how often a rule is evaluated, in steps.
	stride = 2
	// begins is when faults begin; lasts how many steps a case has after that, and
	// judged how long after a fault's begin the answer is judged.
	begins, lasts, judged = 180, 75, 15
)

func incidents(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("incidents", flag.ContinueOnError)
	cases := flags.Int("cases", 210, "number of cases")
	weeks := flags.Int("weeks", 2, "quiet weeks of the fleet")
	seed := flags.Uint64("seed", 1, "seed")
	verbose := flags.Bool("v", false, "print each case that went wrong")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	t := tally{first: map[string][2]int{}, pages: map[string][2]int{}}
	for i := range *cases {
		t.add(runCase(*seed*100_000+uint64(i), kinds[i%len(kinds)]), *verbose)
	}
	f := t.figures()
	f.Cases = *cases
	mistakes := 0
	for week := range *weeks {
		w := newWorld(*seed*100_000+50_000+uint64(week), size)
		r := w.run(7*1440, false)
		for _, one := range incident.Find(incident.Record{Services: r.services, Calls: r.calls, Changes: r.changes}).Incidents {
			if one.Reported >= 0 {
				mistakes++
				if *verbose {
					fmt.Printf("quiet week %d: %s %s at %d, %+v %+v\n", week, one.ID, one.Cause.Kind, one.Start, one.Members[0], one.Cause)
				}
			}
		}
	}
	f.ServiceWeeks = float64(*weeks * size)
	if *weeks > 0 {
		f.FalsePer100 = runner.Round(100 * float64(mistakes) / f.ServiceWeeks)
	}
	return f, nil
}

// outcome is how a case was judged.
type outcome struct {
	seed   uint64
	kind   string
	truths []truth
	right  []bool
	found  []bool
	delay  []int
	pages  int
	apart  bool
	about  []string
}

func runCase(seed uint64, kind string) outcome {
	w := newWorld(seed, size)
	o := outcome{seed: seed, kind: kind}
	if kind == "two" {
		one := []string{"dependency", "database", "deploy"}
		first := w.afflict(one[w.random.IntN(3)], begins, nil)
		second := w.afflict(one[w.random.IntN(3)], begins+w.random.IntN(8), []int{w.byName[first.deepest[0]]})
		o.truths = []truth{first, second}
	} else {
		o.truths = []truth{w.afflict(kind, begins, nil)}
	}
	r := w.run(begins+lasts, seed%2 == 0)
	o.right, o.found, o.delay = make([]bool, len(o.truths)), make([]bool, len(o.truths)), make([]int, len(o.truths))
	active := map[string]bool{}
	for now := begins - 10; now < begins+lasts; now += stride {
		found := incident.Find(upTo(r, now+1)).Incidents
		firing := map[string]bool{}
		for _, one := range found {
			if one.State != incident.Active {
				continue
			}
			firing[one.ID] = true
			if !active[one.ID] {
				o.pages++
				o.about = append(o.about, fmt.Sprintf("page at %d: %s (%s, %s, %d members) %+v", now, one.ID, one.Cause.Kind, one.Deepest, len(one.Members), one.Members[0]))
			}
		}
		active = firing
		for k, t := range o.truths {
			if at := about(found, t); at >= 0 && !o.found[k] {
				o.found[k], o.delay[k] = true, now-t.begin
			}
			if now/stride == (t.begin+judged)/stride {
				at := about(found, t)
				o.right[k] = at >= 0 && rightly(found[at], t)
				for _, one := range found {
					o.about = append(o.about, fmt.Sprintf("at %d: %s %s: %s %s of %d members %+v", now, one.State, one.ID, one.Cause.Kind, one.Deepest, len(one.Members), one.Cause.Evidence))
				}
			}
		}
		if len(o.truths) == 2 && now/stride == (o.truths[1].begin+judged)/stride {
			a, b := about(found, o.truths[0]), about(found, o.truths[1])
			o.apart = a >= 0 && b >= 0 && a != b
		}
	}
	return o
}

// upTo is a record as it was at a step.
func upTo(r record, steps int) incident.Record {
	cut := func(values []float64) []float64 {
		if values == nil {
			return nil
		}
		return values[:steps]
	}
	known := incident.Record{From: begins - 60}
	for _, s := range r.services {
		s.Requests, s.Latency, s.Failed = cut(s.Requests), cut(s.Latency), cut(s.Failed)
		s.Places = slices.Clone(s.Places)
		for z := range s.Places {
			s.Places[z].Requests, s.Places[z].Failed = cut(s.Places[z].Requests), cut(s.Places[z].Failed)
		}
		known.Services = append(known.Services, s)
	}
	for _, c := range r.calls {
		c.Requests = cut(c.Requests)
		known.Calls = append(known.Calls, c)
	}
	for _, c := range r.changes {
		if c.Step < steps {
			known.Changes = append(known.Changes, c)
		}
	}
	return known
}

// about is the active incident that tells of a fault: the one that names it or
// else the largest that has it as a member; -1 for none.
func about(found []incident.Incident, t truth) int {
	best, most := -1, 0
	for i, one := range found {
		if one.State != incident.Active || one.Start < t.begin-3 {
			continue
		}
		score := 0
		switch {
		case rightly(one, t):
			score = 1_000_000
		case len(t.deepest) == 0:
			score = len(one.Members)
		case slices.ContainsFunc(one.Members, func(m incident.Member) bool { return slices.Contains(t.deepest, m.Service) }):
			score = 1000 + len(one.Members)
		}
		if score > most {
			best, most = i, score
		}
	}
	return best
}

// rightly tells whether an incident is said to be what it is.
func rightly(one incident.Incident, t truth) bool {
	switch t.kind {
	case "zone":
		return one.Cause.Kind == incident.CausePlace || one.Cause.Kind == incident.CauseShared
	case "telemetry":
		return one.Cause.Kind == incident.CauseTelemetry
	}
	return slices.Contains(t.deepest, one.Deepest)
}

type tally struct {
	first, pages          map[string][2]int
	right, all            int
	found, paged          int
	pairs, apart, delayed int
}

func (t *tally) add(o outcome, verbose bool) {
	detected, wrong := 0, false
	for k := range o.truths {
		t.all++
		one := t.first[o.kind]
		one[1]++
		if o.right[k] {
			t.right++
			one[0]++
		} else {
			wrong = true
		}
		t.first[o.kind] = one
		if o.found[k] {
			detected++
			t.delayed += o.delay[k]
		}
	}
	t.found += detected
	t.paged += o.pages
	pages := t.pages[o.kind]
	t.pages[o.kind] = [2]int{pages[0] + o.pages, pages[1] + len(o.truths)}
	if len(o.truths) == 2 {
		t.pairs++
		if o.apart {
			t.apart++
		} else {
			wrong = true
		}
	}
	if verbose && (wrong || o.pages > len(o.truths)) {
		fmt.Printf("%d %s: %+v right %v apart %v pages %d\n", o.seed, o.kind, o.truths, o.right, o.apart, o.pages)
		for _, line := range o.about {
			fmt.Println("   ", line)
		}
	}
}

func (t *tally) figures() incidentFigures {
	percent := func(part, all int) float64 { return runner.Round(100 * float64(part) / float64(max(1, all))) }
	f := incidentFigures{
		First: percent(t.right, t.all), Apart: percent(t.apart, t.pairs), Detected: percent(t.found, t.all),
		PagesPerIncident: runner.Round(float64(t.paged) / float64(max(1, t.found))), Delay: runner.Round(float64(t.delayed) / float64(max(1, t.found))),
		FirstByKind: map[string]float64{}, PagesPerIncidentKind: map[string]float64{},
	}
	for kind, one := range t.first {
		f.FirstByKind[kind] = percent(one[0], one[1])
		f.PagesPerIncidentKind[kind] = runner.Round(float64(t.pages[kind][0]) / float64(t.pages[kind][1]))
	}
	return f
}
