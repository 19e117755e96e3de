package ops

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// versionResource is a resource with the ways to read what share of it the
// instances of a version use.
type versionResource struct {
	name string
	signals.Probe
}

// The fullest pool of a version counts, each on average over its instances.
var versionResources = []versionResource{
	{"processor", signals.Probe{PromQL: strings.Join([]string{
		"avg by (service_version) (avg_over_time(process_cpu_utilization_ratio{$service, $versions}[$range]))",
		"avg by (service_version) (avg_over_time(jvm_cpu_recent_utilization_ratio{$service, $versions}[$range]))",
		"avg by (service_version) (avg_over_time(process_cpu_usage{$service, $versions}[$range]))",
	}, " or ")}},
	{"connection pool", signals.Probe{PromQL: strings.Join([]string{
		poolShare("db_client_connection_pool_name", `db_client_connection_count{db_client_connection_state="used", $labels}`, "db_client_connection_max{$labels}"),
		poolShare("pool_name", `db_client_connections_usage{state="used", $labels}`, "db_client_connections_max{$labels}"),
		poolShare("pool", "hikaricp_connections_active{$labels}", "hikaricp_connections_max{$labels}"),
	}, " or ")}},
}

func poolShare(pool, used, most string) string {
	mean := func(selector string) string {
		return fmt.Sprintf("avg by (service_version, %s) (avg_over_time(%s[$range]))", pool, strings.ReplaceAll(selector, "$labels", "$service, $versions"))
	}
	return fmt.Sprintf("max by (service_version) (%s / %s)", mean(used), mean(most))
}

// resourcesFor is for how long resources are looked at: a new version is busy
// with starting before.
const resourcesFor = 5 * time.Minute

// versionResources are the resources of which metrics tell the versions apart.
func (e Advisor) versionResources(ctx context.Context, c traces.Comparison, basis *core.Provenance) (found []canary.Resource, err error) {
	end := c.Candidate.End
	at := upstream.Range{Start: end, End: end, Step: time.Minute}
	versions := fmt.Sprintf("service_version=~%q", regexp.QuoteMeta(c.Baseline.Version)+"|"+regexp.QuoteMeta(c.Candidate.Version))
	for _, r := range versionResources {
		promQL := r.For(c.Candidate.Service, resourcesFor, "$versions", versions)
		set, err := e.Metrics.QueryRange(ctx, promQL, at)
		if err != nil {
			return nil, err
		}
		basis.AddQuery("%s [at %s]", promQL, core.FormatTime(end))
		basis.AddNotice(set.Warnings...)
		share := map[string]float64{c.Baseline.Version: math.NaN(), c.Candidate.Version: math.NaN()}
		for _, one := range set.Series {
			share[one.Labels["service_version"]] = one.Values[len(one.Values)-1]
		}
		one := canary.Resource{Name: r.name, Baseline: share[c.Baseline.Version], Candidate: share[c.Candidate.Version]}
		if !math.IsNaN(one.Baseline) && !math.IsNaN(one.Candidate) {
			found = append(found, one)
		}
	}
	return found, nil
}
