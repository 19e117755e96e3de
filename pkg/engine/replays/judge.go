package replays

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/anomaly/breach"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/metrics"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/replay"
	"github.com/foresight-observability/foresight/pkg/series"
)

// played is a rule's record, with what it was made of.
type played struct {
	basis  core.Provenance
	record *replay.Record
	// found are the series as they were fetched; of a composite, none.
	found []series.Series
	// courses are those of each series of an anomaly question, or of the service.
	courses [][]courseRun
}

// courseRun is a course whose first evaluation is number from.
type courseRun struct {
	anomaly.Course
	from int
}

// scores are what a rule with another threshold, and another least deviation, would
// have evaluated.
func (d *played) scores(threshold, minDeviation float64) [][]float64 {
	all := values(len(d.courses), len(d.record.Times))
	for k, courses := range d.courses {
		for _, c := range courses {
			copy(all[k][c.from:], c.Scores(threshold, minDeviation))
		}
	}
	return all
}

// size is about how many bytes it takes.
func (d *played) size() (bytes int) {
	for _, s := range d.found {
		bytes += 8 * s.Len()
	}
	for _, values := range d.record.Series {
		bytes += 8 * len(values)
	}
	for _, courses := range d.courses {
		for _, c := range courses {
			bytes += c.Size()
		}
	}
	return bytes
}

// play fetches and evaluates.
func (e Replayer) play(ctx context.Context, p plan) (*played, error) {
	d := &played{record: &replay.Record{Times: p.times}}
	d.record.Number(nil)
	fetched := make([][]series.Series, len(p.long))
	for i, l := range p.long {
		cost := p.cost
		cost.Expr = l.Expr
		var err error
		if fetched[i], err = e.LongHistory(ctx, l, cost, &d.basis, nil); err != nil {
			return nil, err
		}
	}
	var err error
	switch q := p.asked.(type) {
	case query.Anomaly:
		d.found = fetched[0]
		err = e.playAnomaly(ctx, p, q, d)
	case query.Breach:
		d.found = fetched[0]
		err = e.playBreach(ctx, p, q, d)
	case query.Composite:
		err = e.playComposite(ctx, p, q, fetched, d)
	default:
		d.found = fetched[0]
		playPromQL(d)
	}
	return d, err
}

// playPromQL takes the values as they are: an absent one is no instance.
func playPromQL(d *played) {
	d.record.Absent = true
	all := make([]int, len(d.found))
	labels := make([]series.Labels, len(d.found))
	for i, s := range d.found {
		all[i], labels[i] = i, s.Labels
		d.record.Series = append(d.record.Series, s.Values)
	}
	d.record.Runs = []replay.Run{d.run(0, len(d.record.Times), all, withoutName(labels))}
}

// withoutName are the labels as Grafana's data source of Prometheus gives them to
// rules.
func withoutName(all []series.Labels) []series.Labels {
	bare := make([]series.Labels, len(all))
	for i, labels := range all {
		bare[i] = series.Labels{}
		for name, value := range labels {
			if name != "__name__" {
				bare[i][name] = value
			}
		}
	}
	return bare
}

// run is a stretch of evaluations for the series of these labels. Two instances
// with equal labels fail a rule.
func (d *played) run(from, to int, which []int, labels []series.Labels) replay.Run {
	run := replay.Run{From: from, To: to, Series: which}
	for _, one := range labels {
		id := d.record.Number(one)
		run.Failed = run.Failed || slices.Contains(run.Instances, id)
		run.Instances = append(run.Instances, id)
	}
	return run
}

// stretch is a run of evaluations that learn from the same history.
type stretch struct {
	from, to int // evaluations
	start    time.Time
	spans    []anomaly.Span
	series   []int // those that are there
}

// stretches cut the evaluations where another history begins, and where a series
// that was not there before comes: a live evaluation would not have known of it.
func stretches(p plan, found []series.Series, reach time.Duration) (all []stretch) {
	var first []int // observation of each series since the stretch's start, in points
	for i, g := range p.grids {
		n := len(all)
		fresh := n == 0 || !all[n-1].start.Equal(g.Start) ||
			!anomaly.Epoch(all[n-1].spans[0].From.Add(-reach), g.Step).Equal(anomaly.Epoch(g.From.Add(-reach), g.Step)) ||
			!anomaly.Epoch(all[n-1].spans[0].From, g.Step).Equal(anomaly.Epoch(g.From, g.Step))
		if fresh {
			first = first[:0]
			for _, s := range found {
				first = append(first, firstSince(s, g.Start))
			}
		}
		var there []int
		for k, s := range found {
			if first[k] <= s.Index(g.To) {
				there = append(there, k)
			}
		}
		if fresh || len(there) != len(all[n-1].series) {
			all = append(all, stretch{from: i, start: g.Start, series: there})
		}
		last := &all[len(all)-1]
		last.to = i + 1
		last.spans = append(last.spans, anomaly.Span{From: g.From, To: g.To})
	}
	return all
}

