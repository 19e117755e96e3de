package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/foresight-observability/foresight/tests/harness"
)

func init() {
	register("trace-share", "traceDiff over a deploy in the lab: how long an answer takes, and which share of it no request to Tempo is under way [-looks N] [-rate N]", traceShare)
}

type traceShareFigures struct {
	Traces  int     `json:"traces"` // of both sides, in the last answer
	Looks   int     `json:"looks"`
	Total   float64 `json:"total_ms"` // medians over the looks
	Tempo   float64 `json:"tempo_ms"`
	Metrics float64 `json:"prometheus_only_ms"` // only Prometheus is asked
	Own     float64 `json:"own_ms"`             // nobody is
	// OutsideTempo is the median share, percent.
	OutsideTempo float64 `json:"outside_tempo"`
	Requests     float64 `json:"tempo_requests"`
}

// traceShare asks over the plugin's protocol, at times that no cache knows.
// Tempo counts as busy until its answer has been read to the end, not until the
// plugin has taken it in.
func traceShare(o options) (any, error) {
	flags := flag.NewFlagSet("trace-share", flag.ContinueOnError)
	looks := flags.Int("looks", 20, "questions")
	rate := flags.String("rate", "30", "requests per second of the shop")
	if err := flags.Parse(o.rest); err != nil {
		return nil, err
	}
	ctx := context.Background()
	lab, err := harness.StartLab(ctx, os.Stderr, "-history", "0", "-rate", *rate)
	if err != nil {
		return nil, err
	}
	defer lab.Stop()
	plugin, err := harness.StartPlugin(ctx, io.Discard)
	if err != nil {
		return nil, err
	}
	defer plugin.Stop()
	tempo, metrics := &watched{target: lab.Tempo}, &watched{target: lab.Prometheus}
	for _, w := range []*watched{tempo, metrics} {
		server := httptest.NewServer(w)
		defer server.Close()
		w.address = server.URL
	}
	source := harness.DataSource{Plugin: plugin, Context: harness.PluginContext(map[string]any{
		"prometheus": map[string]any{"mode": "direct", "url": metrics.address},
		"traces":     map[string]any{"kind": "tempo", "mode": "direct", "url": tempo.address},
	}, nil)}
	begun := time.Now()
	time.Sleep(time.Minute)
	if err := lab.Deploy(ctx, "orders", "2.0.0", "slow-query"); err != nil {
		return nil, err
	}
	time.Sleep(time.Minute)

	figures := traceShareFigures{Looks: *looks}
	var rows [5][]float64
	for range *looks {
		tempo.take()
		metrics.take()
		asked := time.Now()
		frames, err := source.Ask(ctx, begun, asked, map[string]any{"queryType": "traceDiff", "service": "orders"})
		total := time.Since(asked)
		if err != nil {
			return nil, err
		}
		summary, err := harness.Frame(frames, "summary")
		if err != nil {
			return nil, err
		}
		if verdict := harness.Text(summary, "verdict", 0); verdict != "regressed" {
			return nil, fmt.Errorf("the verdict is %q: %s", verdict, harness.Text(summary, "reason", 0))
		}
		figures.Traces = int(harness.Number(summary, "baseline_traces", 0) + harness.Number(summary, "candidate_traces", 0))
		searches := tempo.take()
		inTempo := covered(searches)
		inAny := covered(append(metrics.take(), searches...))
		for i, value := range []float64{
			milliseconds(total), milliseconds(inTempo), milliseconds(inAny - inTempo), milliseconds(total - inAny), float64(len(searches)),
		} {
			rows[i] = append(rows[i], value)
		}
		time.Sleep(3 * time.Second)
	}
	var shares []float64
	for i := range rows[0] {
		shares = append(shares, 100*(1-rows[1][i]/rows[0][i]))
	}
	figures.OutsideTempo = middle(shares)
	for i, figure := range []*float64{&figures.Total, &figures.Tempo, &figures.Metrics, &figures.Own, &figures.Requests} {
		*figure = middle(rows[i])
	}
	return figures, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// stretch is the time of one request.
type stretch struct{ from, to time.Time }

// covered is how long at least one of the stretches lasts.
func covered(stretches []stretch) (sum time.Duration) {
	slices.SortFunc(stretches, func(a, b stretch) int { return a.from.Compare(b.from) })
	var until time.Time
	for _, s := range stretches {
		if s.from.Before(until) {
			s.from = until
		}
		if s.to.After(s.from) {
			sum, until = sum+s.to.Sub(s.from), s.to
		}
	}
	return sum
}

// watched stands before a server and notes when it is at work.
type watched struct {
	target, address string
	mu              sync.Mutex
	stretches       []stretch
}

func (w *watched) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	from := time.Now()
	status, header, body, err := w.pass(request)
	w.mu.Lock()
	w.stretches = append(w.stretches, stretch{from, time.Now()})
	w.mu.Unlock()
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadGateway)
		return
	}
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if value := header.Get(name); value != "" {
			response.Header().Set(name, value)
		}
	}
	response.WriteHeader(status)
	_, _ = response.Write(body)
}

func (w *watched) pass(request *http.Request) (status int, header http.Header, body []byte, err error) {
	sent, err := io.ReadAll(request.Body)
	if err != nil {
		return 0, nil, nil, err
	}
	onward, err := http.NewRequestWithContext(request.Context(), request.Method, w.target+request.URL.RequestURI(), bytes.NewReader(sent))
	if err != nil {
		return 0, nil, nil, err
	}
	onward.Header = request.Header.Clone()
	// Asked for as the plugin asks, the answer is passed on as it came.
	onward.Header.Set("Accept-Encoding", cmp.Or(request.Header.Get("Accept-Encoding"), "identity"))
	answer, err := http.DefaultTransport.RoundTrip(onward)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, body, err
}

// take is the stretches since it was last called.
func (w *watched) take() []stretch {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.stretches
	w.stretches = nil
	return taken
}
