package cost

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/tests/bench/environment"
	"github.com/foresight-observability/foresight/tests/bench/runner"
	"github.com/foresight-observability/foresight/tests/harness"
)

func init() {
	runner.Register("trace-share", "traceDiff over a deploy in the lab: how long an answer takes, and which share of it no request to Tempo is under way [-looks N] [-rate N]", traceShare)
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
func traceShare(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("trace-share", flag.ContinueOnError)
	looks := flags.Int("looks", 20, "questions")
	rate := flags.String("rate", "30", "requests per second of the shop")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	ctx := context.Background()
	lab, err := environment.Start(ctx, io.Discard, "-history", "0", "-rate", *rate)
	if err != nil {
		return nil, err
	}
	defer lab.Stop()
	tempo, metrics := environment.Watch(lab.Tempo), environment.Watch(lab.Prometheus)
	defer tempo.Close()
	defer metrics.Close()
	source := lab.Source(map[string]any{
		"prometheus": map[string]any{"mode": "direct", "url": metrics.URL},
		"traces":     map[string]any{"kind": "tempo", "mode": "direct", "url": tempo.URL},
	})
	begun := time.Now()
	time.Sleep(time.Minute)
	if err := lab.Deploy(ctx, "orders", "2.0.0", "slow-query"); err != nil {
		return nil, err
	}
	time.Sleep(time.Minute)

	figures := traceShareFigures{Looks: *looks}
	var rows [5][]float64
	for range *looks {
		tempo.Take()
		metrics.Take()
		queried := time.Now()
		frames, err := source.Ask(ctx, begun, queried, map[string]any{"queryType": "traceDiff", "service": "orders"})
		total := time.Since(queried)
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
		searches := tempo.Take()
		inTempo := covered(searches)
		inAny := covered(append(metrics.Take(), searches...))
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

// covered is for how long at least one of the requests is under way.
func covered(requests []environment.Work) (sum time.Duration) {
	slices.SortFunc(requests, func(a, b environment.Work) int { return a.From.Compare(b.From) })
	var until time.Time
	for _, s := range requests {
		if s.From.Before(until) {
			s.From = until
		}
		if s.To.After(s.From) {
			sum, until = sum+s.To.Sub(s.From), s.To
		}
	}
	return sum
}
