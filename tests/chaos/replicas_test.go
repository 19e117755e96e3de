//go:build integration

package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/tests/harness"
)

// another is the data source in another plugin process, as in another replica of
// Grafana.
func (s *stage) another(ctx context.Context) (queried, *harness.Plugin, error) {
	plugin, err := harness.StartPlugin(ctx, io.Discard)
	on := s.source(nil)
	on.Plugin = plugin
	return on, plugin, err
}

// kill ends a plugin process without a word.
func kill(plugin *harness.Plugin) error {
	process, err := os.FindProcess(plugin.PID())
	if err != nil {
		return err
	}
	return process.Kill()
}

// killedMidQuery kills the plugin while it answers: the asker gets an error at
// once, and the next process gives the whole answer.
func (s *stage) killedMidQuery(ctx context.Context) error {
	on, plugin, err := s.another(ctx)
	if err != nil {
		return err
	}
	defer plugin.Stop()
	q := question("traceDiff")
	answered := make(chan reply, 1)
	go func() { answered <- q.put(ctx, on) }()
	time.Sleep(100 * time.Millisecond) // a comparison takes longer
	if err := kill(plugin); err != nil {
		return err
	}
	select {
	case got := <-answered:
		if got.failure == "" {
			return fmt.Errorf("a killed plugin answered: %v", got.facts)
		}
	case <-time.After(Timeout):
		return fmt.Errorf("the question hangs %s after the plugin was killed", Timeout)
	}
	on, next, err := s.another(ctx)
	if err != nil {
		return err
	}
	defer next.Stop()
	return s.same(ctx, q, on)
}

// same asks until the answer is the whole one, for a busy machine.
func (s *stage) same(ctx context.Context, q Question, on queried) error {
	if back := s.recovers(ctx, q, on, time.Now(), patience); back < 0 {
		return fmt.Errorf("%s has another answer in another process", q.Name)
	}
	return nil
}

// killedMidStream kills the plugin while it streams: the stream ends with an
// error, after which Grafana runs it again, and the next process takes it up.
func (s *stage) killedMidStream(ctx context.Context) error {
	on, plugin, err := s.another(ctx)
	if err != nil {
		return err
	}
	defer plugin.Stop()
	run := func(on queried, receive func(json.RawMessage) bool) error {
		path, err := on.Channel(ctx, liveQuery)
		if err != nil {
			return err
		}
		return on.Plugin.RunStream(ctx, &backend.RunStreamRequest{PluginContext: on.Context, Path: path, Data: liveQuery}, receive)
	}
	ended := make(chan error, 1)
	came := make(chan struct{}, 100)
	go func() {
		ended <- run(on, func(json.RawMessage) bool { came <- struct{}{}; return true })
	}()
	select {
	case <-came:
	case err := <-ended:
		return fmt.Errorf("the stream ended by itself: %w", err)
	case <-time.After(patience):
		return fmt.Errorf("the stream does not begin")
	}
	if err := kill(plugin); err != nil {
		return err
	}
	select {
	case err := <-ended:
		if err == nil {
			return fmt.Errorf("the stream ended without an error, so that Grafana would not run it again")
		}
	case <-time.After(Timeout):
		return fmt.Errorf("the stream hangs %s after the plugin was killed", Timeout)
	}
	on, next, err := s.another(ctx)
	if err != nil {
		return err
	}
	defer next.Stop()
	packets := 0
	return run(on, func(json.RawMessage) bool { packets++; return packets < 2 })
}

// apart is by how much the clocks of Grafana's replicas differ.
const apart = 3 * time.Minute

// clocksApart asks two processes over windows that end minutes apart, one of
// them in the future: what both say of an instant is the same.
func (s *stage) clocksApart(ctx context.Context) error {
	one := s.source(nil)
	other, plugin, err := s.another(ctx)
	if err != nil {
		return err
	}
	defer plugin.Stop()
	now := time.Now()
	for _, ahead := range []time.Duration{-apart, apart} {
		for _, name := range []string{"anomaly", "breach", "composite"} {
			q := question(name)
			one.to, other.to = now, now.Add(ahead)
			here, there := q.put(ctx, one), q.put(ctx, other)
			if here.failure+there.failure != "" {
				return fmt.Errorf("%s: %s%s", name, here.failure, there.failure)
			}
			shared := 0
			for instant, value := range there.facts {
				if right, both := here.facts[instant]; both {
					shared++
					if value != right && value != "null" && right != "null" {
						return fmt.Errorf("%s at %s is %s in one replica, and %s in another whose clock is %s ahead", name, instant, right, value, ahead)
					}
				}
			}
			if shared < 100 {
				return fmt.Errorf("%s: only %d facts are shared", name, shared)
			}
		}
	}
	return nil
}
