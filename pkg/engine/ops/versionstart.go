package ops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// The baseline was a candidate once, and so were the versions before it. How their
// pods began to serve then is what those of the next version may do without being
// worse.

const (
	// startLookBack is for how long before the candidate rollouts are looked for,
	// in steps of startGrid.
	startLookBack = 48 * time.Hour
	startGrid     = 10 * time.Minute
	// startPeriods are read of a rollout, from leadPeriods before it on.
	startPeriods = 45
	leadPeriods  = 2
	// maxRollouts are read at most, the newest first.
	maxRollouts = 3
)

// pastRollout is when a version began to serve while another did.
type pastRollout struct {
	version string
	window  upstream.Range
}

// rollouts are those of the time before the candidate that are over, the newest
// first. A version that was there all the time, or alone when it came, had none
// that can be seen.
func (v *versionCounts) rollouts(ctx context.Context) (found []pastRollout, err error) {
	all := upstream.Range{Start: v.past.End.Add(-startLookBack), End: v.past.End, Step: startGrid}
	versions, err := v.sum(ctx, v.metric.count, []string{v.service, v.metric.also}, []string{wellknown.VersionLabel}, all)
	if err != nil {
		return nil, err
	}
	serves := func(s series.Series, at int) bool { return at < len(s.Values) && s.Values[at] > 0 }
	for _, s := range versions {
		version := s.Labels[wellknown.VersionLabel]
		began := slices.IndexFunc(s.Values, func(value float64) bool { return value > 0 })
		if version == "" || version == v.comparison.Candidate.Version || began < 1 {
			continue
		}
		if !slices.ContainsFunc(versions, func(other series.Series) bool {
			return other.Labels[wellknown.VersionLabel] != version && serves(other, began-1)
		}) {
			continue
		}
		step := v.window.Step
		// It began within the step before.
		window := upstream.Range{Start: all.Start.Add(time.Duration(began-1)*startGrid - leadPeriods*step), Step: step}
		window.End = window.Start.Add((startGrid/step + leadPeriods + startPeriods) * step)
		if !window.End.After(v.comparison.Candidate.Start) {
			found = append(found, pastRollout{version, window})
		}
	}
	slices.SortFunc(found, func(a, b pastRollout) int {
		return cmp.Or(b.window.Start.Compare(a.window.Start), cmp.Compare(a.version, b.version))
	})
	return found[:min(len(found), maxRollouts)], nil
}

// starts are what past rollouts teach of errors and of each limit, in that order:
// the worst of them at each age. What is nil was not learned.
func (v *versionCounts) starts(ctx context.Context, units []string, le string, limits []bucketLimit) ([][]float64, error) {
	learned := make([][]float64, 1+len(limits))
	rollouts, err := v.rollouts(ctx)
	if err != nil {
		return learned, err
	}
	each := make([][][]float64, len(rollouts))
	group, ctx := parallel.WithContext(ctx)
	for i, rollout := range rollouts {
		group.Go(func() (err error) {
			each[i], err = v.startsOf(ctx, rollout, units, le, limits)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return learned, err
	}
	for _, starts := range each {
		for signal, start := range starts {
			learned[signal] = worstStart(learned[signal], start)
		}
	}
	return learned, nil
}

// startsOf is what one rollout teaches.
func (v *versionCounts) startsOf(ctx context.Context, rollout pastRollout, units []string, le string, limits []bucketLimit) (learned [][]float64, err error) {
	matchers := []string{v.service, fmt.Sprintf("%s=%q", wellknown.VersionLabel, rollout.version), v.metric.also, v.operation()}
	ask := func(metric, matcher string, by []string) ([]series.Series, error) {
		return v.partsOf(ctx, metric, append(slices.Clone(matchers), matcher), by, rollout.window)
	}
	counted, err := ask(v.metric.count, "", units)
	if err != nil {
		return nil, err
	}
	failed, err := ask(v.metric.count, v.metric.failed, units)
	if err != nil {
		return nil, err
	}
	learned = append(learned, startOf(v.groupsOf(rollout.version, "", counted, failed, "", "", false)))
	if len(limits) == 0 {
		return learned, nil
	}
	timed, err := ask(v.metric.bucket, le, append([]string{"le"}, units...))
	for _, limit := range limits {
		learned = append(learned, startOf(v.groupsOf(rollout.version, "", timed, timed, "+Inf", limit.text, true)))
	}
	return learned, err
}

// worstStart is the larger excess at each age; nil where neither is known.
func worstStart(a, b []float64) []float64 {
	if len(a) < len(b) || a == nil {
		a, b = b, a
	}
	worst := slices.Clone(a)
	for age, excess := range b {
		worst[age] = max(worst[age], excess)
	}
	return worst
}

// startOf is empty, and not nil, where a start was seen that differs in nothing.
func startOf(groups []canary.Group) []float64 {
	excess, known := canary.LearnStart(groups)
	if known && excess == nil {
		return []float64{}
	}
	return excess
}
