package ops

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// versionResource is a resource with the ways to read what share of it the
// instances of a version use.
type versionResource struct {
	name string
	signals.Probe
}

// The fullest pool of a version counts, each on average over its instances.
var versionResources = []versionResource{
	{"processor", signals.Probe{PromQL: signals.FirstOf(wellknown.CPUShares, func(gauge string) string {
		return "avg by (" + wellknown.VersionLabel + ") (avg_over_time(" + gauge + "[1m]))"
	})}},
	{"connection pool", signals.Probe{PromQL: signals.OfPools(func(p wellknown.Pool) string {
		mean := func(selector string) string {
			return fmt.Sprintf("avg by (%s, %s) (avg_over_time(%s[1m]))", wellknown.VersionLabel, p.Label, selector)
		}
		return fmt.Sprintf("max by (%s) (%s / %s)", wellknown.VersionLabel, mean(p.Used), mean(p.Max))
	})}},
}

// resourcesFor is for how long resources are looked at: a new version is busy
// with starting before.
const resourcesFor = 5 * time.Minute

// versionResources are the resources of which metrics distinguish the versions.
func (e Advisor) versionResources(ctx context.Context, c traces.Comparison, basis *core.Provenance) (found []canary.Resource, err error) {
	end := c.Candidate.End
	at := upstream.Range{Start: end, End: end, Step: time.Minute}
	versions := labels.MustNewMatcher(labels.MatchRegexp, wellknown.VersionLabel, regexp.QuoteMeta(c.Baseline.Version)+"|"+regexp.QuoteMeta(c.Candidate.Version))
	for _, r := range versionResources {
		promQL := r.For(c.Candidate.Service, resourcesFor, versions)
		set, err := e.Metrics.QueryRange(ctx, promQL, at)
		if err != nil {
			return nil, err
		}
		basis.AddQuery("%s [at %s]", promQL, core.FormatTime(end))
		basis.AddNotice(set.Warnings...)
		share := map[string]float64{c.Baseline.Version: math.NaN(), c.Candidate.Version: math.NaN()}
		for _, one := range set.Series {
			share[one.Labels[wellknown.VersionLabel]] = one.Values[len(one.Values)-1]
		}
		one := canary.Resource{Name: r.name, Baseline: share[c.Baseline.Version], Candidate: share[c.Candidate.Version]}
		if !math.IsNaN(one.Baseline) && !math.IsNaN(one.Candidate) {
			found = append(found, one)
		}
	}
	return found, nil
}
