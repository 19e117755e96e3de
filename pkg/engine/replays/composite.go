package replays

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/metrics"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/replay"
	"github.com/foresight-observability/foresight/pkg/series"
)

// boundSignals are the signals of a service, as they are found at the end.
type boundSignals struct {
	service string
	presets []signals.BoundPreset
	scrapes []time.Duration
}

// bind finds the signals of a service, and how often they are scraped.
func (e Replayer) bind(ctx context.Context, q query.Composite, newest *core.Window) (*boundSignals, error) {
	presets, scrapes, err := e.Bound(ctx, q, *newest)
	if err != nil {
		return nil, err
	}
	if scrape := metrics.Fastest(scrapes); scrape > 0 {
		newest.Scrape = scrape
	}
	return &boundSignals{q.Service, presets, scrapes}, nil
}

func (b *boundSignals) exprs(step time.Duration) []string {
	exprs := make([]string, len(b.presets))
	for i, p := range b.presets {
		exprs[i] = metrics.SignalExpr(p, b.service, b.scrapes[i], step)
	}
	return exprs
}

// playComposite judges the service. Which of its signals can be judged changes as
// they are learned: a run is of evaluations that judge the same ones.
func (e Replayer) playComposite(ctx context.Context, p plan, q query.Composite, fetched [][]series.Series, d *played) error {
	var found []series.Series
	var presets []signals.BoundPreset
	for i, set := range fetched {
		if len(set) > 0 {
			found, presets = append(found, set[0]), append(presets, p.signals.presets[i])
		}
	}
	d.courses = make([][]courseRun, 1)
	id := d.record.Number(series.Labels{"service_name": q.Service})
	d.record.Runs = []replay.Run{{From: 0, To: len(p.times), Series: []int{0}, Instances: []int{id}}}
	err := core.Compute(ctx, func() {
		for _, s := range stretches(p, found, anomaly.Reach) {
			taught := taughtAt(found, s.start)
			for len(s.spans) > 0 && ctx.Err() == nil {
				which := judgeable(taught, s.spans[0])
				n := 1
				for n < len(s.spans) && slices.Equal(which, judgeable(taught, s.spans[n])) {
					n++
				}
				part := s
				part.spans = s.spans[:n]
				if course, judged := e.judgeComposite(q, found, presets, which, part); judged {
					d.courses[0] = append(d.courses[0], courseRun{course, s.from})
				}
				s.from, s.spans = s.from+n, s.spans[n:]
			}
		}
	})
	d.record.Series = d.scores(q.Threshold, 0)
	return err
}

// taughtAt is when each signal has enough samples since the start to be judged;
// the zero time for never.
func taughtAt(found []series.Series, start time.Time) []time.Time {
	taught := make([]time.Time, len(found))
	for k, s := range found {
		seen := 0
		for i := max(s.Index(start), 0); i < s.Len() && seen < metrics.MinTaught; i++ {
			if !math.IsNaN(s.Values[i]) {
				seen++
				taught[k] = s.Time(i)
			}
		}
		if seen < metrics.MinTaught {
			taught[k] = time.Time{}
		}
	}
	return taught
}

// judgeable are the signals with enough samples before a span.
func judgeable(taught []time.Time, span anomaly.Span) (which []int) {
	for k, at := range taught {
		if !at.IsZero() && at.Before(span.From) {
			which = append(which, k)
		}
	}
	return which
}

// judgeComposite judges a run; not where none of the signals can be.
func (e Replayer) judgeComposite(q query.Composite, found []series.Series, presets []signals.BoundPreset, which []int, s stretch) (anomaly.Course, bool) {
	if len(which) == 0 {
		return anomaly.Course{}, false
	}
	request := anomaly.CompositeRequest{Past: time.Duration(q.History), Threshold: q.Threshold, Models: e.Models}
	for _, k := range which {
		request.Signals = append(request.Signals, metrics.CompositeSignal(presets[k], s.since(found[k], q.Location())))
	}
	course, err := anomaly.ReplayComposite(request, s.spans)
	return course, err == nil
}
