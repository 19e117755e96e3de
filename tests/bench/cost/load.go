package cost

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/foresight-observability/foresight/tests/bench/environment"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("load", "panels, alert rules, live viewers and engines at once: errors, latency, memory, processor against the upstreams' own", load)
}

// loadFigures are what came of one kind of caller.
type loadFigures struct {
	Caller         string  `json:"caller"`
	Asked          int     `json:"asked"`
	FailedUpstream int     `json:"failed_upstream"` // an error that names an upstream
	FailedOther    int     `json:"failed_other"`
	P50            float64 `json:"p50_ms"`
	P99            float64 `json:"p99_ms"`
	Max            float64 `json:"max_ms"`
	FirstFailure   string  `json:"first_failure,omitempty"`
}

type loadResult struct {
	Topology string        `json:"topology"`
	Minutes  float64       `json:"minutes"`
	Callers  []loadFigures `json:"callers"`

	// Of the plugin's process: after the first minute, at the end, and at most.
	MemoryEarly float64 `json:"memory_early_mib"`
	MemoryEnd   float64 `json:"memory_end_mib"`
	MemoryMost  float64 `json:"memory_most_mib"`
	// Before anybody asked, and a minute after the last was answered.
	GoroutinesBefore float64 `json:"goroutines_before"`
	GoroutinesAfter  float64 `json:"goroutines_after"`

	PluginSeconds    float64            `json:"plugin_cpu_seconds"`
	UpstreamSeconds  map[string]float64 `json:"upstream_cpu_seconds"`
	PluginOfUpstream float64            `json:"plugin_cpu_of_upstream_cpu"`
}

// load runs all kinds of callers at once, each at its own pace whether earlier
// answers came or not.
func load(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	minutes := flags.Float64("minutes", 10, "how long to ask")
	topology := flags.String("topology", "single", "single or split: Mimir of ten processes and Tempo of six")
	panels := flags.Int("panels", 200, "panel queries at once, once a minute")
	rules := flags.Int("rules", 1000, "alert rules a minute")
	viewers := flags.Int("viewers", 100, "of ten live channels")
	engines := flags.Int("engines", 100, "requests of engines a second")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	servers := "prometheus,tempo"
	if *topology == "split" {
		servers = "prometheus,mimir-split,tempo-split"
	}
	ctx := context.Background()
	lab, err := environment.Start(ctx, io.Discard, "-history", "8d", "-servers", servers)
	if err != nil {
		return nil, err
	}
	defer lab.Stop()
	fmt.Fprintln(os.Stderr, "load: the shop runs for three minutes before anybody asks")
	time.Sleep(3 * time.Minute)
	questions, err := newLoadQuestions(ctx, lab, *topology)
	if err != nil {
		return nil, err
	}
	result := loadResult{Topology: *topology, Minutes: *minutes}
	meter, err := meterLoad(ctx, lab)
	if err != nil {
		return nil, err
	}

	length := time.Duration(*minutes * float64(time.Minute))
	callers := []*caller{
		{name: "panels", burst: *panels, every: time.Minute, ask: questions.panel},
		{name: "rules", burst: 1, every: time.Minute / time.Duration(max(1, *rules)), ask: questions.rule},
		{name: "engines", burst: 1, every: time.Second / time.Duration(max(1, *engines)), ask: questions.engine},
	}
	running, stop := context.WithTimeout(ctx, length)
	defer stop()
	var group sync.WaitGroup
	for _, c := range callers {
		group.Go(func() { c.run(running) })
	}
	live := &caller{name: "live viewers"}
	for i := range *viewers {
		group.Go(func() {
			live.view(running, func(ctx context.Context, packet func()) error { return questions.view(ctx, i, packet) })
		})
	}
	result.MemoryEarly, result.MemoryMost = meter.watchMemory(running, min(time.Minute, length/2))
	group.Wait()
	if err := meter.finish(ctx, &result); err != nil {
		return nil, err
	}
	for _, c := range append(callers, live) {
		result.Callers = append(result.Callers, c.figures())
	}
	return result, nil
}

// caller asks in bursts, at a pace of its own.
type caller struct {
	name  string
	burst int
	every time.Duration
	ask   func(ctx context.Context, i int) error

	mu     sync.Mutex
	took   []float64
	failed []error
}

func (c *caller) run(ctx context.Context) {
	ticker := time.NewTicker(c.every)
	defer ticker.Stop()
	var under sync.WaitGroup
	for i := 0; ctx.Err() == nil; {
		for range c.burst {
			i++
			under.Go(func() {
				begun := time.Now()
				// What is under way at the end is waited for.
				err := c.ask(context.WithoutCancel(ctx), i)
				c.note(time.Since(begun), err)
			})
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	under.Wait()
}

func (c *caller) note(took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took = append(c.took, float64(took.Microseconds())/1000)
	if err != nil {
		c.failed = append(c.failed, err)
	}
}

// view keeps a viewer for as long as the load runs. What a live channel takes
// is the time from one packet to the next; a viewer that is turned away, or
// loses its channel before the end, has failed.
func (c *caller) view(ctx context.Context, watch func(ctx context.Context, packet func()) error) {
	last := time.Now()
	err := watch(ctx, func() {
		c.note(time.Since(last), nil)
		last = time.Now()
	})
	if ctx.Err() == nil && status.Code(err) != codes.DeadlineExceeded { // which may be there before ctx knows
		c.note(time.Since(last), fmt.Errorf("a live channel ended: %w", err))
	}
}

func (c *caller) figures() loadFigures {
	f := loadFigures{Caller: c.name, Asked: len(c.took)}
	slices.Sort(c.took)
	if n := len(c.took); n > 0 {
		f.P50, f.P99, f.Max = c.took[n/2], c.took[n*99/100], c.took[n-1]
	}
	for _, err := range c.failed {
		if strings.Contains(err.Error(), "Prometheus") || strings.Contains(err.Error(), "Tempo") {
			f.FailedUpstream++
		} else {
			f.FailedOther++
		}
	}
	if len(c.failed) > 0 {
		f.FirstFailure = c.failed[0].Error()
	}
	return f
}
