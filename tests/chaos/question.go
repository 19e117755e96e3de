package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/tests/harness"
)

// The servers by the names that messages call them.
const (
	Prometheus = "Prometheus"
	Tempo      = "Tempo"
	Grafana    = "Grafana" // whose annotations are read and written
)

// Question is one thing that the plugin is asked.
type Question struct {
	Name string
	// Needs are the servers without which there is no answer, Uses those without
	// which it says less.
	Needs, Uses []string
	// Keys name the rows of a table, Keep the columns or paths that are compared;
	// empty for all.
	Keys, Keep []string
	// Near is by what share numbers may differ: those that are about now.
	Near float64
	ask  func(ctx context.Context, on queried) (facts, []string, error)
	// holds is what is kept of what was told; nil for a question that tells
	// nothing.
	holds func(on queried) facts
}

// asked is a data source, and what there is to ask about.
type queried struct {
	harness.DataSource
	scene
	notes func() []harness.Annotation // that Grafana holds for this data source
}

// scene is the time that questions are about: a canary of orders serves since
// the middle of it.
type scene struct{ from, to time.Time }

const requests = `sum(rate(http_server_request_duration_seconds_count{service_name="orders"}[5m]))`

// failed is an error that is told to the asker: as the server's or as ours.
type failed struct {
	message string
	blamed  bool
}

func (f *failed) Error() string { return f.message }

// queries are the query types, asked as a panel does.
func queries() []Question {
	metrics := func(name string, model map[string]any) Question {
		return Question{Name: name, Needs: []string{Prometheus}, ask: panel(time.Hour, name, model, nil, nil)}
	}
	traces := func(name string, keys, keep []string, model map[string]any) Question {
		return Question{Name: name, Needs: []string{Tempo}, Uses: []string{Prometheus, Grafana}, ask: panel(0, name, model, keys, keep)}
	}
	orders := map[string]any{"service": "orders"}
	judged := []string{"verdict", "baseline_version", "candidate_version"}
	all := []Question{
		metrics("forecast", map[string]any{"expr": requests, "horizon": "30m"}),
		using(metrics("anomaly", map[string]any{"expr": requests}), Grafana),
		metrics("breach", map[string]any{"expr": requests, "threshold": 50.0}),
		metrics("composite", orders),
		{Name: "sizing", Needs: []string{Prometheus}, ask: panel(0, "sizing", orders, []string{"setting", "subject"}, []string{"recommended", "present", "lower", "upper"})},
		{Name: "impact", Needs: []string{Prometheus, Grafana}, Uses: []string{Tempo}, ask: panel(0, "impact", map[string]any{"service": "orders", "objective": requests + " > 1000"}, nil, nil)},
		traces("deploys", []string{"service", "version"}, []string{"service", "version", "previous", "arrived"}, orders),
		{Name: "announced deploys", Needs: []string{Tempo}, Uses: []string{Prometheus, Grafana},
			ask: panel(0, "deploys", map[string]any{"service": "billing"}, []string{"service", "version"}, []string{"service", "version", "source"})},
		traces("traceDiff", nil, judged, orders),
		traces("rootCause", nil, append([]string{"cause", "service", "operation"}, judged...), orders),
		traces("patterns", []string{"pattern", "service"}, []string{"pattern"}, orders),
		traces("serviceMap", []string{"id"}, []string{"id", "source", "target"}, map[string]any{"service": "checkout"}),
		{Name: "verdict", Needs: []string{Prometheus}, Uses: []string{Tempo, Grafana}, ask: panel(0, "verdict", orders, nil, judged)},
	}
	for _, name := range []string{"services", "operations", "versions"} {
		q := traces(name, nil, nil, orders)
		q.Uses = nil
		all = append(all, q)
	}
	return all
}

// panel asks a query over the scene, or over a longer time until its end.
func panel(length time.Duration, queryType string, model map[string]any, keys, keep []string) func(context.Context, queried) (facts, []string, error) {
	return func(ctx context.Context, on queried) (facts, []string, error) {
		from := on.from
		if length > 0 {
			from = on.to.Add(-length)
		}
		queried := harness.Query("A", from, on.to, with(model, map[string]any{"queryType": queryType}))
		return on.query(ctx, queried, nil, keys, keep)
	}
}

