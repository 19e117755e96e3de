package promapi

import (
	"context"
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/pkg/api/verdict"
	"github.com/foresight-observability/foresight/pkg/canary"
)

// ofCanary are the parameters of a verdict, as labels.
var ofCanary = []parameter{
	{name: "candidate", optional: true}, {name: "baseline", optional: true}, {name: "operation", optional: true},
	{name: "margin", optional: true}, {name: "window", optional: true},
}

func (a *API) canaryScore(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	return a.canaryNumber(ctx, s, r, func(j canary.Judgement) float64 { return j.Score })
}

func (a *API) canaryVerdict(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	return a.canaryNumber(ctx, s, r, func(j canary.Judgement) float64 {
		return map[canary.Verdict]float64{canary.Pass: 1, canary.Inconclusive: 0, canary.Fail: -1}[j.Verdict]
	})
}

// canaryNumber has a value for now only: engines decide about the rollout of
// now, and every instant of the past would query the trace store anew.
func (a *API) canaryNumber(ctx context.Context, s selector, r timeRange, number func(canary.Judgement) float64) ([]timeSeries, error) {
	decided, err := a.Decider.Decide(ctx, verdict.Request{
		Service: s.labels["service"], Candidate: s.labels["candidate"], Baseline: s.labels["baseline"],
		Operation: s.labels["operation"], Margin: s.labels["margin"], Window: s.labels["window"],
	})
	if err != nil {
		return nil, err
	}
	j := decided.Judgement
	summary := fmt.Sprintf("%s: version %s against %s, n=%.0f, both served until %s. %s", j.Verdict, decided.CandidateVersion, decided.BaselineVersion,
		j.Signals[0].Candidate.Requests, decided.Served.UTC().Format(time.RFC3339), j.Reason)
	return []timeSeries{{nil, []point{{r.to, number(j)}}, warnings(decided.Provenance, nil, "%s", summary)}}, nil
}
