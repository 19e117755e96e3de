package journeys

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/journey"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

// compareDeploy finds the newest deploy of the steps' services inside the window
// and sums up the steps before and after it.
func (e Analyst) compareDeploy(ctx context.Context, j *Journey, c *counts, window core.Window, basis *core.Provenance) error {
	var services []string
	for _, s := range j.Steps {
		if s.Service != "" && !slices.Contains(services, s.Service) {
			services = append(services, s.Service)
		}
	}
	for _, service := range services {
		found, err := e.Deploys.Find(ctx, query.Deploys{Service: service}, window)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			basis.AddNotice(fmt.Sprintf("%s: deploys of %s are not known: %v", j.Name, service, err))
			continue
		}
		for _, d := range found.Deploys {
			if d.Arrived && (j.Deploy == nil || d.Instant().After(j.Deploy.Instant())) {
				j.Deploy = new(deploys.Deploy)
				*j.Deploy = d
			}
		}
	}
	if j.Deploy == nil {
		return nil
	}
	// A point covers the minutes before it: the first after the deploy are of
	// both versions.
	at := int(j.Deploy.Instant().Sub(c.grid.Start) / c.grid.Step)
	before, after := journey.Over(c.steps, c.from, at), journey.Over(c.steps, at+settle, c.points())
	for i := range j.Steps {
		j.Steps[i].Before, j.Steps[i].After = before[i], after[i]
	}
	return nil
}

// settle is how many points after a deploy are left out.
const settle = 5

// findCause traces the largest loss along the calls of the step's service, by
// metrics alone.
func (e Analyst) findCause(ctx context.Context, j *Journey, window core.Window, basis *core.Provenance) error {
	if len(j.Losses) == 0 {
		return nil
	}
	loss := j.Losses[0]
	step := j.Steps[loss.Culprit]
	j.Cause, j.Why = step.Service, []string{loss.Text}
	signal := string(propagation.Failures)
	if !loss.Errors {
		signal = string(propagation.Latency)
	}
	found, err := e.Comparer.WithoutStore().RootCause(ctx, query.RootCause{Service: step.Service, Signal: signal}.WithDefaults(), window)
	var missing *core.NotFoundError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &missing):
		basis.AddNotice(fmt.Sprintf("%s: the loss was not traced to a dependency: %v", j.Name, err))
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", j.Name, err)
	}
	if m := found.Metrics; m != nil && m.Result.Verdict == propagation.Abnormal && len(m.Result.Suspects) > 0 {
		j.Cause = m.Result.Suspects[0].Service
		if len(m.Reasons) > 0 {
			j.Why = append(j.Why, m.Reasons[0]...)
		}
	}
	return nil
}
