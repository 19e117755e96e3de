package main

import (
	"context"
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/tests/harness"
)

// finding is a trace diff's answer: its summary and its first call path.
type finding struct {
	verdict, reason                     string
	baselineVersion, candidateVersion   string
	baselineTraces, candidateTraces     string
	service, operation, example         string
	effect, lower, upper, pValue, share float64
	baselineMedian, candidateMedian     float64 // ns
	baselineTrace, candidateTrace       string
}

func (s *story) diff(ctx context.Context, begun time.Time) (finding, error) {
	frames, err := s.source.Ask(ctx, begun, time.Now(), map[string]any{"queryType": "traceDiff", "service": service})
	if err != nil {
		return finding{}, err
	}
	summary, err := harness.Frame(frames, "summary")
	if err != nil {
		return finding{}, err
	}
	f := finding{
		verdict: harness.Text(summary, "verdict", 0), reason: harness.Text(summary, "reason", 0),
		baselineVersion: harness.Text(summary, "baseline_version", 0), candidateVersion: harness.Text(summary, "candidate_version", 0),
		baselineTraces: harness.Text(summary, "baseline_traces", 0), candidateTraces: harness.Text(summary, "candidate_traces", 0),
	}
	paths, err := harness.Frame(frames, "paths")
	if err != nil || paths.Rows() == 0 {
		return f, err
	}
	f.service, f.operation, f.example = harness.Text(paths, "service", 0), harness.Text(paths, "operation", 0), harness.Text(paths, "example", 0)
	f.effect, f.lower, f.upper = harness.Number(paths, "effect", 0), harness.Number(paths, "effect_lower", 0), harness.Number(paths, "effect_upper", 0)
	f.pValue, f.share = harness.Number(paths, "p_value", 0), harness.Number(paths, "share", 0)
	f.baselineMedian, f.candidateMedian = harness.Number(paths, "baseline_p50", 0), harness.Number(paths, "candidate_p50", 0)
	f.baselineTrace, f.candidateTrace = harness.Text(paths, "baseline_trace", 0), harness.Text(paths, "candidate_trace", 0)
	return f, nil
}

// latency is the mean duration of the shop's web requests, in milliseconds.
const latency = `1000 * sum(rate(http_server_request_duration_seconds_sum{service_name="web"}[5m])) / sum(rate(http_server_request_duration_seconds_count{service_name="web"}[5m]))`

// forecast shows the latency's recent past, its forecast and its band.
func (s *story) forecast(ctx context.Context) error {
	now := time.Now()
	frames, err := s.source.Ask(ctx, now.Add(-24*time.Hour), now, map[string]any{
		"queryType": "forecast", "expr": latency, "horizon": "12h",
	})
	if err != nil {
		return err
	}
	if len(frames) == 0 || frames[0].Rows() == 0 {
		return fmt.Errorf("there is no forecast of the latency")
	}
	s.say("mean latency of web: ● the last 24 h, ─ the forecast for the next 12 h, ░ its 95 %% interval (from 14 days of history)")
	fmt.Fprint(s.out, chart(curve{
		actual:   harness.Numbers(frames[0], "actual"),
		expected: harness.Numbers(frames[0], "expected"),
		lower:    harness.Numbers(frames[0], "lower"),
		upper:    harness.Numbers(frames[0], "upper"),
	}, 72, 12, "ms"))
	return nil
}
