package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/tests/harness"
)

const (
	service    = "orders"
	newVersion = "2.0.0"
	// quiet is how much traffic before the deploy the comparison rests on.
	quiet = 45 * time.Second
	// promise is the time from the new version's first stored span to the
	// finding.
	promise = 30 * time.Second
	// patience bounds the wait for the new version's first span, and for the
	// finding where the promise is not kept.
	patience = 90 * time.Second
)

// story is the main job, asked over the plugin's protocol.
type story struct {
	timeline
	lab    *harness.Lab
	source harness.DataSource
}

func (s *story) tell(ctx context.Context) error {
	if err := s.health(ctx); err != nil {
		return err
	}
	begun := time.Now()
	s.say("Traffic flows. Watching %s for %s …", service, quiet)
	if err := sleep(ctx, quiet); err != nil {
		return err
	}
	if err := s.before(ctx, begun); err != nil {
		return err
	}
	s.say("Deploy: %s %s arrives. It carries a query that lost its index.", service, newVersion)
	if err := s.lab.Deploy(ctx, service, newVersion, "slow-query"); err != nil {
		return err
	}
	if err := s.finding(ctx, begun); err != nil {
		return err
	}
	return s.forecast(ctx)
}

// setStage does to the shop what the story does, for whoever watches it by
// other means.
func (s *story) setStage(ctx context.Context) error {
	if err := sleep(ctx, quiet); err != nil {
		return err
	}
	return s.lab.Deploy(ctx, service, newVersion, "slow-query")
}

func (s *story) health(ctx context.Context) error {
	health, err := s.source.Plugin.Health(ctx, s.source.Context)
	if err != nil {
		return err
	}
	for _, line := range strings.Split(health.Message, "\n") {
		s.say("%s", line)
	}
	if health.Status != backend.HealthStatusOk {
		return fmt.Errorf("the data source is not healthy")
	}
	return nil
}

// before asks the question of the story while nothing has happened yet, until
// there are enough traces to show that.
func (s *story) before(ctx context.Context, begun time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		diff, err := s.diff(ctx, begun)
		if err != nil {
			return err
		}
		s.say("What changed in %s? %s", service, diff.reason)
		if diff.verdict == "no_change" {
			return nil
		}
		if err := sleep(ctx, 5*time.Second); err != nil || diff.verdict != "insufficient" {
			return fmt.Errorf("before the deploy the verdict is %q, not \"no_change\"", diff.verdict)
		}
	}
}

// finding asks again and again until the deploy's regression is found.
func (s *story) finding(ctx context.Context, begun time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.firstSpan(ctx, begun); err != nil {
		return err
	}
	stored := time.Now()
	s.say("The first span of %s %s is stored. What changed?", service, newVersion)
	for {
		diff, err := s.diff(ctx, begun)
		if err != nil {
			return err
		}
		// Until the deploy itself is seen, the question is about time alone.
		if diff.verdict == "regressed" && diff.candidateVersion != "" {
			took := time.Since(stored)
			s.say("Found, %.1f s after the first span was stored:", took.Seconds())
			s.show(diff)
			return s.judge(diff, took)
		}
		s.detail("%s", diff.reason)
		if err := sleep(ctx, time.Second); err != nil {
			return fmt.Errorf("no regression was found within %s; the last answer was: %s", patience, diff.reason)
		}
	}
}

// firstSpan waits until the trace store knows the new version.
func (s *story) firstSpan(ctx context.Context, begun time.Time) error {
	for {
		frames, err := s.source.Ask(ctx, begun, time.Now(), map[string]any{"queryType": "versions", "service": service})
		if err != nil {
			return err
		}
		if len(frames) > 0 && contains(frames[0], newVersion) {
			return nil
		}
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return fmt.Errorf("no span of %s %s was stored: %w", service, newVersion, err)
		}
	}
}

func contains(frame *data.Frame, name string) bool {
	for _, field := range frame.Fields {
		for row := range field.Len() {
			if value, ok := field.ConcreteAt(row); ok && value == name {
				return true
			}
		}
	}
	return false
}

func (s *story) show(diff finding) {
	s.detail("service     %s, version %s against %s", diff.service, diff.candidateVersion, diff.baselineVersion)
	s.detail("operation   %s", diff.operation)
	s.detail("statement   %s", diff.example)
	s.detail("slowdown    %.1f× (95 %%: %.1f× to %.1f×), p = %.1g; %.1f ms → %.1f ms at the median", diff.effect, diff.lower, diff.upper, diff.pValue, diff.baselineMedian/1e6, diff.candidateMedian/1e6)
	s.detail("share       %.0f %% of the change of its endpoint", 100*diff.share)
	s.detail("evidence    %s against %s traces", diff.candidateTraces, diff.baselineTraces)
	s.detail("look at     trace %s (before: %s)", diff.candidateTrace, diff.baselineTrace)
	s.detail("in words    %s", diff.reason)
}

// judge compares the finding with what was done to the shop.
func (s *story) judge(diff finding, took time.Duration) error {
	var wrong []error
	check := func(holds bool, format string, arguments ...any) {
		if !holds {
			wrong = append(wrong, fmt.Errorf(format, arguments...))
		}
	}
	check(diff.service == service, "it blames the service %q, not %q", diff.service, service)
	check(diff.candidateVersion == newVersion, "it blames version %q, not %q", diff.candidateVersion, newVersion)
	check(strings.Contains(strings.ToUpper(diff.operation), "SELECT"), "it names %q, not the statement", diff.operation)
	check(diff.lower > 1 && diff.lower <= diff.effect && diff.effect <= diff.upper, "the slowdown's interval %g to %g does not fit %g", diff.lower, diff.upper, diff.effect)
	check(diff.candidateTrace != "" && diff.baselineTrace != "", "an example trace is missing")
	check(took <= promise, "it took %s after the first span was stored, longer than %s", took.Round(time.Second), promise)
	return errors.Join(wrong...)
}

func sleep(ctx context.Context, duration time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(duration):
		return nil
	}
}
