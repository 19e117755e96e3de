package cost

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/tests/bench/environment"
	"github.com/foresight-observability/foresight/tests/harness"
)

// liveChannels is how many different live queries the viewers look at.
const liveChannels = 10

// loadQuestions are what callers ask about the shop.
type loadQuestions struct {
	source   harness.DataSource
	grafana  *httptest.Server
	client   *http.Client
	services []string
	panels   []harness.PanelQuery
	rules    []map[string]any
	engines  []string
}

func newLoadQuestions(ctx context.Context, s *environment.Environment, topology string) (*loadQuestions, error) {
	prometheus, tempo, tenant := s.Prometheus, s.Tempo, ""
	if topology == "split" {
		prometheus, tempo, tenant = s.MimirSplit, s.TempoSplit, s.Tenant
	}
	q := &loadQuestions{
		source: s.Source(map[string]any{
			"prometheus": map[string]any{"url": prometheus, "tenant": tenant},
			"traces":     map[string]any{"kind": "tempo", "url": tempo, "tenant": tenant},
			"limits":     map[string]any{"timeout": "60s"},
			"series":     []any{map[string]any{"name": "demand", "expr": `sum(rate(http_server_request_duration_seconds_count{service_name="orders"}[5m]))`}},
		}),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}},
	}
	q.grafana = httptest.NewServer(harness.Gateway{DataSources: map[string]harness.DataSource{"foresight": q.source}, Roles: map[string]string{"t": "Viewer"}})
	to := time.Now()
	frames, err := q.source.Ask(ctx, to.Add(-time.Minute), to, map[string]any{"queryType": "services"})
	if err != nil {
		return nil, err
	}
	for row := range frames[0].Rows() {
		q.services = append(q.services, harness.Text(frames[0], frames[0].Fields[0].Name, row))
	}
	for _, service := range q.services {
		panels, err := harness.PanelQueries(service)
		if err != nil {
			return nil, err
		}
		q.panels = append(q.panels, panels...)
		q.rules = append(q.rules, rulesOf(service)...)
	}
	// In any order, but the same each time.
	random := rand.New(rand.NewPCG(1, 1))
	random.Shuffle(len(q.panels), func(i, j int) { q.panels[i], q.panels[j] = q.panels[j], q.panels[i] })
	for _, promQL := range []string{
		`foresight_predicted_demand{series="demand", lead="10m"}`, `foresight_anomaly_score{series="demand"}`,
		`foresight_breach_probability{series="demand", threshold="500"}`,
	} {
		q.engines = append(q.engines, "prom/api/v1/query?query="+url.QueryEscape(promQL))
	}
	return q, nil
}

// rulesOf are fifty rules about a service's metrics: five kinds of rules about
// each of ten series.
func rulesOf(service string) (rules []map[string]any) {
	for _, quantity := range []string{
		`sum(rate(traces_spanmetrics_calls_total{service="%s"}[5m]))`,
		`sum(rate(traces_spanmetrics_calls_total{service="%s",span_kind="SPAN_KIND_SERVER"}[5m]))`,
		`sum(rate(traces_spanmetrics_calls_total{service="%s",span_kind="SPAN_KIND_CLIENT"}[5m]))`,
		`sum(rate(traces_spanmetrics_calls_total{service="%s",status_code="STATUS_CODE_ERROR"}[5m])) or vector(0)`,
		`sum(rate(traces_spanmetrics_latency_sum{service="%s"}[5m])) / sum(rate(traces_spanmetrics_latency_count{service="%[1]s"}[5m]))`,
		`histogram_quantile(0.5, sum by (le) (rate(traces_spanmetrics_latency_bucket{service="%s"}[5m])))`,
		`histogram_quantile(0.9, sum by (le) (rate(traces_spanmetrics_latency_bucket{service="%s"}[5m])))`,
		`histogram_quantile(0.99, sum by (le) (rate(traces_spanmetrics_latency_bucket{service="%s"}[5m])))`,
		`max(process_cpu_utilization_ratio{service_name="%s"})`,
		`max(process_memory_usage_bytes{service_name="%s"})`,
	} {
		expr := fmt.Sprintf(quantity, service)
		rules = append(rules,
			map[string]any{"queryType": "anomaly", "expr": expr},
			map[string]any{"queryType": "anomaly", "expr": expr, "sensitivity": 2},
			map[string]any{"queryType": "forecast", "expr": expr, "horizon": "1h"},
			map[string]any{"queryType": "breach", "expr": expr, "threshold": 1000},
			map[string]any{"queryType": "breach", "expr": expr, "threshold": 2000, "horizon": "2h"},
		)
	}
	return rules
}

func (q *loadQuestions) panel(ctx context.Context, i int) error {
	queried := q.panels[i%len(q.panels)]
	now := time.Now()
	_, err := q.source.Ask(ctx, now.Add(queried.From), now.Add(queried.To), queried.Model)
	return about(queried.Dashboard+"/"+queried.Panel, err)
}

func (q *loadQuestions) rule(ctx context.Context, i int) error {
	now := time.Now()
	model := q.rules[i%len(q.rules)]
	_, err := q.source.AskAsRule(ctx, now.Add(-time.Hour), now, model)
	return about(fmt.Sprint(model["queryType"], " of ", model["expr"]), err)
}

func (q *loadQuestions) engine(_ context.Context, i int) error {
	path := q.engines[i%len(q.engines)]
	_, err := askOnce(q.client, q.grafana.URL+harness.ResourcePath("foresight")+path)
	return about(path, err)
}

// view lets one viewer in, as Grafana does: the first of each channel runs it.
func (q *loadQuestions) view(ctx context.Context, viewer int, packet func()) error {
	service := q.services[viewer%liveChannels%len(q.services)]
	queried, err := json.Marshal(map[string]any{"seconds": 900, "query": map[string]any{
		"queryType": "anomaly", "expr": fmt.Sprintf(`sum by (span_name) (rate(traces_spanmetrics_calls_total{service="%s"}[5m])) * %d`, service, 1+viewer%liveChannels),
	}})
	if err != nil {
		return err
	}
	path, err := q.source.Channel(ctx, queried)
	if err != nil {
		return err
	}
	if _, _, err := q.source.Plugin.Subscribe(ctx, &backend.SubscribeStreamRequest{PluginContext: q.source.Context, Path: path, Data: queried}); err != nil {
		return err
	}
	packet()
	if viewer >= liveChannels {
		<-ctx.Done()
		return nil
	}
	return q.source.Plugin.RunStream(ctx, &backend.RunStreamRequest{PluginContext: q.source.Context, Path: path, Data: queried},
		func(json.RawMessage) bool { packet(); return true })
}

func about(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