func with(model, more map[string]any) map[string]any {
	whole := maps.Clone(more)
	maps.Copy(whole, model)
	return whole
}

// query sends one query, and reads its answer or whose fault it is that there
// is none.
func (a queried) query(ctx context.Context, one backend.DataQuery, headers map[string]string, keys, keep []string) (facts, []string, error) {
	response, err := a.Plugin.Query(ctx, &backend.QueryDataRequest{PluginContext: a.Context, Queries: []backend.DataQuery{one}, Headers: headers})
	if err != nil {
		return nil, nil, err
	}
	answer := response.Responses[one.RefID]
	if answer.Error != nil {
		return nil, nil, &failed{answer.Error.Error(), answer.ErrorSource == backend.ErrorSourceDownstream}
	}
	var notices []string
	for _, frame := range answer.Frames {
		if frame.Meta != nil {
			for _, notice := range frame.Meta.Notices {
				notices = append(notices, notice.Text)
			}
		}
	}
	return ofFrames(answer.Frames, keys, keep), notices, nil
}

// rules are asked as Grafana's alerting asks: one that fires, one that records,
// one about traces.
func rules() []Question {
	rule := func(length time.Duration, model map[string]any) func(context.Context, queried) (facts, []string, error) {
		return func(ctx context.Context, on queried) (facts, []string, error) {
			from := on.from
			if length > 0 {
				from = on.to.Add(-length)
			}
			queried := harness.Query("A", from, on.to, model)
			queried.Interval, queried.MaxDataPoints = time.Second, 43200
			return on.query(ctx, queried, map[string]string{backend.FromAlertHeaderName: "true"}, nil, nil)
		}
	}
	perService := `sum by (service_name) (rate(http_server_request_duration_seconds_count[5m]))`
	return []Question{
		{Name: "alert rule", Needs: []string{Prometheus}, Uses: []string{Grafana}, ask: rule(30*time.Minute, map[string]any{"queryType": "anomaly", "expr": perService, "step": "1m"})},
		{Name: "recording rule", Needs: []string{Prometheus}, ask: rule(30*time.Minute, map[string]any{"queryType": "forecast", "format": "alert", "expr": perService, "step": "1m", "horizon": "10m"})},
		{Name: "alert rule on traces", Needs: []string{Tempo}, Uses: []string{Prometheus, Grafana}, ask: rule(0, map[string]any{"queryType": "traceDiff", "service": "orders"})},
	}
}

// routes are asked as engines, pipelines and the frontend ask.
func routes() []Question {
	prom := func(name, expr string, needs ...string) Question {
		keep := []string{"value/1"}
		return Question{Name: name, Needs: needs, Near: 0.5, ask: resource("Viewer", http.MethodGet, "prom/api/v1/query?query="+escape(expr), "", keep)}
	}
	get := func(name, path string, keep []string, needs ...string) Question {
		return Question{Name: name, Needs: needs, Near: 0.5, ask: resource("Viewer", http.MethodGet, path, "", keep)}
	}
	flagger := func(hook, service string, needs, uses []string) Question {
		call := resource("Viewer", http.MethodPost, "flagger/"+hook, `{"name":"`+service+`","namespace":"shop","phase":"Progressing"}`, []string{"status"})
		return Question{Name: "Flagger " + hook, Needs: needs, Uses: uses, ask: yesOrNo(call)}
	}
	decision := []string{"phase", "candidate", "baseline"} // how many signals there are changes with the traffic
	return []Question{
		prom("predicted demand", `foresight_predicted_demand{service="orders"}`, Prometheus),
		prom("anomaly score", `foresight_anomaly_score{service="orders"} > bool 100`, Prometheus),
		using(prom("canary verdict", `foresight_canary_verdict{service="orders"}`, Prometheus), Tempo, Grafana),
		get("KEDA", "keda/orders", []string{"value"}, Prometheus),
		using(get("verdict for Argo", "verdict?service=orders", decision, Prometheus), Tempo, Grafana),
		flagger("confirm-rollout", "catalog", []string{Prometheus}, nil),
		flagger("rollback", "orders", []string{Prometheus}, []string{Tempo, Grafana}),
		get("recommendations", "recommendations?service=orders", []string{"setting", "unit"}, Prometheus),
		using(get("impact for engines", "impact?service=orders", []string{"service", "value", "of"}, Prometheus, Grafana), Tempo),
		using(get("playbooks", "playbooks?service=orders", []string{"pattern", "action"}), Prometheus, Tempo, Grafana),
		get("names", "services", nil, Tempo),
		get("labels", "labels", nil, Prometheus),
	}
}

