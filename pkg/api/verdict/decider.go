// Package verdict decides over canaries for engines that wait a few seconds and
// act on the answer.
package verdict

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/foresight-observability/foresight/pkg/api/cache"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

// Request is what engines may say of a rollout.
type Request struct {
	Service   string `json:"service"`
	Candidate string `json:"candidate"` // version; empty for the newest
	Baseline  string `json:"baseline"`  // version; empty for the one before
	Operation string `json:"operation"`
	Margin    string `json:"margin"` // rise in the share of errors that is acceptable; empty for the query's default
	Window    string `json:"window"` // how far back to look; empty for an hour
}

const (
	defaultWindow        = "1h"
	minWindow, maxWindow = 5 * time.Minute, 24 * time.Hour
	// maxServedAgo is how long ago both versions may have served last. Engines ask
	// about the rollout of now: where the new version has no traffic yet, the
	// one before it must not be judged in its place.
	maxServedAgo = 5 * time.Minute
	// grid is finer than that of numbers: a failing version should not serve a
	// minute longer for the sake of a grid.
	grid = 15 * time.Second
	step = time.Minute
	// maxWait is how long an engine is kept waiting for traces, unless half of
	// the timeout is shorter: Flagger and Argo Rollouts' web provider wait ten
	// seconds, and some engines give a rollout up after a few errors.
	maxWait = 8 * time.Second
)

// Engine decides over canaries.
type Engine interface {
	Decide(ctx context.Context, q query.Verdict, window engine.Window) (engine.VerdictAnswer, error)
	DecideByCounts(ctx context.Context, q query.Verdict, window engine.Window, known engine.TraceVerdict) (engine.VerdictAnswer, error)
}

// Decider answers with the decision of now over a canary, cached for some
// seconds.
type Decider struct {
	engine      Engine
	now         func() time.Time
	timeout     time.Duration
	decisions   *cache.Cache[engine.VerdictAnswer]
	comparisons comparisons
}

// New makes a decider. timeout bounds the work for one decision.
func New(e Engine, now func() time.Time, timeout time.Duration) *Decider {
	return &Decider{engine: e, now: now, timeout: timeout, decisions: cache.New(now, sizeOf), comparisons: newComparisons()}
}

// Close ends the decider's own work.
func (d *Decider) Close() {
	d.decisions.Close()
	d.comparisons.close()
}

// Decide is the decision of now. The error says why there is none.
func (d *Decider) Decide(ctx context.Context, r Request) (engine.VerdictAnswer, error) {
	r.Window = cmp.Or(r.Window, defaultWindow)
	r.Margin = cmp.Or(r.Margin, strconv.FormatFloat(query.DefaultMargin, 'g', -1, 64))
	q, length, err := r.query()
	if err != nil {
		return engine.VerdictAnswer{}, err
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return engine.VerdictAnswer{}, err
	}
	key := string(raw)
	window := func() engine.Window {
		now := d.now().Truncate(grid).UTC()
		return engine.Window{From: now.Add(-length), To: now, Step: step}
	}
	waiting, cancel := context.WithTimeout(ctx, min(maxWait, d.timeout/2))
	defer cancel()
	decided, err := d.decisions.Get(waiting, key, d.timeout, func(ctx context.Context) (engine.VerdictAnswer, error) {
		decided, err := d.engine.Decide(ctx, q, window())
		if err == nil {
			d.comparisons.set(key, decided)
		}
		return decided, err
	})
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		// The comparison goes on, for the next client.
		decided, err = d.engine.DecideByCounts(ctx, q, window(), d.comparisons.get(key, d.now()))
	}
	switch {
	case err != nil:
		return decided, err
	case len(decided.Judgement.Signals) == 0:
		return decided, fmt.Errorf("%s %s", decided.Judgement.Reason, cmp.Or(strings.Join(decided.Notices, " "), "the reason is unknown"))
	case d.now().Sub(decided.Served) > maxServedAgo:
		return decided, fmt.Errorf("versions %s and %s of %s do not serve at the same time: %s",
			decided.BaselineVersion, decided.CandidateVersion, r.Service, lastServed(decided.Served))
	}
	return decided, nil
}

func lastServed(at time.Time) string {
	if at.IsZero() {
		return "they never did in this window"
	}
	return "last at " + at.UTC().Format(time.RFC3339)
}

// query is the request as a query, with the length of its window.
func (r Request) query() (query.Verdict, time.Duration, error) {
	length, err := model.ParseDuration(r.Window)
	if err != nil || time.Duration(length) < minWindow || time.Duration(length) > maxWindow {
		return query.Verdict{}, 0, fmt.Errorf("window is %.40q: write a duration from %s to %s, like \"1h\"", r.Window, model.Duration(minWindow), model.Duration(maxWindow))
	}
	margin, err := strconv.ParseFloat(r.Margin, 64)
	if err != nil || math.IsNaN(margin) {
		return query.Verdict{}, 0, fmt.Errorf("margin is %.40q: write a number between 0 and 1, like \"0.001\"", r.Margin)
	}
	q := query.Verdict{
		Service: r.Service, Operation: r.Operation, Margin: margin,
		Baseline: query.Population{Version: r.Baseline}, Candidate: query.Population{Version: r.Candidate},
	}.WithDefaults()
	return q, time.Duration(length), q.Validate()
}

// sizeOf is about what a verdict takes in memory, in bytes: its reasons and what
// it rests on are a few kilobytes of text.
func sizeOf(engine.VerdictAnswer) int64 { return 16 << 10 }
