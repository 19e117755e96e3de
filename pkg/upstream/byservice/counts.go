package byservice

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// countSample is how many traces of a service counts come from.
	countSample = 800
	// arrivalSample is how many traces are looked at around the arrival of a
	// version.
	arrivalSample = 20
)

// version is a service with one of its versions.
type version struct{ service, version string }

// SpanCounts implements upstream.Traces. The store counts nothing: the spans are
// those of a sample of traces, spread over the window. Where a version is not
// in the window's first part, its arrival is then searched for, to the step.
func (c *Client) SpanCounts(ctx context.Context, service string, window upstream.Range) (upstream.SeriesSet, error) {
	if window.Points() == 0 {
		return upstream.SeriesSet{}, c.rejected("", "the time range is empty")
	}
	ctx, cancel := c.Deadline(ctx)
	defer cancel()
	filter := upstream.TraceFilter{Service: service, Start: window.Start, End: window.End.Add(window.Step), Limit: countSample}
	sample, err := c.Search(ctx, filter)
	if err != nil {
		return upstream.SeriesSet{}, err
	}
	counts := tally{window: window, service: service, values: map[version][]float64{}, seen: map[trace.TraceID]bool{}}
	counts.add(sample.Traces)
	set := upstream.SeriesSet{Warnings: sample.Warnings}
	if set.Sampled = sample.Truncated; sample.Truncated {
		set.Warnings = append(set.Warnings, fmt.Sprintf("%s counts no spans: the counts are those of a sample of %d traces.", c.Name(), len(sample.Traces)))
		if err := c.findArrivals(ctx, &counts); err != nil {
			return upstream.SeriesSet{}, err
		}
	}
	set.Series = counts.series()
	return set, nil
}

// findArrivals searches for spans of every version before the first in the
// sample, by halving the time in question.
func (c *Client) findArrivals(ctx context.Context, counts *tally) error {
	for _, v := range counts.versions() {
		first := counts.first(v)
		if v.version == "" || first == 0 {
			continue
		}
		// Nothing is known of the steps before; from low on there are spans.
		low, high := 0, first
		for low < high {
			middle := (low + high) / 2
			found, err := c.searchOne(ctx, upstream.TraceFilter{
				Service: v.service, Version: v.version, Limit: arrivalSample,
				Start: counts.at(low), End: counts.at(middle + 1).Add(-time.Microsecond),
			})
			if err != nil {
				return err
			}
			counts.add(found.traces)
			if earlier := counts.first(v); earlier <= middle {
				high = max(low, earlier)
				if earlier <= low {
					break
				}
				continue
			}
			low = middle + 1
		}
	}
	return nil
}

// tally counts spans per step.
type tally struct {
	window  upstream.Range
	service string // empty for all
	values  map[version][]float64
	seen    map[trace.TraceID]bool
}

func (t *tally) add(traces []trace.Trace) {
	for i := range traces {
		if t.seen[traces[i].ID] {
			continue
		}
		t.seen[traces[i].ID] = true
		for j := range traces[i].Spans {
			span := &traces[i].Spans[j]
			at := time.Unix(0, span.Start).Sub(t.window.Start)
			step := int(at / t.window.Step)
			if at < 0 || step >= t.window.Points() || t.service != "" && span.Service != t.service {
				continue
			}
			v := version{span.Service, span.Version}
			if t.values[v] == nil {
				t.values[v] = make([]float64, t.window.Points())
			}
			t.values[v][step]++
		}
	}
}

// at is the beginning of a step.
func (t *tally) at(step int) time.Time {
	return t.window.Start.Add(time.Duration(step) * t.window.Step)
}

// first is the first step with a span of a version.
func (t *tally) first(v version) int {
	return slices.IndexFunc(t.values[v], func(count float64) bool { return count > 0 })
}

// versions are sorted.
func (t *tally) versions() []version {
	var all []version
	for v := range t.values {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b version) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.version, b.version))
	})
	return all
}

func (t *tally) series() (all []series.Series) {
	for _, v := range t.versions() {
		all = append(all, series.Series{
			Labels: series.Labels{"service_name": v.service, "service_version": v.version},
			Start:  t.window.Start, Step: t.window.Step, Values: t.values[v],
		})
	}
	return all
}
