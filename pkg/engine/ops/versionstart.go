package ops

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// The baseline was a candidate once. How its pods began to serve then is what
// those of the next version may do without being worse.

const (
	// startLookBack is for how long before the candidate the baseline's rollout
	// is looked for, in steps of startGrid.
	startLookBack = 48 * time.Hour
	startGrid     = 10 * time.Minute
	// startPeriods are read of a rollout, from leadPeriods before it on.
	startPeriods = 45
	leadPeriods  = 2
)

// rollout is when the baseline began to serve while another version did; found is
// false where it was there all the time, alone, or began a moment ago.
func (v *versionCounts) rollout(ctx context.Context) (window upstream.Range, found bool, err error) {
	all := upstream.Range{Start: v.past.End.Add(-startLookBack), End: v.past.End, Step: startGrid}
	versions, err := v.sum(ctx, v.metric.count, []string{v.service, v.metric.also}, []string{"service_version"}, all)
	if err != nil {
		return window, false, err
	}
	began, others := -1, make([]float64, all.Points())
	for _, s := range versions {
		for i, value := range s.Values {
			switch {
			case i >= len(others) || !(value > 0):
			case s.Labels["service_version"] != v.comparison.Baseline.Version:
				others[i] += value
			case began < 0:
				began = i
			}
		}
	}
	if began < 1 || !(others[began-1] > 0) {
		return window, false, nil
	}
	step := v.window.Step
	// It began within the step before.
	window.Start = all.Start.Add(time.Duration(began-1)*startGrid - leadPeriods*step)
	window.End, window.Step = window.Start.Add((startGrid/step+leadPeriods+startPeriods)*step), step
	return window, !window.End.After(v.comparison.Candidate.Start), nil
}

// starts are what the baseline's rollout teaches of errors and of each limit, in
// that order; what is nil was not learned.
func (v *versionCounts) starts(ctx context.Context, units []string, le string, limits []bucketLimit) ([][]float64, error) {
	learned := make([][]float64, 1+len(limits))
	window, found, err := v.rollout(ctx)
	if err != nil || !found {
		return learned, err
	}
	baseline := v.baselineOnly()
	counted, err := v.parts(ctx, v.metric.count, []string{baseline}, units, window)
	if err != nil {
		return learned, err
	}
	failed, err := v.parts(ctx, v.metric.count, []string{baseline, v.metric.failed}, units, window)
	if err != nil {
		return learned, err
	}
	learned[0] = startOf(v.groups(counted, failed, "", "", false))
	if len(limits) == 0 {
		return learned, nil
	}
	timed, err := v.parts(ctx, v.metric.bucket, []string{baseline, le}, append([]string{"le"}, units...), window)
	for i, limit := range limits {
		learned[1+i] = startOf(v.groups(timed, timed, "+Inf", limit.text, true))
	}
	return learned, err
}

// startOf is empty, and not nil, where a start was seen that differs in nothing.
func startOf(groups []canary.Group) []float64 {
	excess, known := canary.LearnStart(groups)
	if known && excess == nil {
		return []float64{}
	}
	return excess
}
