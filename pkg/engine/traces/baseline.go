// Package traces compares, explains and maps traces from the trace store.
package traces

import (
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
)

// nearBy is how long before a deploy a baseline begins at least where spans do
// not distinguish versions: who served an hour ago is then anybody's guess.
const nearBy = 10 * time.Minute

// before makes the baseline what ran immediately before a deploy: of a known
// version the latest time in which it served without interruption, else the
// time nearest to the deploy in which nothing else was deployed.
func (c *Comparison) before(deploy deploys.Deploy, known deploys.Answer) {
	if earliest := deploy.At.Add(-lookBack); earliest.After(c.Baseline.Start) {
		c.Baseline.Start = earliest
	}
	if !c.ByVersion {
		c.Baseline.End = deploy.At
		c.wider = c.Baseline.Start
		for _, other := range known.Deploys {
			if at := other.Instant(); other.Arrived && other.Service == deploy.Service && at.After(c.wider) && at.Before(deploy.At) {
				c.wider = at
				c.Notices = append(c.Notices, fmt.Sprintf("%s arrived at %s: the baseline begins there.", other.Name(), core.FormatTime(at)))
			}
		}
		near := max(nearBy, c.Candidate.End.Sub(deploy.At))
		if c.Baseline.Start = c.wider; deploy.At.Sub(c.wider) > near {
			c.Baseline.Start = deploy.At.Add(-near)
		}
		return
	}
	last, interrupted, found := known.LastServing(deploy.Service, deploy.Previous, deploy.Start())
	if !found {
		return
	}
	if last.From.After(c.Baseline.Start) {
		c.Baseline.Start = last.From
	}
	if end := last.To.Add(settling); interrupted && end.Before(c.Baseline.End) {
		c.Baseline.End = end
	}
	c.preceded = fmt.Sprintf("%s, which served before, without interruption since %s", deploys.Deploy{Service: deploy.Service, Version: deploy.Previous}.Name(), core.FormatTime(c.Baseline.Start))
}
