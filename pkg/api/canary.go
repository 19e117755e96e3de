package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

// canaryRequest is what engines may say of a rollout.
type canaryRequest struct {
	Service   string `json:"service"`
	Candidate string `json:"candidate"` // version; empty for the newest
	Baseline  string `json:"baseline"`  // version; empty for the one before
	Operation string `json:"operation"`
	Margin    string `json:"margin"` // rise in the share of errors that is acceptable; empty for the query's default
	Window    string `json:"window"` // how far back to look; empty for an hour
}

// ofCanary are its parameters as labels.
var ofCanary = []parameter{
	{name: "candidate", optional: true}, {name: "baseline", optional: true}, {name: "operation", optional: true},
	{name: "margin", optional: true}, {name: "window", optional: true},
}

const (
	usualCanary             = "1h"
	leastCanary, mostCanary = 5 * time.Minute, 24 * time.Hour
	// together is how long ago both versions may have served last. Engines ask
	// about the rollout of now: where the new version has no traffic yet, the
	// one before it must not be judged in its place.
	together = 5 * time.Minute
	// canaryGrid is finer than that of numbers: a failing version should not
	// serve a minute longer for the sake of a grid.
	canaryGrid = 15 * time.Second
	// patience is how long an engine is kept waiting for traces, unless half of
	// the limit of an answer is shorter: Flagger and Argo Rollouts' web provider
	// wait ten seconds, and some engines give a rollout up after a few errors.
	patience = 8 * time.Second
)

// judge is the decision of now over a canary, remembered for some seconds. The
// error says why nothing can be said.
func (h *Hooks) judge(ctx context.Context, c canaryRequest) (engine.VerdictAnswer, error) {
	c.Window = cmp.Or(c.Window, usualCanary)
	c.Margin = cmp.Or(c.Margin, strconv.FormatFloat(query.DefaultMargin, 'g', -1, 64))
	asked, length, err := c.question()
	if err != nil {
		return engine.VerdictAnswer{}, err
	}
	key, err := json.Marshal(c)
	if err != nil {
		return engine.VerdictAnswer{}, err
	}
	window := func() engine.Window {
		now := h.engine.Now().Truncate(canaryGrid).UTC()
		return engine.Window{From: now.Add(-length), To: now, Step: finestStep}
	}
	waiting, cancel := context.WithTimeout(ctx, min(patience, h.settings.Timeout/2))
	defer cancel()
	found, err := h.verdicts.ask(waiting, string(key), h.settings.Timeout, func(ctx context.Context) (engine.VerdictAnswer, error) {
		found, err := h.engine.Decide(ctx, asked, window())
		if err == nil {
			h.compared.keep(string(key), found)
		}
		return found, err
	})
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		// The comparison goes on, for who asks next.
		found, err = h.engine.DecideByCounts(ctx, asked, window(), h.compared.known(string(key), h.engine.Now()))
	}
	switch {
	case err != nil:
		return found, err
	case len(found.Judgement.Signals) == 0:
		return found, noTrust("%s %s", found.Judgement.Reason, because(found.Notices))
	case h.engine.Now().Sub(found.Served) > together:
		return found, noTrust("versions %s and %s of %s do not serve at the same time: %s", found.BaselineVersion, found.CandidateVersion, c.Service, lastTogether(found.Served))
	}
	return found, nil
}

func lastTogether(served time.Time) string {
	if served.IsZero() {
		return "they never did in this window"
	}
	return "last at " + served.UTC().Format(time.RFC3339)
}

func (c canaryRequest) question() (query.Verdict, time.Duration, error) {
	length, err := model.ParseDuration(c.Window)
	if err != nil || time.Duration(length) < leastCanary || time.Duration(length) > mostCanary {
		return query.Verdict{}, 0, noTrust("window is %.40q: write a duration from %s to %s, like \"1h\"", c.Window, model.Duration(leastCanary), model.Duration(mostCanary))
	}
	margin, err := strconv.ParseFloat(c.Margin, 64)
	if err != nil || math.IsNaN(margin) {
		return query.Verdict{}, 0, noTrust("margin is %.40q: write a number between 0 and 1, like \"0.001\"", c.Margin)
	}
	asked := query.Verdict{
		Service: c.Service, Operation: c.Operation, Margin: margin,
		Baseline: query.Population{Version: c.Baseline}, Candidate: query.Population{Version: c.Candidate},
	}.WithDefaults()
	if err := asked.Validate(); err != nil {
		return asked, 0, noTrust("%v", err)
	}
	return asked, time.Duration(length), nil
}

func (h *Hooks) canaryScore(ctx context.Context, q question, s span) ([]row, error) {
	return h.canaryNumber(ctx, q, s, func(j canary.Judgement) float64 { return j.Score })
}

func (h *Hooks) canaryVerdict(ctx context.Context, q question, s span) ([]row, error) {
	return h.canaryNumber(ctx, q, s, func(j canary.Judgement) float64 {
		return map[canary.Verdict]float64{canary.Pass: 1, canary.Inconclusive: 0, canary.Fail: -1}[j.Verdict]
	})
}

// canaryNumber is told for now only: engines decide about the rollout of now,
// and every instant of the past would ask the trace store anew.
func (h *Hooks) canaryNumber(ctx context.Context, q question, s span, number func(canary.Judgement) float64) ([]row, error) {
	found, err := h.judge(ctx, canaryRequest{
		Service: q.labels["service"], Candidate: q.labels["candidate"], Baseline: q.labels["baseline"],
		Operation: q.labels["operation"], Margin: q.labels["margin"], Window: q.labels["window"],
	})
	if err != nil {
		return nil, err
	}
	return []row{{nil, []point{{s.to, number(found.Judgement)}}, toldBeside(found)}}, nil
}

// toldBeside is what an engine's log should show beside a decision.
func toldBeside(found engine.VerdictAnswer) []string {
	first := fmt.Sprintf("%s: version %s against %s, n=%.0f, both served until %s. %s", found.Judgement.Verdict, found.CandidateVersion, found.BaselineVersion,
		found.Judgement.Signals[0].Candidate.Requests, found.Served.UTC().Format(time.RFC3339), found.Judgement.Reason)
	return confidence(found.Basis, nil, "%s", first)
}
