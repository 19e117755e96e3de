package replays

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/ops"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/replay"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Rival is what another kind of rule would have done on the same metric.
type Rival struct {
	Name, What string
	Pages      []replay.Page
	Firing     time.Duration
	Report     impact.Report
}

// worth matches the pages with what is known to have happened, and adds what was
// asked for beside them.
func (e Replayer) worth(ctx context.Context, p plan, d *played, a *Answer) error {
	happened, err := e.Advisor.Record(ctx, query.Impact{Objective: p.query.Objective}.WithDefaults(), a.From, a.To, &a.Provenance)
	if err != nil {
		return err
	}
	j := judge{happened, horizonOf(p.asked), a.Labels}
	a.Known = happened.EveryWatched || len(happened.Watched) > 0
	a.Report = j.report(a.Pages)
	a.Judged = judged(a.Pages, a.Report, a.Labels)
	if !a.Known {
		a.AddNotice(`It is unknown when users were affected, so no page can be counted as right or wrong: give an objective, or tag annotations of incidents with "incident" and "service:NAME".`)
	}
	wants := func(views ...query.ReplayView) bool { return slices.Contains(views, p.query.View) }
	if wants("", query.ReplayCourse) {
		a.Course = courses(p, d)
	}
	if wants("", query.ReplayComparison) {
		return core.Compute(ctx, func() { a.Rivals = rivals(p, d, j, a.Pages) })
	}
	if wants(query.ReplayCurve, query.ReplayProposal, query.ReplayLabels) {
		return e.tune(ctx, p, d, j, a)
	}
	return nil
}

func horizonOf(asked query.Query) time.Duration {
	if q, is := asked.(query.Breach); is {
		return time.Duration(q.Horizon)
	}
	return 0
}

// judge tells what pages were worth.
type judge struct {
	happened impact.Record
	horizon  time.Duration
	labels   []series.Labels
}

// report replaces the alerts of the record by the pages.
func (j judge) report(pages []replay.Page) impact.Report {
	record := j.happened
	record.Episodes = nil
	for _, page := range pages {
		if page.Kind == replay.KindAlert {
			record.Episodes = append(record.Episodes, impact.Episode{
				Alert: "replay", Service: ops.ServiceOf(j.labels[page.Instance]), Start: page.Start, End: page.End, Firing: page.Firing, Horizon: j.horizon,
			})
		}
	}
	return record.Judge(impact.Rules{})
}

// Judged is a page with what came of it.
type Judged struct {
	replay.Page
	Labels  series.Labels
	Finding impact.Finding
	Reason  string
	// Lead is how long before the begin of its incident it came, negative for after
	// it; HasLead says that there is one.
	Lead    time.Duration
	HasLead bool
}

// nearIncident is how long before a page its incident may have begun.
const nearIncident = time.Hour

// judged brings pages together with the report on them.
func judged(pages []replay.Page, report impact.Report, labels []series.Labels) []Judged {
	all := make([]Judged, len(pages))
	n := 0
	for i, page := range pages {
		all[i] = Judged{Page: page, Labels: labels[page.Instance], Finding: impact.Open, Reason: "it is not about a value"}
		if page.Kind != replay.KindAlert || n >= len(report.Episodes) {
			continue
		}
		e := report.Episodes[n]
		n++
		all[i].Finding, all[i].Reason = e.Finding, e.Reason
		for _, incident := range report.Incidents {
			lead := incident.Start.Sub(page.Start)
			near := e.Service == incident.Service && lead <= max(e.Horizon, nearPage) && !incident.End.Before(page.Start.Add(-nearPage)) && lead > -nearIncident
			if near && (!all[i].HasLead || lead.Abs() < all[i].Lead.Abs()) {
				all[i].Lead, all[i].HasLead = lead, true
			}
		}
	}
	return all
}

// between is the judge of a part of the time.
func (j judge) between(from, to time.Time) judge {
	j.happened.From, j.happened.To = from, to
	j.happened.Incidents = slices.DeleteFunc(slices.Clone(j.happened.Incidents), func(i impact.Incident) bool {
		return i.Start.Before(from) || i.Start.After(to)
	})
	return j
}

// metric is the record of the metric itself: what it was at each evaluation.
func metric(p plan, d *played) *replay.Record {
	if p.asked == nil {
		return d.record
	}
	sampled := values(len(d.found), len(p.times))
	for k, s := range d.found {
		for i, g := range p.grids {
			if at := s.Index(g.To); at >= 0 && at < s.Len() {
				sampled[k][i] = s.Values[at]
			}
		}
	}
	return d.record.With(sampled)
}

