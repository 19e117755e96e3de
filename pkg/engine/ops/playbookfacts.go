package ops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

// FactsAnswer is what is known of a service that playbooks go by.
type FactsAnswer struct {
	core.Provenance
	Facts []playbook.Fact
	// Known services, of which Unusual are unusual; Known is 0 where that cannot
	// be told.
	Known, Unusual int
	// Missing says which evidence could not be had; empty for none.
	Missing string
}

const (
	// serving is how long ago a version may have been seen that still serves.
	serving = 2 * time.Minute
	// maxFactTraces is how many example traces a fact names.
	maxFactTraces = 3
)

// Facts answers what is known of a service inside the window: who is to blame
// for its regression, which patterns its requests show, whether its traffic is
// unusual; and how many services are unusual besides.
func (e Advisor) Facts(ctx context.Context, service string, window core.Window) (FactsAnswer, error) {
	answer := FactsAnswer{}
	if e.Traces == nil {
		return answer, core.ErrNoTraces
	}
	var causes traces.RootCauseAnswer
	var patterns traces.PatternsAnswer
	var deploys deploys.Answer
	var traffic, ending []playbook.Fact
	var failures [5]error
	group, groupContext := parallel.WithContext(ctx)
	ask := func(i int, question func(context.Context) error) {
		group.Go(func() error { failures[i] = question(groupContext); return nil })
	}
	ask(0, func(ctx context.Context) (err error) {
		causes, err = e.Comparer.RootCause(ctx, query.RootCause{Service: service}.WithDefaults(), window)
		return err
	})
	ask(1, func(ctx context.Context) (err error) {
		patterns, err = e.Comparer.Patterns(ctx, query.Patterns{Service: service}.WithDefaults(), window)
		return err
	})
	ask(2, func(ctx context.Context) (err error) {
		deploys, err = e.Deploys.Find(ctx, query.Deploys{}, window)
		return err
	})
	ask(3, func(ctx context.Context) (err error) {
		traffic, err = e.unusualTraffic(ctx, service, window)
		return err
	})
	ask(4, func(ctx context.Context) (err error) {
		ending, err = e.endingResources(ctx, service, window)
		return err
	})
	group.Go(func() error { answer.Known, answer.Unusual = e.unusualServices(groupContext, window); return nil })
	_ = group.Wait()
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return answer, err // where time is up, what is missing is told
	}
	var notFound *core.NotFoundError
	if errors.As(failures[0], &notFound) {
		return answer, failures[0]
	}
	if err := errors.Join(failures[:]...); err != nil {
		answer.Missing = err.Error()
	}
	answer.Queries = slices.Concat(causes.Queries, patterns.Queries)
	answer.AddNotice(append(causes.Notices, patterns.Notices...)...)
	if causes.Result.Verdict != diff.Regressed && causes.Result.Reason != "" {
		answer.AddNotice(causes.Result.Reason)
	}
	answer.Facts = append(deployFacts(causes, deploys.Deploys, e.Now()), causeFacts(causes)...)
	answer.Facts = append(append(answer.Facts, patternFacts(patterns)...), append(traffic, ending...)...)
	return answer, nil
}

// deployFacts are the versions that came with the change and still serve: one
// that is gone again needs no rollback.
func deployFacts(a traces.RootCauseAnswer, all []deploys.Deploy, now time.Time) (facts []playbook.Fact) {
	for _, d := range all {
		blamed := d.Service == a.Service && d.Version == a.CandidateVersion
		for _, with := range a.Deploys {
			blamed = blamed || with.Service == d.Service && with.Version == d.Version
		}
		if !blamed || !d.Arrived || d.Version == "" || now.Sub(d.LastSeen) > serving {
			continue
		}
		previous := d.Previous
		if d.Service == a.Service {
			previous = cmp.Or(a.BaselineVersion, previous)
		}
		facts = append(facts, playbook.Fact{
			Kind: playbook.Deployed, Service: d.Service, Version: d.Version, Previous: previous, At: d.At, Strength: 1,
			Text: fmt.Sprintf("%s changed from %s to %s at %s.", d.Service, cmp.Or(previous, "what it was"), d.Version, core.FormatTime(d.At)),
		})
	}
	return facts
}

// causeKinds are what the kinds of suspects mean to playbooks.
var causeKinds = map[cause.Kind]playbook.Kind{
	cause.Statement: playbook.SlowStatement, cause.Database: playbook.SlowStatement,
	cause.NewCall: playbook.MoreCalls, cause.MoreCalls: playbook.MoreCalls,
	cause.Errors: playbook.Failing, cause.PoolWait: playbook.WaitsForPool, cause.LostCache: playbook.LostCache, cause.Outside: playbook.FailingCallee,
}

// causeFacts are the suspects of a regression that is proven.
func causeFacts(a traces.RootCauseAnswer) (facts []playbook.Fact) {
	if a.Result.Verdict != diff.Regressed {
		return nil
	}
	for _, s := range a.Result.Suspects {
		kind, known := causeKinds[s.Kind]
		if !known || s.Service == "" {
			continue
		}
		fact := playbook.Fact{Kind: kind, Service: s.Service, Operation: s.Operation, Peer: cmp.Or(s.Callee, s.Call), At: a.Start, Strength: s.Confidence}
		if len(s.Reasons) > 0 {
			fact.Text = s.Reasons[0]
		}
		for _, id := range s.CandidateExamples[:min(len(s.CandidateExamples), maxFactTraces)] {
			fact.Traces = append(fact.Traces, id.String())
		}
		facts = append(facts, fact)
		if s.Kind != cause.Errors {
			continue
		}
		switch {
		case fact.Peer != "": // the failures come out of what it calls
			fact.Kind = playbook.FailingCallee
			facts = append(facts, fact)
		case s.Service != a.Service:
			fact.Kind, fact.Service, fact.Peer, fact.Operation = playbook.FailingCallee, a.Service, s.Service, ""
			facts = append(facts, fact)
		}
	}
	return facts
}

// patternFacts are patterns that came or grew. Retries that multiply the load
// count whether or not they did before.
func patternFacts(a traces.PatternsAnswer) (facts []playbook.Fact) {
	kinds := map[pattern.Kind]playbook.Kind{
		pattern.RetryStorm: playbook.Retrying, pattern.PoolWait: playbook.WaitsForPool, pattern.SilentWait: playbook.WaitsForPool, pattern.LostCache: playbook.LostCache,
	}
	for _, f := range a.Result.Findings {
		kind, known := kinds[f.Kind]
		came := f.Change == pattern.Introduced || f.Change == pattern.Grown
		if !known || f.Service == "" || f.Change == pattern.Gone || !came && kind != playbook.Retrying {
			continue
		}
		fact := playbook.Fact{Kind: kind, Service: f.Service, Operation: f.Operation, At: a.Start, Strength: 0.6, Text: f.Evidence}
		if came {
			fact.Strength = 1 - math.Max(0, math.Min(1, f.PValue))
		}
		if len(f.Calls) > 0 {
			fact.Peer = cmp.Or(f.Calls[0].Service, f.Calls[0].Operation)
		}
		for _, id := range f.Examples[:min(len(f.Examples), maxFactTraces)] {
			fact.Traces = append(fact.Traces, id.String())
		}
		facts = append(facts, fact)
	}
	return facts
}
