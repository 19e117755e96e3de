package replays

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/ops"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/replay"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// Proposal is how to set the rule, chosen on the first half of the past and
// reported on the second.
type Proposal struct {
	Query replay.Rule
	// Asked is the question as the rule should ask it; nil for PromQL.
	Asked     query.Query
	Threshold float64
	Recovery  float64 // NaN for none
	For       time.Duration
	Direction string // empty where the question has none
	MinDeviation,
	MinDeviationBefore float64
	// Met says that the wish was met on the first half.
	Met           bool
	Wish          replay.Wish
	First, Second Half
	Rule          query.Replay // with all of this, to be replayed
}

// Half is what the proposal did in one half of the past.
type Half struct {
	From, To          time.Time
	Pages             int
	PerWeek           float64
	Precision, Recall impact.Share
	// Before is how many pages the rule as it is made there.
	Before int
}

// Labelled is what a person said of an event, and what the rules made of it.
type Labelled struct {
	impact.Said
	// Now and Proposed say whether a page of the rule as it is, or as it is proposed,
	// falls on it.
	Now, Proposed bool
}

// minKnown is how many incidents it takes to choose by them.
const minKnown = 5

// pendings are the pending times to choose from.
var pendings = []time.Duration{0, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute}

// propose chooses on the first half, and reports both.
func (e Replayer) propose(ctx context.Context, p plan, d *played, j judge, a *Answer) error {
	if len(p.rule.Load.Params) == 0 {
		a.AddNotice("A rule whose every series alerts has no threshold to propose: give the comparison as condition and threshold.")
		return nil
	}
	n, half := len(p.times), len(p.times)/2
	first := j.between(p.times[0], p.times[half-1])
	wish := replay.Wish{PagesPerWeek: p.query.PagesPerWeek, Recall: p.query.Recall}
	known := first.report(nil).Recall.Of
	if wish.Recall > 0 && known < minKnown {
		a.AddNotice(fmt.Sprintf("Only %d incidents are known in the first half, and it takes %d to choose by recall: the proposal goes by %g pages a week.", known, minKnown, wish.PagesPerWeek))
		wish.Recall = 0
	}
	waits := slices.Compact(slices.Sorted(slices.Values(append([]time.Duration{p.rule.For}, pendings...))))
	var variants []variant
	var choices []replay.Choice
	add := func(p plan, d *played, direction string) error {
		return core.Compute(ctx, func() {
			for i, threshold := range thresholds(p, d) {
				for k, deviation := range deviations(p, d, a) {
					one := p.variant(d, threshold, deviation, p.rule.For)
					for _, pending := range waits {
						if ctx.Err() != nil {
							return
						}
						v := one
						v.direction, v.pending, v.rule.For = direction, pending, pending
						pages := v.record.Play(v.rule, 0, half).Pages()
						c := replay.Choice{PerWeek: replay.PerWeek(replay.Alerts(pages), p.times[half-1].Sub(p.times[0])), Recall: math.NaN()}
						if known >= minKnown {
							c.Recall = first.report(pages).Recall.Interval.Estimate
						}
						strict := float64(i)
						if sideOf(p) == replay.Low && p.asked == nil {
							strict = -strict
						}
						c.Strictness = strict + float64(k) + pending.Minutes()/5
						v.record = nil // made again for the one that is chosen
						variants, choices = append(variants, v), append(choices, c)
					}
				}
			}
		})
	}
	worlds := map[string]world{}
	for _, direction := range directions(p) {
		w := world{p, d}
		if direction != "" {
			var err error
			if w, err = e.towards(ctx, p, direction, -1); err != nil {
				return err
			}
		}
		worlds[direction] = w
		if err := add(w.p, w.d, direction); err != nil {
			return err
		}
	}
	best, met := replay.Choose(choices, wish)
	if best < 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	chosen := variants[best]
	w := worlds[chosen.direction]
	proposal := Proposal{
		Query: chosen.rule, Threshold: chosen.threshold, Recovery: math.NaN(), For: chosen.pending, Met: met, Wish: wish, MinDeviation: chosen.minDeviation,
	}
	if chosen.rule.Unload != nil {
		proposal.Recovery = chosen.rule.Unload.Params[0]
	}
	if q, is := p.asked.(query.Anomaly); is {
		proposal.MinDeviationBefore = q.MinDeviation
		proposal.MinDeviation = max(q.MinDeviation, chosen.minDeviation)
		proposal.Direction = w.p.asked.(query.Anomaly).Direction
		if chosen.minDeviation > 0 { // exactly as it would be asked
			exact, err := e.towards(ctx, w.p, proposal.Direction, proposal.MinDeviation)
			if err != nil {
				return err
			}
			w = exact
		}
	}
	final := w.p.variant(w.d, chosen.threshold, 0, chosen.pending)
	proposal.Asked = askedWith(w.p.asked, chosen.threshold)
	proposal.Rule = ruleQuery(p.query, proposal)
	report := func(from, to int) Half {
		pages := final.record.Play(final.rule, from, to).Pages()
		start, end := p.times[from], p.times[to-1]
		judged := j.between(start, end).report(pages)
		return Half{
			From: start, To: end, Pages: replay.Alerts(pages), PerWeek: replay.PerWeek(replay.Alerts(pages), end.Sub(start)),
			Precision: judged.Precision, Recall: judged.Recall, Before: replay.Alerts(d.record.Play(p.rule, from, to).Pages()),
		}
	}
	return core.Compute(ctx, func() {
		proposal.First, proposal.Second = report(0, half), report(half, n)
		a.Proposal = &proposal
		pages := final.record.Play(final.rule, 0, n).Pages()
		for _, said := range j.happened.Said {
			a.Said = append(a.Said, Labelled{said, falls(said, a.Pages, d.record.Labels), falls(said, pages, final.record.Labels)})
		}
		if !met {
			a.AddNotice("No setting met the wish on the first half of the past: the proposal is the nearest one.")
		}
	})
}

