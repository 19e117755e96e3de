package signals

import (
	"slices"

	"github.com/foresight-observability/foresight/pkg/anomaly"
)

// minArriving is a change in the share of calls that arrive which is worth a word.
const minArriving = 0.1

// senders are the metrics in which callers, ingresses and proxies count what they
// send, whether it arrives or not.
var senders = slices.DeleteFunc(slices.Concat(callSources, gatewaySources), func(m callMetrics) bool { return !m.sent })

// sentNaming is how a sender's metric names the service that is called.
func sentNaming(m callMetrics) naming {
	return naming{label: m.server, host: slices.Contains([]string{"server_address", "net_peer_name"}, m.server)}
}

// sentSelectors select what is sent to a service.
func sentSelectors(service string) []string {
	selectors := make([]string, 0, len(senders))
	for _, m := range senders {
		selectors = append(selectors, m.metric+"{"+sentNaming(m).matcher(service).String()+"}")
	}
	return selectors
}

// demand is what of the calls to a service arrives: as its callers count them, and
// as its ingress does, by those of their metrics that exist, against what the
// service itself counts, or its proxy. Less demand leaves the share as it is, lost
// demand does not. Metrics that existed before come first.
func demand(before, existing []string, chosen []BoundPreset) (found []BoundPreset) {
	for _, known := range [][]string{before, existing} {
		for _, m := range senders {
			group := "callers"
			if m.onlySent() {
				group = "gateway"
			}
			if !slices.Contains(existing, m.metric) || !slices.Contains(known, m.metric) || slices.ContainsFunc(found, func(p BoundPreset) bool { return p.group == group }) {
				continue
			}
			arrived, countable := arrivedBeside(m, chosen)
			if !countable {
				continue
			}
			arrived.preset = preset{
				Demand, group, "share of calls that arrive, of " + m.about, m.metric, arrived.promQL, anomaly.Below, minArriving, 1,
			}
			arrived.sent, arrived.failed, arrived.sentNaming = rateOf(m.requests), rateOf(m.failed), sentNaming(m)
			found = append(found, arrived)
		}
	}
	return found
}

// arrivedBeside is how the requests that arrive are counted beside a sender's
// metric: by the same proxies at the other end, or by the service.
func arrivedBeside(m callMetrics, chosen []BoundPreset) (arrived BoundPreset, known bool) {
	for _, other := range slices.Concat(callSources, servedSources) {
		if other.metric == m.metric && !other.sent {
			return BoundPreset{preset: preset{promQL: rateOf(other.requests)}, naming: naming{label: other.server}}, true
		}
	}
	i := slices.IndexFunc(chosen, func(p BoundPreset) bool { return p.Kind == Traffic })
	if i < 0 {
		return BoundPreset{}, false
	}
	return BoundPreset{preset: chosen[i].preset, naming: chosen[i].naming}, true
}