// firstSince is the first observation of a series from a time on.
func firstSince(s series.Series, start time.Time) int {
	for i := max(s.Index(start), 0); i < s.Len(); i++ {
		if !math.IsNaN(s.Values[i]) {
			return i
		}
	}
	return math.MaxInt
}

// since is the part of a series that an evaluation of the stretch is given, up to
// its last end.
func (s stretch) since(whole series.Series, location *time.Location) series.Series {
	part := whole.Between(s.start, s.spans[len(s.spans)-1].To.Add(whole.Step))
	part.Start = part.Start.In(location)
	return part
}

// seriesRuns are the runs of stretches whose instances are series.
func (d *played) seriesRuns(all []stretch) {
	for _, s := range all {
		labels := make([]series.Labels, len(s.series))
		for i, k := range s.series {
			labels[i] = d.found[k].Labels
		}
		kept, _ := series.InstanceLabels(labels)
		d.record.Runs = append(d.record.Runs, d.run(s.from, s.to, s.series, kept))
	}
}

func (e Replayer) playAnomaly(ctx context.Context, p plan, q query.Anomaly, d *played) error {
	all := stretches(p, d.found, 0)
	d.seriesRuns(all)
	judges := make([]func(anomaly.Request) (anomaly.Result, error), len(all))
	for i, s := range all {
		judges[i] = anomaly.Detect
		if !q.Peers || len(s.series) == 0 {
			continue
		}
		var members []series.Series
		for _, k := range s.series {
			members = append(members, s.since(d.found[k], time.UTC))
		}
		group, err := anomaly.NewGroup(members, s.spans[0].From)
		if err != nil {
			judges[i] = nil // nothing to compare with
			continue
		}
		judges[i] = group.Detect
	}
	d.courses = make([][]courseRun, len(d.found))
	err := d.eachStretch(ctx, all, func(k, i int) error {
		if judges[i] == nil {
			return nil
		}
		s := all[i]
		request := metrics.AnomalyRequest(q, s.since(d.found[k], q.Location()), s.spans[0].From, e.Models)
		course, err := anomaly.Replay(request, s.spans, judges[i])
		if err == nil {
			d.courses[k] = append(d.courses[k], courseRun{course, s.from})
		}
		return err
	})
	d.record.Series = d.scores(q.Threshold, 0)
	return err
}

// eachStretch judges every series in each stretch in which it is there, series side
// by side. The error is the first of those that a series was refused with.
func (d *played) eachStretch(ctx context.Context, all []stretch, judge func(series, stretch int) error) error {
	failures := make([]error, len(d.found))
	err := core.EachSeries(ctx, len(d.found), func(k int) {
		for i, s := range all {
			if ctx.Err() != nil || failures[k] != nil {
				return
			}
			if slices.Contains(s.series, k) {
				failures[k] = judge(k, i)
			}
		}
	})
	for _, failure := range failures {
		if failure != nil && err == nil {
			err = core.UserErrorf("question: %v", failure)
		}
	}
	return err
}

func (e Replayer) playBreach(ctx context.Context, p plan, q query.Breach, d *played) error {
	all := stretches(p, d.found, 0)
	d.seriesRuns(all)
	d.record.Series = values(len(d.found), len(p.times))
	return d.eachStretch(ctx, all, func(k, i int) error {
		s := all[i]
		request := metrics.BreachRequest(q, s.since(d.found[k], q.Location()), s.spans[0].From, e.Models)
		course, err := breach.Replay(request, s.spans)
		if err == nil {
			copy(d.record.Series[k][s.from:], course.Latest)
		}
		return err
	})
}

// values are so many series without any value.
func values(n, length int) [][]float64 {
	all := make([][]float64, n)
	for i := range all {
		all[i] = series.Missing(length)
	}
	return all
}
