package engine

import (
	"fmt"
	"time"
)

// nearBy is how long before a deploy a baseline begins at least where spans do
// not tell versions apart: who served an hour ago is then anybody's guess.
const nearBy = 10 * time.Minute

// before makes the baseline what ran immediately before a deploy: of a known
// version the latest time in which it served without interruption, else the
// time nearest to the deploy in which nothing else was deployed.
func (c *comparison) before(deploy Deploy, known DeploysAnswer) {
	if earliest := deploy.At.Add(-lookBack); earliest.After(c.baseline.Start) {
		c.baseline.Start = earliest
	}
	if !c.byVersion {
		c.baseline.End = deploy.At
		c.wider = c.baseline.Start
		for _, other := range known.Deploys {
			if at := other.instant(); other.Arrived && other.Service == deploy.Service && at.After(c.wider) && at.Before(deploy.At) {
				c.wider = at
				c.notices = append(c.notices, fmt.Sprintf("%s arrived at %s: the baseline begins there.", other.name(), clock(at)))
			}
		}
		near := max(nearBy, c.candidate.End.Sub(deploy.At))
		if c.baseline.Start = c.wider; deploy.At.Sub(c.wider) > near {
			c.baseline.Start = deploy.At.Add(-near)
		}
		return
	}
	last, interrupted, found := known.lastStretch(deploy.Service, deploy.Previous, deploy.began())
	if !found {
		return
	}
	if last.From.After(c.baseline.Start) {
		c.baseline.Start = last.From
	}
	if end := last.To.Add(settling); interrupted && end.Before(c.baseline.End) {
		c.baseline.End = end
	}
	c.preceded = fmt.Sprintf("%s, which served before, without interruption since %s", Deploy{Service: deploy.Service, Version: deploy.Previous}.name(), clock(c.baseline.Start))
}

// lastStretch is when a version served without interruption until an instant,
// and whether it was interrupted then and came back; found is false where it
// did not serve. Span metrics lag behind traces, so they have the word only on
// what searches do not show yet.
func (a *DeploysAnswer) lastStretch(service, version string, until time.Time) (last Stretch, interrupted, found bool) {
	for _, source := range [][]Deploy{a.seen, a.measured} {
		for _, d := range source {
			if d.Version != version || d.Service != service {
				continue
			}
			for _, s := range d.ran {
				switch {
				case !s.From.Before(until):
					interrupted = interrupted || found
				case !found || !s.From.Before(last.To):
					last, found = s, true
				}
			}
		}
	}
	return last, interrupted, found
}
