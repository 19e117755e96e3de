package attack

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/tests/harness"
)

// client is a Viewer who means no good.
type client struct {
	source harness.DataSource
	random *rand.Rand
	number int
	counts *counts
}

// attacks are the ways to make the plugin work, each under its name.
var attacks = union(direct, relatives)

func union(sets ...map[string]func(*client, context.Context)) map[string]func(*client, context.Context) {
	all := map[string]func(*client, context.Context){}
	for _, set := range sets {
		maps.Copy(all, set)
	}
	return all
}

// direct are those of the report that the limits go back to.
var direct = map[string]func(*client, context.Context){
	"labels that multiply": func(c *client, ctx context.Context) { c.promQL(ctx, multiplying(1+c.random.IntN(6))) },
	"labels that join": func(c *client, ctx context.Context) {
		expr := `label_replace(vector(1), "a", "` + strings.Repeat("x", 1000) + `", "", "")`
		for range 1 + c.random.IntN(4) {
			expr = `label_join(` + expr + `, "a", "", ` + strings.Repeat(`"a",`, 40) + `"a")`
		}
		c.promQL(ctx, expr)
	},
	"labels of selected series": func(c *client, ctx context.Context) {
		c.promQL(ctx, `label_replace(foresight_anomaly_score{series="many"}, "b", "`+strings.Repeat("$1", 14)+`", "i", "(.*)")`)
	},
	"nested subqueries": func(c *client, ctx context.Context) {
		c.promQL(ctx, nested(`quantile_over_time(0.5, %s[1000m:1m])`, "vector(1)", 1+c.random.IntN(150)))
	},
	"subqueries within the limits": func(c *client, ctx context.Context) {
		c.promQL(ctx, nested(`quantile_over_time(0.5, %s[500m:1m])`, "vector(1)", 1+c.random.IntN(25)))
	},
	"deep brackets": func(c *client, ctx context.Context) { c.post(ctx, "prom/api/v1/query", deepBrackets()) },
	"signs":         func(c *client, ctx context.Context) { c.post(ctx, "prom/api/v1/query", signs()) },
	"unions":        func(c *client, ctx context.Context) { c.promQL(ctx, strings.Repeat("vector(1) or ", 1000)+"vector(1)") },
	"regular expressions": func(c *client, ctx context.Context) {
		c.promQL(ctx, `label_replace(vector(1), "a", "$1", "b", "((((a{1,30}){1,30})*)*)*")`)
	},
	"a huge list": func(c *client, ctx context.Context) {
		c.post(ctx, "prom/api/v1/query", hugeList())
	},
	"a huge value": func(c *client, ctx context.Context) {
		c.post(ctx, "prom/api/v1/query", hugeValue())
	},
	"many selectors": func(c *client, ctx context.Context) {
		c.get(ctx, "prom/api/v1/series?"+strings.Repeat("match%5B%5D=foresight_up&", 9000))
	},
	"many questions": func(c *client, ctx context.Context) {
		c.promQL(ctx, fmt.Sprintf(`sum(foresight_forecast{series="many", lead=~"%dm|%dm|%dm|%dm"})`, c.random.IntN(600)+1, c.random.IntN(600)+1, c.random.IntN(600)+1, c.random.IntN(600)+1))
	},
	"slow queries":     func(c *client, ctx context.Context) { c.anomaly(ctx, c.unique("slow"), nil) },
	"a million series": func(c *client, ctx context.Context) { c.anomaly(ctx, c.unique("million"), nil) },
	"wide labels": func(c *client, ctx context.Context) {
		c.query(ctx, map[string]any{"queryType": "forecast", "expr": c.unique("wide"), "legend": strings.Repeat("{{a}}", 204)})
	},
	"a bomb":      func(c *client, ctx context.Context) { c.anomaly(ctx, c.unique("bomb"), nil) },
	"nested JSON": func(c *client, ctx context.Context) { c.anomaly(ctx, c.unique("nested"), nil) },
	"a slow body": func(c *client, ctx context.Context) { c.anomaly(ctx, c.unique("trickle"), nil) },
	"wide frames": func(c *client, ctx context.Context) {
		c.anomaly(ctx, c.unique("many"), map[string]any{"history": "7d"})
	},
	"filters": func(c *client, ctx context.Context) {
		var filters []any
		for range 50 {
			filters = append(filters, map[string]any{"key": "a", "value": strings.Repeat("x", 1000)})
		}
		c.anomaly(ctx, "a"+strings.Repeat("+a", 1+c.random.IntN(32_000)), map[string]any{"filters": filters})
	},
	"thousands of queries": func(c *client, ctx context.Context) {
		var queries []backend.DataQuery
		for i := range 1 + c.random.IntN(3000) {
			queries = append(queries, harness.Query(strconv.Itoa(i), time.Now().Add(-time.Hour), time.Now(), map[string]any{"queryType": "anomaly", "expr": c.unique("line")}))
		}
		answers, err := c.asViewer().AskAll(ctx, queries...)
		c.counts.add(err)
		for _, one := range answers {
			c.counts.add(one.Error)
		}
	},
	"cyclic and giant traces": func(c *client, ctx context.Context) {
		c.query(ctx, map[string]any{"queryType": []string{"serviceMap", "patterns", "traceDiff", "rootCause"}[c.random.IntN(4)], "service": "shop"})
	},
	"large bodies": func(c *client, ctx context.Context) {
		c.post(ctx, []string{"live", "signals", "verdict", "prom/api/v1/query"}[c.random.IntN(4)], largeBody())
	},
	"messages beyond the limit": func(c *client, ctx context.Context) { c.post(ctx, "live", strings.Repeat("x", 6<<20)) },
	"names": func(c *client, ctx context.Context) {
		c.get(ctx, []string{"services", "labels", "labels/job", "versions?service=shop", "operations?service=.."}[c.random.IntN(5)])
	},
	"live channels": func(c *client, ctx context.Context) {
		question, _ := json.Marshal(map[string]any{"query": map[string]any{"queryType": "anomaly", "expr": c.unique("line")}, "seconds": 3600})
		source := c.asViewer()
		path, err := source.Channel(ctx, question)
		if err != nil {
			c.counts.add(err)
			return
		}
		_, _, err = source.Plugin.Subscribe(ctx, &backend.SubscribeStreamRequest{PluginContext: source.Context, Path: path, Data: question})
		c.counts.add(err)
		ctx, cancel := context.WithTimeout(ctx, time.Duration(c.random.IntN(2000))*time.Millisecond)
		defer cancel()
		_ = source.Plugin.RunStream(ctx, &backend.RunStreamRequest{PluginContext: source.Context, Path: path, Data: question}, func(json.RawMessage) bool { return true })
	},
}

