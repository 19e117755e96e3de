package attack

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/tests/harness"
)

// relatives are further ways of the same kinds: other functions and nestings,
// other routes and bodies, other kinds of queries.
var relatives = map[string]func(*client, context.Context){
	"values as labels": func(c *client, ctx context.Context) {
		c.promQL(ctx, nested(`count_values("l", %s)`, `foresight_anomaly_score{series="many"}`, 1+c.random.IntN(100)))
	},
	"long labels of the other side": func(c *client, ctx context.Context) {
		long := `label_replace(vector(1), "a", "` + strings.Repeat("x", 15_000) + `", "", "")`
		c.promQL(ctx, nested(`(%s) * on () group_left (a) `+`vector(1)`, `foresight_anomaly_score{series="many"} * on () group_left (a) `+long, c.random.IntN(100)))
	},
	"other times": func(c *client, ctx context.Context) {
		c.promQL(ctx, fmt.Sprintf(`max_over_time(foresight_anomaly_score{series="many"}[%dd] offset %dd) + foresight_forecast{series="many"} @ %d`,
			1+c.random.IntN(3000), c.random.IntN(5000)-2500, c.random.IntN(2_000_000_000)))
	},
	"subqueries of selected series": func(c *client, ctx context.Context) {
		c.promQL(ctx, fmt.Sprintf(`quantile_over_time(0.5, quantile_over_time(0.5, foresight_anomaly_score{series="many"}[%dm])[%dm:1m])`, 1+c.random.IntN(600), 1+c.random.IntN(600)))
	},
	"orders of everything": func(c *client, ctx context.Context) {
		c.promQL(ctx, nested(`topk(1e9, sort_desc(%s))`, `foresight_anomaly_score{series="many"}`, 1+c.random.IntN(60)))
	},
	"matchers": func(c *client, ctx context.Context) {
		c.promQL(ctx, `foresight_anomaly_score{series="many", i=~"`+strings.Repeat("(a|b)?", 500)+strings.Repeat("a", 500)+`", i!~"`+strings.Repeat(".*x", 400)+`"}`)
	},
	"a union of selections": func(c *client, ctx context.Context) {
		var parts []string
		for range 1 + c.random.IntN(60) {
			parts = append(parts, fmt.Sprintf(`foresight_predicted_demand{series="many", lead="%dm"}`, 1+c.random.IntN(1000)))
		}
		c.promQL(ctx, strings.Join(parts, " or "))
	},
	"long sums":         func(c *client, ctx context.Context) { c.promQL(ctx, strings.Repeat("1+", 8000)+"1") },
	"signs and spaces":  func(c *client, ctx context.Context) { c.promQL(ctx, strings.Repeat("- + ", 4000)+"1") },
	"comments":          func(c *client, ctx context.Context) { c.promQL(ctx, strings.Repeat("-#\n", 5000)+"1") },
	"text that is none": func(c *client, ctx context.Context) { c.promQL(ctx, strings.Repeat("\xff\"{", 5000)) },
	"nested JSON in bodies": func(c *client, ctx context.Context) {
		c.post(ctx, []string{"live", "signals", "verdict", "hooks/deploy", "hooks/alert", "feedback", "playbooks", "flagger/event"}[c.random.IntN(8)], nestedBody())
	},
	"compressed bodies": func(c *client, ctx context.Context) {
		source := c.asViewer()
		status, _, err := source.Plugin.Resource(ctx, &backend.CallResourceRequest{
			PluginContext: source.Context, Method: "POST", Path: "verdict", URL: "verdict", Body: compressedBody(),
			Headers: map[string][]string{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}},
		})
		if err == nil && status >= 400 {
			err = fmt.Errorf("HTTP %d", status)
		}
		c.counts.add(err)
	},
	"many custom signals": func(c *client, ctx context.Context) {
		var signals []any
		for i := range 2000 {
			signals = append(signals, map[string]any{"name": strconv.Itoa(i), "kind": "latency", "expr": fmt.Sprintf(`many{s="$service"} + 0 * %d`, i)})
		}
		body, _ := json.Marshal(map[string]any{"service": "shop", "signals": signals})
		c.post(ctx, "signals", string(body))
	},
	"health checks": func(c *client, ctx context.Context) {
		source := c.asViewer()
		_, err := source.Plugin.Health(ctx, source.Context)
		c.counts.add(err)
	},
	"fine and long": func(c *client, ctx context.Context) {
		source := c.asViewer()
		query := harness.Query("A", time.Now().Add(-90*24*time.Hour), time.Now(), map[string]any{"queryType": "anomaly", "expr": c.unique("few")})
		query.Interval, query.MaxDataPoints = time.Second, 10_000_000
		answers, err := source.AskAll(ctx, query)
		if err == nil {
			err = answers["A"].Error
		}
		c.counts.add(err)
	},
	"costly models": func(c *client, ctx context.Context) {
		c.query(ctx, map[string]any{"queryType": "forecast", "expr": c.unique("many"), "model": []string{"prophet", "arima", "auto"}[c.random.IntN(3)], "history": "60d", "horizon": "7d"})
	},
	"other kinds of queries": func(c *client, ctx context.Context) {
		c.query(ctx, map[string]any{"queryType": []string{"composite", "impact", "sizing", "verdict", "deploys", "incident", "breach", "services", "operations", "versions"}[c.random.IntN(10)],
			"service": "shop", "expr": c.unique("many"), "threshold": 500})
	},
	"long names": func(c *client, ctx context.Context) {
		c.query(ctx, map[string]any{"queryType": []string{"composite", "traceDiff", "serviceMap", "operations"}[c.random.IntN(4)], "service": largeBody()})
	},
	"many services": func(c *client, ctx context.Context) {
		var names []string
		for range 5000 {
			names = append(names, fmt.Sprint("s", c.random.IntN(1<<30)))
		}
		c.query(ctx, map[string]any{"queryType": []string{"composite", "traceDiff", "anomaly"}[c.random.IntN(3)], "service": "{" + strings.Join(names, ",") + "}", "expr": "line{service=~\"$service\"}", "services": names})
	},
	"nested queries": func(c *client, ctx context.Context) {
		c.query(ctx, map[string]any{"queryType": "anomaly", "expr": strings.Repeat("(", 5000) + "many" + strings.Repeat(")", 5000),
			"filters": []any{map[string]any{"key": "a", "value": "b"}}})
	},
	"wide channels": func(c *client, ctx context.Context) {
		question, _ := json.Marshal(map[string]any{"query": map[string]any{"queryType": "anomaly", "expr": c.unique("many")}, "seconds": 3600 * (1 + c.random.IntN(20))})
		source := c.asViewer()
		path, err := source.Channel(ctx, question)
		if err != nil {
			c.counts.add(err)
			return
		}
		for range 3 { // streams that come and go
			brief, cancel := context.WithTimeout(ctx, time.Duration(c.random.IntN(3000))*time.Millisecond)
			err := source.Plugin.RunStream(brief, &backend.RunStreamRequest{PluginContext: source.Context, Path: path, Data: question}, func(json.RawMessage) bool { return c.random.IntN(2) == 0 })
			cancel()
			c.counts.add(err)
		}
	},
}

var (
	nestedBody     = sync.OnceValue(func() string { return `{"version":` + strings.Repeat("[", 900<<10) })
	compressedBody = sync.OnceValue(func() []byte {
		var body bytes.Buffer
		compressed := gzip.NewWriter(&body)
		for range 256 {
			_, _ = compressed.Write(make([]byte, 1<<20))
		}
		_ = compressed.Close()
		return body.Bytes()
	})
)
