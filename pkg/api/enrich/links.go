package enrich

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/api/cause"
)

// TraceSource is the data source in Grafana that shows traces.
type TraceSource struct{ UID, Type string }

// linksOf are the panel and the rule of the first alerts that have them, the pair
// of traces, the runbook, and the silence.
func (a *API) linksOf(n notification, findings []cause.Finding) (links []link) {
	seen := map[string]bool{}
	add := func(title, to string) {
		if to != "" && !seen[to] && len(links) < maxLinks {
			seen[to] = true
			links = append(links, link{title, to})
		}
	}
	alerts := n.firing()
	if len(alerts) == 0 {
		alerts = n.alerts
	}
	first := func(title string, of func(alert) string) {
		for _, one := range alerts {
			if to := of(one); to != "" {
				add(title, to)
				return
			}
		}
	}
	first("Panel", func(one alert) string { return address(one.PanelURL) })
	first("Dashboard", func(one alert) string { return address(one.DashboardURL) })
	for _, f := range findings {
		add("Trace pair", a.tracePair(n, f))
	}
	first("Runbook", func(one alert) string { return address(one.Annotations["runbook_url"]) })
	first("Rule", func(one alert) string { return address(one.GeneratorURL) })
	first("Silence", func(one alert) string { return address(one.SilenceURL) })
	return links
}

// tracePair is Explore with a slow and a normal trace side by side; empty where
// there are none, or nobody knows where Grafana is.
func (a *API) tracePair(n notification, f cause.Finding) string {
	home := a.GrafanaURL
	if home == "" && n.Version == "1" {
		home = address(n.ExternalURL)
	}
	if home == "" || a.Traces.UID == "" || f.SlowTrace == "" || f.NormalTrace == "" {
		return ""
	}
	pane := func(trace string) map[string]any {
		query := map[string]any{"refId": "A", "query": trace, "datasource": map[string]any{"type": a.Traces.Type, "uid": a.Traces.UID}}
		if a.Traces.Type == "tempo" {
			query["queryType"] = "traceql"
		}
		from, to := f.Since.Add(-time.Hour).UnixMilli(), a.Now().UnixMilli()
		return map[string]any{"datasource": a.Traces.UID, "queries": []any{query}, "range": map[string]any{"from": from, "to": to}}
	}
	panes, err := json.Marshal(map[string]any{"baseline": pane(f.NormalTrace), "candidate": pane(f.SlowTrace)})
	if err != nil {
		return ""
	}
	return address(strings.TrimRight(home, "/") + "/explore?schemaVersion=1&panes=" + url.QueryEscape(string(panes)))
}