// What is long is made once: the clients must not be what keeps the rules waiting.
var (
	deepBrackets = form(func() string { return nested("(%s)", "1", 200_000) })
	signs        = form(func() string { return strings.Repeat("-", 15_000) + "vector(1)" })
	hugeList     = form(func() string { return `foresight_anomaly_score{series=~"` + strings.Repeat("x|", 100_000) + `y"}` })
	hugeValue    = form(func() string { return `foresight_anomaly_score{series="` + strings.Repeat("x", 900<<10) + `"}` })
	largeBody    = sync.OnceValue(func() string { return strings.Repeat("x", 900<<10) })
)

func form(expr func() string) func() string {
	return sync.OnceValue(func() string { return "query=" + url.QueryEscape(expr()) })
}

// names of attacks, in an order that does not change.
func names() []string { return slices.Sorted(maps.Keys(attacks)) }

func multiplying(times int) string {
	expr := `label_replace(vector(1), "a", "` + strings.Repeat("x", 1000) + `", "", "")`
	for range times {
		expr = `label_replace(` + expr + `, "a", "` + strings.Repeat("$1", 500) + `", "a", "(.*)")`
	}
	return expr
}

func nested(pattern, innermost string, times int) string {
	before, after, _ := strings.Cut(pattern, "%s")
	return strings.Repeat(before, times) + innermost + strings.Repeat(after, times)
}

// unique is an expression that no cache knows.
func (c *client) unique(kind string) string {
	return fmt.Sprintf("%s + 0 * %d", kind, c.random.Int64N(1<<40))
}

// asViewer is the data source as the client's user asks it.
func (c *client) asViewer() harness.DataSource {
	source := c.source
	source.Context.User = &backend.User{Login: fmt.Sprintf("viewer%d", c.number%10), Role: "Viewer"}
	return source
}

func (c *client) query(ctx context.Context, model map[string]any) {
	_, err := c.asViewer().Ask(ctx, time.Now().Add(-6*time.Hour), time.Now(), model)
	c.counts.add(err)
}

func (c *client) anomaly(ctx context.Context, expr string, more map[string]any) {
	model := map[string]any{"queryType": "anomaly", "expr": expr}
	maps.Copy(model, more)
	c.query(ctx, model)
}

func (c *client) promQL(ctx context.Context, expr string) {
	if c.random.IntN(2) == 0 {
		c.post(ctx, "prom/api/v1/query", "query="+url.QueryEscape(expr))
		return
	}
	now := time.Now().Unix()
	c.post(ctx, "prom/api/v1/query_range", fmt.Sprintf("start=%d&end=%d&step=60&query=%s", now-3600, now, url.QueryEscape(expr)))
}

func (c *client) get(ctx context.Context, path string) { c.resource(ctx, "GET", path, nil) }

func (c *client) post(ctx context.Context, path, body string) {
	c.resource(ctx, "POST", path, []byte(body))
}

func (c *client) resource(ctx context.Context, method, path string, body []byte) {
	source := c.asViewer()
	status, _, err := source.Plugin.Resource(ctx, &backend.CallResourceRequest{
		PluginContext: source.Context, Method: method, Path: strings.Split(path, "?")[0], URL: path, Body: body,
		Headers: map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}},
	})
	if err == nil && status >= 400 {
		err = fmt.Errorf("HTTP %d", status)
	}
	c.counts.add(err)
}
