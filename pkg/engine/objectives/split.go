package objectives

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/slo"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// split tells what burnt the budgets of an objective. The part of deploys or of
// dependencies is unknown where they are. All counts are on one grid, so that one
// lookup is for all of them.
func (a Analyst) split(ctx context.Context, s Setting, all []counted, budgets []Budget, basis *core.Provenance) {
	usable := func(c counted) bool { return c.problem == "" && c.counts.Len() > 0 }
	first := slices.IndexFunc(all, usable)
	if first < 0 {
		return
	}
	var known []slo.Deploy
	var called []slo.Called
	if s.Service != "" {
		known, called = a.causes(ctx, s, all[first].counts, basis)
	} else {
		basis.AddNotice(fmt.Sprintf("%s names no service, so that neither deploys nor dependencies are known.", s.Objective().Title()))
	}
	for i, c := range all {
		if usable(c) {
			budgets[i].Parts = s.Objective().Split(c.counts, known, called)
		}
	}
}

// causes are the deploys of a service, and what it calls, over the counts.
func (a Analyst) causes(ctx context.Context, s Setting, c slo.Counts, basis *core.Provenance) (known []slo.Deploy, called []slo.Called) {
	ctx, cancel := context.WithTimeout(ctx, deploysTimeout)
	defer cancel()
	from, to := c.Start, c.Time(c.Len()-1)
	var missing [2]error
	var calls core.Provenance
	var group parallel.Group
	group.Go(func() error {
		found, err := a.Deploys.Find(ctx, query.Deploys{Service: s.Service}, core.Window{From: from, To: to})
		missing[0] = err
		for _, d := range found.Deploys {
			if d.Arrived && d.Service == s.Service {
				known = append(known, slo.Deploy{Name: d.Version, At: d.At})
			}
		}
		return nil
	})
	group.Go(func() error {
		found, err := a.Signals.CallsOf(ctx, s.Service, upstream.Range{Start: from, End: to, Step: c.Step}, &calls)
		missing[1] = err
		for _, one := range found {
			called = append(called, slo.Called(one))
		}
		return nil
	})
	err := group.Wait()
	basis.Queries = append(basis.Queries, calls.Queries...)
	for i, what := range []string{"deploys", "dependencies"} {
		if failure := missing[i]; failure != nil || err != nil {
			basis.AddNotice(fmt.Sprintf("The part of %s in what %s burnt is unknown: %v", what, s.Objective().Title(), errors.Join(failure, err)))
		}
	}
	return known, called
}
