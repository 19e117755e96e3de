// Package attack abuses a running plugin in every way that a Viewer can, while
// alert rules are evaluated, and tells how both fared.
package attack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/foresight-observability/foresight/tests/harness"
)

// Options say how hard, and for how long.
type Options struct {
	Duration       time.Duration
	Clients        int
	RulesPerMinute int
	// Only names one attack; empty for all of them.
	Only string
	// Log takes the plugin's warnings.
	Log io.Writer
}

// limitBytes is what the process may have of memory that can be written.
const limitBytes = 1 << 30

// Result is how the process and the rules fared.
type Result struct {
	Survived bool `json:"survived"`
	// RulesMissed had an error, or no answer within a rule's thirty seconds.
	RulesMissed int `json:"rules_missed"`
	// RulesLateP99 is how long rules took beyond their upstream, which answers at
	// once.
	RulesLateP99 float64 `json:"rules_late_p99_seconds"`
	RulesLateMax float64 `json:"rules_late_max_seconds"`
	// MemoryMiB is the most that the process had in memory.
	MemoryMiB       float64 `json:"memory_mib"`
	Rules           int     `json:"rules"`
	Engines         int     `json:"engines"`
	EnginesMissed   int     `json:"engines_missed"`
	Requests        int64   `json:"requests"`
	Refused         int64   `json:"refused"`
	Goroutines      int     `json:"goroutines_before"`
	GoroutinesAfter int     `json:"goroutines_after"`
	// Misses are the errors of the first rules that were missed.
	Misses []string `json:"misses,omitempty"`
}

// counts are how many requests were answered, and how many refused.
type counts struct{ requests, refused atomic.Int64 }

func (c *counts) add(err error) {
	c.requests.Add(1)
	if err != nil {
		c.refused.Add(1)
	}
}

// Run attacks a plugin process of its own.
func Run(ctx context.Context, o Options) (Result, error) {
	plugin, err := harness.StartPlugin(ctx, o.Log)
	if err != nil {
		return Result{}, err
	}
	defer plugin.Stop()
	if err := limitMemory(plugin.PID(), limitBytes); err != nil {
		return Result{}, err
	}
	server := httptest.NewServer(&upstream{})
	defer server.Close()
	source := func() harness.DataSource {
		return harness.DataSource{Plugin: plugin, Context: harness.PluginContext(map[string]any{
			"prometheus": map[string]any{"url": server.URL},
			"traces":     map[string]any{"url": server.URL, "kind": "jaeger"},
			"limits":     map[string]any{"timeout": "10s"},
			"series":     []any{map[string]any{"name": "many", "expr": "many"}, map[string]any{"name": "demand", "expr": "demand"}},
		}, nil)}
	}
	attacked, other := source(), source()

	rules := &rules{sources: []harness.DataSource{attacked, other}}
	if err := rules.warmUp(ctx); err != nil {
		return Result{}, fmt.Errorf("before the attack: %w", err)
	}
	result := Result{}
	if result.Goroutines, err = goroutines(ctx, plugin); err != nil {
		return Result{}, err
	}

	ctx, cancel := context.WithTimeout(ctx, o.Duration)
	defer cancel()
	var counted counts
	var running sync.WaitGroup
	running.Go(func() { rules.run(ctx, o.RulesPerMinute) })
	running.Go(func() { rules.poll(ctx) })
	for i := range o.Clients {
		c := &client{source: attacked, number: i, counts: &counted, random: rand.New(rand.NewPCG(1, uint64(i)))}
		running.Go(func() { c.run(ctx, o.Only) })
	}
	running.Wait()

	after := context.WithoutCancel(ctx)
	result.Rules, result.RulesMissed, result.Misses = rules.queried, rules.missed, rules.misses
	result.RulesLateP99, result.RulesLateMax = quantile(rules.took, 0.99), quantile(rules.took, 1)
	result.Engines, result.EnginesMissed = rules.polled, rules.pollsMissed
	result.Requests, result.Refused = counted.requests.Load(), counted.refused.Load()
	if result.MemoryMiB, err = peakMemory(plugin.PID()); err != nil {
		return result, nil // it is gone
	}
	result.GoroutinesAfter, err = settled(after, plugin, result.Goroutines)
	result.Survived = err == nil && rules.warmUp(after) == nil
	return result, nil
}

// run attacks until the time is over. A third of all requests are given up
// early.
func (c *client) run(ctx context.Context, only string) {
	all := names()
	for ctx.Err() == nil {
		name := all[c.random.IntN(len(all))]
		if only != "" {
			name = only
		}
		patience := 15 * time.Second
		if c.random.IntN(3) == 0 {
			patience = time.Duration(c.random.IntN(500)) * time.Millisecond
		}
		attempt, cancel := context.WithTimeout(ctx, patience)
		attacks[name](c, attempt)
		cancel()
		time.Sleep(time.Duration(c.random.IntN(200)) * time.Millisecond) // clients have the same processors
	}
}

// settled waits until the process has as few goroutines as before, or nearly.
func settled(ctx context.Context, plugin *harness.Plugin, before int) (now int, err error) {
	for range 60 {
		if now, err = goroutines(ctx, plugin); err != nil || now <= before+before/4+10 {
			return now, err
		}
		time.Sleep(time.Second)
	}
	return now, errors.New("the goroutines do not return")
}

func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(int(q*float64(len(values))), len(values)-1)]
}
