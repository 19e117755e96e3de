package cost

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/foresight-observability/foresight/tests/bench/runner"
	"github.com/foresight-observability/foresight/tests/harness"
)

func init() {
	runner.Register("hooks", "latency of numbers and verdicts through the plugin process, cold and under steady load", hooksLoad)
}

// hookFigures are latencies in milliseconds.
type hookFigures struct {
	ColdP50      float64 `json:"cold_p50_ms"`
	ColdMax      float64 `json:"cold_max_ms"`
	WarmP50      float64 `json:"warm_p50_ms"`
	WarmP99      float64 `json:"warm_p99_ms"`
	WarmMax      float64 `json:"warm_max_ms"`
	Requests     int     `json:"requests"`
	Failed       int     `json:"failed"`
	PerSecond    float64 `json:"per_second"`
	AskedSeconds int     `json:"seconds"`
}

// hookQuestions are what engines poll of one deployment: its demand, its
// anomaly score, a limit, and its canary, in two formats.
func hookQuestions(i int) (paths []string) {
	for _, promQL := range []string{
		`foresight_predicted_demand{series="load%d", lead="10m"}`,
		`foresight_anomaly_score{series="load%d"}`,
		`foresight_breach_probability{series="load%d", threshold="500"}`,
		`foresight_canary_verdict{service="cart%d", baseline="1", candidate="2"}`,
	} {
		paths = append(paths, "prom/api/v1/query?query="+url.QueryEscape(fmt.Sprintf(promQL, i)))
	}
	return append(paths, fmt.Sprintf("verdict?service=cart%d&baseline=1&candidate=2&window=30m", i))
}

const hookSeries = 5

// hooksLoad asks each question once, cold, and then all of them in turn at a
// steady rate. Requests are sent on time whether earlier ones were answered or
// not, so that a slow answer is not hidden by what waited for it.
func hooksLoad(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("hooks", flag.ContinueOnError)
	seconds := flags.Int("seconds", 60, "how long to ask")
	rate := flags.Int("rate", 100, "requests per second")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	plugin, err := harness.StartPlugin(context.Background(), os.Stderr)
	if err != nil {
		return nil, err
	}
	defer plugin.Stop()
	metrics := httptest.NewServer(http.HandlerFunc(rhythmServer))
	defer metrics.Close()
	var series []any
	for i := range hookSeries {
		series = append(series, map[string]any{"name": fmt.Sprintf("load%d", i), "expr": fmt.Sprintf("load * %d", i+1)})
	}
	source := harness.DataSource{Plugin: plugin, Context: harness.PluginContext(map[string]any{
		"prometheus": map[string]any{"url": metrics.URL}, "series": series,
	}, nil)}
	grafana := httptest.NewServer(harness.Gateway{DataSources: map[string]harness.DataSource{"foresight": source}, Roles: map[string]string{"t": "Viewer"}})
	defer grafana.Close()

	var queried []string
	for i := range hookSeries {
		for _, path := range hookQuestions(i) {
			queried = append(queried, grafana.URL+harness.ResourcePath("foresight")+path)
		}
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	var cold []float64
	for _, address := range queried {
		took, err := askOnce(client, address)
		if err != nil {
			return nil, err
		}
		cold = append(cold, took)
	}
	slices.Sort(cold)

	var mu sync.Mutex
	var warm []float64
	failed := 0
	var under sync.WaitGroup
	ticker := time.NewTicker(time.Second / time.Duration(*rate))
	defer ticker.Stop()
	begun := time.Now()
	for i := range *seconds * *rate {
		<-ticker.C
		under.Go(func() {
			took, err := askOnce(client, queried[i%len(queried)])
			mu.Lock()
			defer mu.Unlock()
			if warm = append(warm, took); err != nil {
				failed++
			}
		})
	}
	under.Wait()
	slices.Sort(warm)
	return hookFigures{
		ColdP50: cold[len(cold)/2], ColdMax: cold[len(cold)-1],
		WarmP50: warm[len(warm)/2], WarmP99: warm[len(warm)*99/100], WarmMax: warm[len(warm)-1],
		Requests: len(warm), Failed: failed, PerSecond: float64(len(warm)) / time.Since(begun).Seconds(), AskedSeconds: *seconds,
	}, nil
}

// askOnce is how many milliseconds a successful answer takes.
func askOnce(client *http.Client, address string) (float64, error) {
	begun := time.Now()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer t")
	response, err := client.Do(request)
	if err != nil {
		return time.Since(begun).Seconds() * 1000, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return time.Since(begun).Seconds() * 1000, err
}
