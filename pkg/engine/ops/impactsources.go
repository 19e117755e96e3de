package ops

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/series"
)

// What metrics are asked of an impact, by place.
const (
	queryObjective = iota
	queryAlerts
	queryAborts   // of Argo Rollouts
	queryCanaries // of Flagger
	queryFails    // what our verdict failed, as either engine or a recording rule tells it
	queryRollouts // whether there is such an engine at all
	queryWarnings
	queryDemand
	queryReplicas
	queryCount
)

const (
	// failBefore is how long before a rollback our fail may be.
	failBefore = 30 * time.Minute
	// warned is the recorded probability from which on there is a warning.
	warned = 0.5
)

// expressions are the questions in PromQL; empty for one that is not asked.
func (h *recordBuilder) expressions() []string {
	q := h.query
	queried := make([]string, queryCount)
	named := `alertname!=""`
	if q.Alerts != "" {
		named = "alertname=~" + strconv.Quote(q.Alerts)
	}
	queried[queryObjective] = q.Objective
	queried[queryAlerts] = byServices("max", fmt.Sprintf(
		`ALERTS{alertstate="firing", %s} or GRAFANA_ALERTS{grafana_alertstate=~"alerting|recovering", %[1]s}`, named), "alertname", "horizon")
	queried[queryAborts] = `sum by (namespace, name) (rollout_events_total{reason="RolloutAborted"})`
	queried[queryCanaries] = "max by (namespace, name) (flagger_canary_status)"
	// A score of 0 is a fail, as is a verdict of -1.
	queried[queryFails] = `max by (namespace, name) (analysis_run_metric_phase{metric=~"(?i).*foresight.*", phase="Failed", dry_run!="true"} == 1)` +
		` or max by (namespace, name) (flagger_canary_metric_analysis{metric=~"(?i).*foresight.*"} <= bool 0 > 0)` +
		" or " + byServices("max", "foresight_canary_verdict == -1")
	queried[queryRollouts] = "count(rollout_info) or count(flagger_canary_status)"
	queried[queryWarnings] = byServices("max", "foresight_breach_probability", "horizon")
	queried[queryDemand], queried[queryReplicas] = q.Demand, q.Replicas
	return queried
}

// counts tells whether an alert is one of those asked about.
func (h *recordBuilder) counts(alert string) bool {
	pattern, err := regexp.Compile("^(?:" + h.query.Alerts + ")$")
	return h.query.Alerts == "" || err == nil && pattern.MatchString(alert)
}

// alerts adds the episodes of metrics. Annotations only tell of alerts that
// metrics do not know.
func (h *recordBuilder) alerts(all []series.Series) {
	var episodes []impact.Episode
	known := map[string]bool{}
	for _, one := range all {
		name, service := one.Labels["alertname"], ServiceOf(one.Labels)
		known[name] = true
		if service != "" && !h.concerns(service) {
			continue
		}
		for _, s := range stretches(one, func(value float64) bool { return value > 0 }) {
			episodes = append(episodes, impact.Episode{Alert: name, Service: service, Start: s.start, End: s.end, Firing: s.ongoing, Horizon: horizonOf(one.Labels)})
		}
	}
	for _, noted := range h.record.Episodes {
		if !known[noted.Alert] {
			episodes = append(episodes, noted)
		}
	}
	h.record.Episodes = joinEpisodes(episodes)
}

// joinEpisodes makes those of one alert and service that overlap one.
func joinEpisodes(episodes []impact.Episode) (joined []impact.Episode) {
	slices.SortStableFunc(episodes, func(a, b impact.Episode) int {
		return cmp.Or(cmp.Compare(a.Alert, b.Alert), cmp.Compare(a.Service, b.Service), a.Start.Compare(b.Start))
	})
	for _, next := range episodes {
		if n := len(joined); n > 0 {
			last := &joined[n-1]
			if last.Alert == next.Alert && last.Service == next.Service && next.Start.Sub(last.End) < refractory {
				last.Horizon, last.Firing = max(last.Horizon, next.Horizon), last.Firing || next.Firing
				if next.End.After(last.End) {
					last.End = next.End
				}
				continue
			}
		}
		joined = append(joined, next)
	}
	slices.SortStableFunc(joined, func(a, b impact.Episode) int { return a.Start.Compare(b.Start) })
	return joined
}