// world is a plan and what came of it.
type world struct {
	p plan
	d *played
}

// directions are those to try beside the rule's own, which is empty.
func directions(p plan) []string {
	if q, is := p.asked.(query.Anomaly); is && q.Direction == "both" {
		return []string{"", "above", "below"}
	}
	return []string{""}
}

// towards is the same question in another direction, and with another least
// deviation where that is not negative.
func (e Replayer) towards(ctx context.Context, p plan, direction string, minDeviation float64) (world, error) {
	q := p.asked.(query.Anomaly)
	q.Direction = direction
	if minDeviation >= 0 {
		q.MinDeviation = minDeviation
	}
	p.asked = q
	d, err := e.played(ctx, p)
	return world{p, d}, err
}

// deviations are the least deviations to try: none beside the question's own, and
// some of those of the pages.
func deviations(p plan, d *played, a *Answer) []float64 {
	if _, is := p.asked.(query.Anomaly); !is {
		return []float64{0}
	}
	var at []float64
	for _, page := range a.Pages {
		if page.Kind != replay.KindAlert || page.PeakAt.IsZero() {
			continue
		}
		for k, run := range d.courses {
			if !includes(d.found[k].Labels, d.record.Labels[page.Instance]) {
				continue
			}
			for _, c := range run {
				if v, ok := c.Deviation(page.PeakAt); ok {
					at = append(at, v)
				}
			}
		}
	}
	if len(at) == 0 {
		return []float64{0}
	}
	slices.Sort(at)
	return slices.Compact([]float64{0, rounded(stats.Quantile(at, 0.25)), rounded(stats.Quantile(at, 0.5))})
}

// includes tells whether the labels of an instance are among those of a series.
func includes(whole, part series.Labels) bool {
	for name, value := range part {
		if whole[name] != value {
			return false
		}
	}
	return true
}

// askedWith is the question with the event threshold of the rule.
func askedWith(asked query.Query, threshold float64) query.Query {
	switch q := asked.(type) {
	case query.Anomaly:
		q.Threshold = threshold
		return q
	case query.Composite:
		q.Threshold = threshold
		return q
	}
	return asked
}

// ruleQuery is the replay of the proposal.
func ruleQuery(q query.Replay, proposal Proposal) query.Replay {
	q.View = ""
	q.Threshold = &proposal.Threshold
	if !math.IsNaN(proposal.Recovery) {
		q.Recovery = &proposal.Recovery
	}
	q.For = query.Duration(proposal.For)
	if proposal.Asked != nil {
		fields := map[string]any{}
		raw, _ := json.Marshal(proposal.Asked) // a query that was parsed can be written
		_ = json.Unmarshal(raw, &fields)
		fields["queryType"] = proposal.Asked.Type()
		q.Question, _ = json.Marshal(fields)
	}
	return q
}

// falls tells whether a page of the service falls on what a person spoke of.
func falls(said impact.Said, pages []replay.Page, labels []series.Labels) bool {
	return slices.ContainsFunc(pages, func(p replay.Page) bool {
		service := ops.ServiceOf(labels[p.Instance])
		return p.Kind == replay.KindAlert && (said.Service == "" || said.Service == service) &&
			!said.At.Before(p.Start.Add(-nearPage)) && !said.At.After(p.End.Add(nearPage))
	})
}

// nearPage is how far beside a page what is said of it may lie.
const nearPage = 30 * time.Minute