// sideOf is which deviations the question counts.
func sideOf(p plan) replay.Side {
	direction := ""
	switch q := p.asked.(type) {
	case query.Anomaly:
		direction = q.Direction
	case query.Breach:
		direction = q.Direction
	case nil:
		direction = string(anomaly.Above)
		if p.rule.Load.Type == replay.Below || p.rule.Load.Type == replay.AtMost {
			direction = string(anomaly.Below)
		}
	}
	switch direction {
	case string(anomaly.Above):
		return replay.High
	case string(anomaly.Below):
		return replay.Low
	}
	return replay.Both
}

// rivals are what other rules on the metric would have done. A service's score has
// no single metric to compare with.
func rivals(p plan, d *played, j judge, pages []replay.Page) (all []Rival) {
	if _, is := p.asked.(query.Composite); is || len(d.found) == 0 {
		return nil
	}
	actual, side, n := metric(p, d), sideOf(p), len(p.times)
	half := p.times[n/2]
	ours := 0
	for _, page := range pages {
		if page.Kind == replay.KindAlert && page.Start.Before(half) {
			ours++
		}
	}
	add := func(name, what string, record *replay.Record, rule replay.Rule) {
		m := record.Play(rule, 0, n)
		one := Rival{Name: name, What: what, Pages: m.Pages()}
		_, one.Firing = m.Evaluations()
		one.Report = j.report(one.Pages)
		all = append(all, one)
	}
	static := replay.StaticThreshold(actual, p.rule, side, n/2, max(ours, 1))
	add("static threshold", fmt.Sprintf("%s %s, chosen on the first half to page as often as the rule", static.Load.Type, limits(static.Load.Params)), actual, static)
	scores, rule := replay.ZScore(actual, p.rule, side)
	add("z-score", "more than 3 standard deviations from the mean of the last day", scores, rule)
	add("predict_linear", fmt.Sprintf("predict_linear over 1h is %s %s in 1h", static.Load.Type, limits(static.Load.Params)),
		replay.PredictLinear(actual, p.rule.Interval), static)
	return all
}

func limits(params []float64) string {
	texts := make([]string, len(params))
	for i, v := range params {
		texts[i] = fmt.Sprintf("%.4g", v)
	}
	return strings.Join(texts, " to ")
}

// maxCourses bounds the instances that are drawn, and maxDrawn their points.
const (
	maxCourses = 10
	maxDrawn   = 2000
)

// courses are the instances to draw, those with the highest values first: of
// several points that fall on one, the metric of the last and the highest value.
func courses(p plan, d *played) []Course {
	n := len(p.times)
	every := (n + maxDrawn - 1) / maxDrawn
	var order []int
	peak := make([]float64, len(d.record.Series))
	for k, values := range d.record.Series {
		order = append(order, k)
		peak[k] = math.Inf(-1)
		for _, v := range values {
			if v > peak[k] {
				peak[k] = v
			}
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case peak[a] > peak[b]:
			return -1
		case peak[a] < peak[b]:
			return 1
		}
		return 0
	})
	order = order[:min(len(order), maxCourses)]
	var actual *replay.Record
	if len(d.found) > 0 {
		actual = metric(p, d)
	}
	var all []Course
	for _, k := range order {
		points := (n + every - 1) / every
		one := Course{Start: p.times[0], Step: time.Duration(every) * p.rule.Interval}
		if k < len(d.found) {
			one.Labels = d.found[k].Labels
		} else if len(d.record.Labels) > 1 {
			one.Labels = d.record.Labels[1]
		}
		drawn := values(4, points)
		one.Actual, one.Lower, one.Upper, one.Value = drawn[0], drawn[1], drawn[2], drawn[3]
		for i, v := range d.record.Series[k] {
			if at := i / every; v > one.Value[at] || math.IsNaN(one.Value[at]) {
				one.Value[at] = v
			}
			if actual != nil && !math.IsNaN(actual.Series[k][i]) {
				one.Actual[i/every] = actual.Series[k][i]
			}
		}
		if k < len(d.courses) && len(d.found) > 0 {
			for _, run := range d.courses[k] {
				run.Each(func(at time.Time, _, _, lower, upper, _ float64) {
					if i := int(at.Sub(one.Start) / one.Step); !at.Before(one.Start) && i < points {
						one.Lower[i], one.Upper[i] = lower, upper
					}
				})
			}
		}
		all = append(all, one)
	}
	return all
}