// horizonOf is how far ahead an alert or a warning looks, as its label says.
func horizonOf(labels series.Labels) time.Duration {
	horizon, err := model.ParseDuration(labels["horizon"])
	if err != nil {
		return 0
	}
	return time.Duration(horizon)
}

// rollouts reads what Argo Rollouts aborted and Flagger failed. The names of a
// rollout and of a canary's target stand for the service.
func (h *recordBuilder) rollouts(aborts, canaries, fails, known []series.Series) {
	h.record.RollbacksKnown = len(known) > 0
	add := func(service string, at time.Time) {
		if h.concerns(service) {
			h.record.Rollbacks = append(h.record.Rollbacks, impact.Rollback{Service: service, At: at, ByFail: failed(fails, service, at)})
		}
	}
	for _, one := range aborts {
		for i := 1; i < one.Len(); i++ {
			// The counter comes to be with its first event.
			if before := one.Values[i-1]; one.Values[i] > before || math.IsNaN(before) && one.Values[i] > 0 {
				add(one.Labels["name"], one.Time(i))
			}
		}
	}
	for _, one := range canaries {
		for i := 1; i < one.Len(); i++ {
			if one.Values[i] == 2 && one.Values[i-1] != 2 && !math.IsNaN(one.Values[i-1]) {
				add(one.Labels["name"], one.Time(i))
			}
		}
	}
}

// failed tells whether a verdict of ours failed a service shortly before. The
// runs of an analysis are named after their rollout.
func failed(fails []series.Series, service string, at time.Time) bool {
	return slices.ContainsFunc(fails, func(one series.Series) bool {
		name := cmp.Or(one.Labels["name"], ServiceOf(one.Labels))
		if name != service && !strings.HasPrefix(one.Labels["name"], service+"-") {
			return false
		}
		for i, value := range one.Values {
			if t := one.Time(i); !math.IsNaN(value) && !t.After(at) && at.Sub(t) <= failBefore {
				return true
			}
		}
		return false
	})
}

// warnings begin where the recorded probability of a breach rises above one
// half; the next begins after the horizon of the one before.
func (h *recordBuilder) warnings(all []series.Series) {
	for _, one := range all {
		service, horizon := ServiceOf(one.Labels), horizonOf(one.Labels)
		if service == "" || horizon == 0 || !h.concerns(service) {
			continue
		}
		var quiet time.Time
		above := true // a warning that began before the window is not one of it
		for i, value := range one.Values {
			if math.IsNaN(value) {
				continue
			}
			if value >= warned && value <= 1 && !above && !one.Time(i).Before(quiet) {
				quiet = one.Time(i).Add(horizon)
				h.record.Warnings = append(h.record.Warnings, impact.Warning{Service: service, At: one.Time(i), Horizon: horizon, Probability: value})
			}
			above = value >= warned
		}
	}
}

// scaled puts the load of each service beside its replicas.
func (h *recordBuilder) scaled(demand, replicas []series.Series) {
	for _, load := range demand {
		service := h.serviceOf(load.Labels)
		if service == "" || !h.concerns(service) {
			continue
		}
		for _, there := range replicas {
			if h.serviceOf(there.Labels) == service {
				h.record.Scaled = append(h.record.Scaled, impact.Scaled{
					Service: service, Start: load.Start, Step: load.Step, Demand: load.Values, Replicas: there.Values, PerReplica: h.query.PerReplica})
				break
			}
		}
	}
}
