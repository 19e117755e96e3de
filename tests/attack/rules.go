package attack

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/tests/harness"
)

const (
	// distinct is how many rules there are; each is evaluated again and again, as
	// rules are.
	distinct = 40
	// evaluation is how long Grafana waits for a rule.
	evaluation = 30 * time.Second
)

// rules are evaluated as Grafana's alerting does, and an engine polls a number.
type rules struct {
	sources []harness.DataSource

	mu                  sync.Mutex
	queried, missed     int
	polled, pollsMissed int
	took                []float64 // seconds
	misses              []string
}

// evaluate asks what a rule asks.
func (r *rules) evaluate(ctx context.Context, i int) error {
	ctx, cancel := context.WithTimeout(ctx, evaluation)
	defer cancel()
	model := map[string]any{"queryType": "anomaly", "expr": fmt.Sprintf("rule%d", i%distinct), "history": "2d"}
	if i%2 == 1 {
		model = map[string]any{"queryType": "breach", "expr": fmt.Sprintf("rule%d", i%distinct), "threshold": 500, "history": "2d"}
	}
	to := time.Now()
	frames, err := r.sources[i%len(r.sources)].AskAsRule(ctx, to.Add(-30*time.Minute), to, model)
	if err == nil && len(frames) == 0 {
		err = fmt.Errorf("no frame")
	}
	return err
}

// warmUp evaluates every rule once: what it learns is learned once a day.
func (r *rules) warmUp(ctx context.Context) error {
	for i := range 2 * distinct {
		if err := r.evaluate(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// run evaluates rules at a steady rate, whether earlier ones have ended or not.
func (r *rules) run(ctx context.Context, perMinute int) {
	var evaluations sync.WaitGroup
	defer evaluations.Wait()
	ticks := time.NewTicker(time.Minute / time.Duration(max(perMinute, 1)))
	defer ticks.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		evaluations.Go(func() {
			begun := time.Now()
			err := r.evaluate(context.WithoutCancel(ctx), i)
			took := time.Since(begun).Seconds()
			r.mu.Lock()
			defer r.mu.Unlock()
			r.queried++
			r.took = append(r.took, took)
			if err != nil {
				if r.missed++; len(r.misses) < 5 {
					r.misses = append(r.misses, err.Error())
				}
			}
		})
	}
}

// poll asks for a number as an autoscaler does.
func (r *rules) poll(ctx context.Context) {
	source := r.sources[0]
	source.Context.User = &backend.User{Login: "sa-1-keda", Role: "Viewer"}
	path := "prom/api/v1/query?query=" + url.QueryEscape(`foresight_predicted_demand{series="demand"}`)
	for ctx.Err() == nil {
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), evaluation)
		status, body, err := source.Plugin.Resource(asking, &backend.CallResourceRequest{PluginContext: source.Context, Method: http.MethodGet, Path: "prom/api/v1/query", URL: path})
		cancel()
		r.mu.Lock()
		r.polled++
		if err != nil || status != http.StatusOK {
			if r.pollsMissed++; len(r.misses) < 5 {
				r.misses = append(r.misses, fmt.Sprintf("engine: HTTP %d %s %v", status, body, err))
			}
		}
		r.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}