// using are the servers that a question can do without.
func using(q Question, servers ...string) Question {
	q.Uses = servers
	return q
}

// yesOrNo reads a no with a reason as an answer, and a no for want of an answer
// as none.
func yesOrNo(call func(context.Context, queried) (facts, []string, error)) func(context.Context, queried) (facts, []string, error) {
	return func(ctx context.Context, on queried) (facts, []string, error) {
		_, notices, err := call(ctx, on)
		var no *failed
		switch {
		case err == nil:
			return facts{"says": "yes"}, notices, nil
		case errors.As(err, &no) && no.blamed && !strings.HasPrefix(no.message, "no answer: "):
			return facts{"says": "no"}, []string{no.message}, nil
		}
		return nil, nil, err
	}
}

var escape = strings.NewReplacer(" ", "%20", "{", "%7B", "}", "%7D", `"`, "%22", ">", "%3E", "=", "%3D").Replace

// resource calls a route as a user of a role.
func resource(role, method, address, body string, keep []string) func(context.Context, queried) (facts, []string, error) {
	return func(ctx context.Context, on queried) (facts, []string, error) {
		plugin := on.Context
		plugin.User = &backend.User{Login: "sa-1", Role: role}
		path, _, _ := strings.Cut(address, "?")
		status, raw, err := on.Plugin.Resource(ctx, &backend.CallResourceRequest{
			PluginContext: plugin, Path: path, Method: method, URL: address, Body: []byte(body), Headers: map[string][]string{"Content-Type": {"application/json"}},
		})
		if err != nil {
			return nil, nil, err
		}
		return answered(status, raw, keep)
	}
}

// answered reads what a route says. Every answer is JSON, and what is no answer
// has a status that no engine takes for one.
func answered(status int, raw []byte, keep []string) (facts, []string, error) {
	said, err := ofJSON(raw, keep)
	if err != nil {
		return nil, nil, &failed{message: err.Error()}
	}
	var words struct {
		Error, Reason              string
		Warnings, Notices, Missing []string
	}
	_ = json.Unmarshal(raw, &words)
	if status != http.StatusOK {
		if words.Error == "" {
			return nil, nil, &failed{message: fmt.Sprintf("HTTP %d without a reason: %.200s", status, raw)}
		}
		return nil, nil, &failed{message: words.Error, blamed: status >= 400 && status != http.StatusInternalServerError}
	}
	said["status"] = strconv.Itoa(status)
	maps.DeleteFunc(said, func(name, _ string) bool { return strings.HasPrefix(name, "/notices/") })
	return said, slices.Concat(words.Warnings, words.Notices, words.Missing, []string{words.Reason}), nil
}

// health is asked by the settings' page: an unhealthy server is said to be.
var health = Question{Name: "health check", Needs: []string{Prometheus, Tempo}, Uses: []string{Grafana}, ask: func(ctx context.Context, on queried) (facts, []string, error) {
	result, err := on.Plugin.Health(ctx, on.Context)
	switch {
	case err != nil:
		return nil, nil, err
	case result.Status != backend.HealthStatusOk:
		return nil, nil, &failed{result.Message, true}
	}
	var notices []string
	for _, line := range strings.Split(result.Message, "\n") {
		if strings.HasPrefix(line, "Announced deploys") && !strings.Contains(line, "connected") {
			notices = append(notices, line)
		}
	}
	return facts{"status": "ok"}, notices, nil
}}

// up is the metric that says whether all servers answer.
var up = Question{Name: "foresight_up", Needs: []string{Prometheus, Tempo}, ask: func(ctx context.Context, on queried) (facts, []string, error) {
	said, warnings, err := resource("Viewer", http.MethodGet, "prom/api/v1/query?query=foresight_up", "", []string{"value/1"})(ctx, on)
	if err == nil && said["/data/result/0/value/1"] == "0" {
		return nil, nil, &failed{strings.Join(warnings, "; "), true}
	}
	return said, nil, err
}}

// Questions are all of them.
func Questions() []Question {
	return slices.Concat(queries(), rules(), routes(), writes(), []Question{up, health})
}
