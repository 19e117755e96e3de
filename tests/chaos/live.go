package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// Live is the name of the stream that runs while a server fails.
const Live = "live stream"

// watcher is a viewer of a live stream, as Grafana runs it: one that the plugin
// ends by an error is started again.
type watcher struct {
	stop context.CancelFunc

	mu       sync.Mutex
	packets  []time.Time // when each came
	problems []string
	restarts int
	came     chan struct{}
}

// liveQuery has a step that gives a point every few seconds.
var liveQuery = json.RawMessage(`{"query": {"queryType": "anomaly", "expr": ` + quoted(requests) + `, "step": "15s", "history": "6h"}, "seconds": 900}`)

func quoted(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text of ours
	}
	return string(raw)
}

// watch begins to watch.
func (s *stage) watch(ctx context.Context, on queried) *watcher {
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{stop: cancel, came: make(chan struct{}, 1)}
	go func() {
		for ctx.Err() == nil {
			err := w.run(ctx, on)
			if ctx.Err() != nil {
				return
			}
			w.mu.Lock()
			w.restarts++
			if err == nil {
				w.problems = append(w.problems, "the stream ended without an error, after which Grafana does not start it again")
			}
			w.mu.Unlock()
			time.Sleep(time.Second)
		}
	}()
	return w
}

func (w *watcher) run(ctx context.Context, on queried) error {
	path, err := on.Channel(ctx, liveQuery)
	if err != nil {
		return fmt.Errorf("the channel of the stream: %w", err)
	}
	return on.Plugin.RunStream(ctx, &backend.RunStreamRequest{PluginContext: on.Context, Path: path, Data: liveQuery}, func(packet json.RawMessage) bool {
		said, err := ofJSON(packet, []string{"none"})
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil || len(said) > 0 {
			w.problems = append(w.problems, fmt.Sprintf("a packet is no frame: %.100s", packet))
		}
		w.packets = append(w.packets, time.Now())
		select {
		case w.came <- struct{}{}:
		default:
		}
		return true
	})
}

// await waits until a packet has come after an instant.
func (w *watcher) await(after time.Time, patience time.Duration) error {
	deadline := time.After(patience)
	for {
		w.mu.Lock()
		n := len(w.packets)
		enough := n > 0 && w.packets[n-1].After(after)
		w.mu.Unlock()
		if enough {
			return nil
		}
		select {
		case <-w.came:
		case <-deadline:
			return fmt.Errorf("nothing came over the live stream for %s", patience)
		}
	}
}

// judge says what came of the stream. Through the fault it may only wait.
func (w *watcher) judge(begun, mended time.Time) Cell {
	cell := Cell{Outcome: Waits, Recovered: -1}
	if err := w.await(mended, patience); err == nil {
		cell.Recovered = time.Since(mended)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, at := range w.packets {
		// What was asked before the fault may come as it begins.
		if at.After(begun.Add(Timeout)) && at.Before(mended) {
			cell.Outcome = Right
		}
	}
	if len(w.problems) > 0 {
		cell.Outcome, cell.Reason = Wrong, some(w.problems)
	}
	if w.restarts > 0 {
		cell.Outcome, cell.Reason = Wrong, fmt.Sprintf("the stream was ended %d times", w.restarts)
	}
	return cell
}
