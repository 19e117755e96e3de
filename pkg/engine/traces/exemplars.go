package traces

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// A trace store may show traces to searches only long after it has them by
// their ids (Tempo 3 hides the newest 30 seconds). Span metrics come sooner, and
// their exemplars are ids of traces. They are no fair sample: a latency bucket
// gives one, however full it is. So both sides are then taken through exemplars,
// over equally long times, and only where both have about the same traffic:
// what is the same in both then stays the same.

const (
	// live is how near to now a question must end to be about the newest traces.
	live = 30 * time.Second
	// lagging is how far behind the end of its time a side's newest trace must
	// be for the store to be called late.
	lagging = 15 * time.Second
	// enoughTraces is how many traces of a search make exemplars superfluous.
	enoughTraces = 60
	// maxExemplars is how many traces of a side are fetched by their ids.
	maxExemplars = 100
	// maxApart is the ratio of both sides' traffic up to which their exemplars
	// can be compared.
	maxApart = 1.5
)

// isLate says whether a search for the traces of a version that has just
// arrived came back with too little, because the store does not show them yet.
func (e Comparer) isLate(c Comparison, compared bool, candidate upstream.TraceSet) bool {
	if e.Metrics == nil || !compared || !c.ByVersion || !c.arrived || c.Candidate.Operation != "" || c.Candidate.TraceQL != "" ||
		e.Now().Sub(c.Candidate.End) > live || len(candidate.Traces) >= enoughTraces {
		return false
	}
	newest := c.Candidate.Start
	for i := range candidate.Traces {
		if start := candidate.Traces[i].Start(); start.After(newest) {
			newest = start
		}
	}
	return c.Candidate.End.Sub(newest) > lagging
}

// throughExemplars are the traces of both sides behind the exemplars of span
// metrics; found is false where they cannot replace what the search found.
func (e Comparer) throughExemplars(ctx context.Context, c *Comparison, searched upstream.TraceSet, basis *core.Provenance) (baseline, candidate upstream.TraceSet, found bool) {
	now, before := c.Candidate, c.Baseline
	// A version begins with a burst of first requests, and may have served long
	// before an announcement: both sides are as long as the shorter allows.
	length := min(now.End.Sub(now.Start), now.Start.Sub(before.Start))
	before.Start, before.End = now.Start.Add(-length), now.Start
	now.Start = now.End.Add(-length)
	if length < lagging {
		return baseline, candidate, false
	}
	var rates [2]float64
	group, groupContext := parallel.WithContext(ctx)
	for i, side := range []upstream.TraceFilter{before, now} {
		set := []*upstream.TraceSet{&baseline, &candidate}[i]
		group.Go(func() (err error) { *set, err = e.exemplary(groupContext, side); return err })
		group.Go(func() (err error) { rates[i], err = e.traffic(groupContext, side); return err })
	}
	if err := group.Wait(); err != nil {
		basis.AddNotice(fmt.Sprintf("The trace store does not show the newest traces to searches yet, and span metrics do not lead to them: %v", err))
		return baseline, candidate, false
	}
	if len(candidate.Traces) <= len(searched.Traces) {
		return baseline, candidate, false
	}
	if ratio := rates[1] / rates[0]; !(ratio <= maxApart && ratio >= 1/maxApart) {
		basis.AddNotice(fmt.Sprintf("The trace store does not show the newest traces to searches yet. Exemplars lead to %d of them, which cannot be compared fairly: the traffic of both sides differs (%.3g and %.3g spans per second).",
			len(candidate.Traces), rates[0], rates[1]))
		return baseline, candidate, false
	}
	c.Baseline.Start, c.Baseline.End, c.Candidate.Start = before.Start, before.End, now.Start
	baseline.Filter, candidate.Filter = searched.Filter, searched.Filter
	basis.AddNotice(fmt.Sprintf("The trace store does not show the newest traces to searches yet: both sides are traces behind exemplars of span metrics, over %s each. Slow requests are overrepresented, on both sides alike.",
		length.Round(time.Second)))
	return baseline, candidate, true
}

// exemplary fetches the traces of a side behind exemplars of span metrics.
func (e Comparer) exemplary(ctx context.Context, side upstream.TraceFilter) (upstream.TraceSet, error) {
	var selectors []string
	for _, label := range []string{"service", "service_name"} {
		selectors = append(selectors, fmt.Sprintf(`{__name__=~%s, %s=%s, service_version=%s}`,
			strconv.Quote(strings.Join(wellknown.SpanLatencies(), "|")), label, strconv.Quote(side.Service), strconv.Quote(side.Version)))
	}
	promQL := strings.Join(selectors, " or ")
	exemplars, err := e.Metrics.Exemplars(ctx, promQL, side.Start, side.End)
	if err != nil || len(exemplars) == 0 {
		return upstream.TraceSet{}, err
	}
	var ids []trace.TraceID
	for _, one := range exemplars[:min(len(exemplars), maxExemplars)] {
		ids = append(ids, one.Trace)
	}
	set, err := e.Traces.Fetch(ctx, ids, side.End)
	set.Queries = append([]string{"exemplars of " + promQL}, set.Queries...)
	set.Truncated = set.Truncated || len(exemplars) > len(ids)
	return set, err
}

// traffic is a side's spans per second, as span metrics count them.
func (e Comparer) traffic(ctx context.Context, side upstream.TraceFilter) (float64, error) {
	seconds := int(side.End.Sub(side.Start).Seconds())
	// A version's counters begin with it, so an increase would miss their first
	// value: what they hold more than at the beginning is what was counted.
	counter := deploys.SpanCalls(side.Service, "service_version="+strconv.Quote(side.Version))
	at := core.Floor(side.End, time.Second)
	promQL := fmt.Sprintf("sum(max_over_time((%s)[%ds:1s])) - (sum(last_over_time((%s)[5m:5s] offset %ds)) or vector(0))", counter, seconds, counter, seconds)
	set, err := e.Metrics.QueryRange(ctx, promQL, upstream.Range{Start: at, End: at, Step: time.Second})
	if err != nil || len(set.Series) == 0 || len(set.Series[0].Values) == 0 {
		return math.NaN(), err
	}
	return set.Series[0].Values[0] / float64(max(seconds, 1)), nil
}
