package diff

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// reason says in one sentence why the verdict is what it is.
func (c *comparison) reason(r *Result) string {
	switch r.Verdict {
	case NotComparable:
		return fmt.Sprintf("The two sides have no endpoint in common: %d and %d traces, each of other requests.",
			r.Baseline.Traces, r.Candidate.Traces)
	case Insufficient:
		return c.reasonInsufficient(r)
	case NoChange:
		return c.reasonNoChange()
	}
	if len(r.Suspects) == 0 {
		return "The populations differ."
	}
	return c.reasonSuspect(&r.Suspects[0])
}

func (c *comparison) reasonInsufficient(r *Result) string {
	if len(c.endpoints) == 0 {
		return fmt.Sprintf("Not enough data: neither side has a trace; a judgement needs %d of one endpoint on each side.", c.options.MinTraces)
	}
	if undecided := c.undecided(); undecided != nil {
		return c.reasonUndecided(r, undecided)
	}
	best := &c.endpoints[0]
	for i := range c.endpoints {
		e := &c.endpoints[i]
		if min(e.Baseline, e.Candidate) > min(best.Baseline, best.Candidate) {
			best = e
		}
	}
	smaller, side, count := "candidate", &r.Candidate, best.Candidate
	if best.Baseline < best.Candidate {
		smaller, side, count = "baseline", &r.Baseline, best.Baseline
	}
	return fmt.Sprintf("Not enough data: %s has %d traces in the baseline and %d in the candidate; a judgement needs %d on each side, %d more of the %s%s.",
		nameOf(best.Service, best.Operation), best.Baseline, best.Candidate, c.options.MinTraces, r.NeededTraces, smaller,
		waiting(r.NeededTraces, count, side.End.Sub(side.Start)))
}

// waiting says how long more traces take to come at the rate of those that are
// there; nothing where that is unknown.
func waiting(needed, count int, span time.Duration) string {
	if count < 2 || span < time.Second {
		return ""
	}
	wait := time.Duration(float64(needed) / float64(count) * float64(span))
	return fmt.Sprintf(", about %s at this rate", max(wait, time.Second).Round(time.Second))
}

func (c *comparison) reasonNoChange() string {
	most := c.largest(true)
	return fmt.Sprintf("No significant difference: %s takes %.2f× as long (95 %% %.2f–%.2f; shown to be less than %.2f× or %s either way, its mean and 95th percentile less than %.2f×), %s → %s at the median; %s; %d vs %d traces.",
		nameOf(most.Service, most.Operation), most.Change, most.ChangeLower, most.ChangeUpper, c.options.MinRatio, trace.FormatDuration(most.minChange), c.options.MinRatio*c.options.MinRatio,
		trace.FormatDuration(most.BaselineDuration.P50), trace.FormatDuration(most.CandidateDuration.P50), c.failures(most), most.Candidate, most.Baseline)
}

// failures says what is known of an endpoint's failures where they do not
// differ: so few requests do not exclude that they became more.
func (c *comparison) failures(e *endpoint) string {
	root := &c.results[e.root]
	failed := func(s *PathSummary) stats.Proportion {
		return stats.Proportion{Successes: int(math.Round(s.ErrorRate * float64(s.Calls))), Trials: s.Calls}
	}
	before, after := failed(&root.Baseline), failed(&root.Candidate)
	return fmt.Sprintf("it fails in %s of the requests, was %s (an increase by %.1f points is not excluded)",
		percent(after.Rate()), percent(before.Rate()), 100*max(stats.Newcombe(before, after, confidence).Upper, 0))
}

func (c *comparison) reasonSuspect(suspect *Suspect) string {
	var path *Path
	for i := range c.results {
		if c.results[i].Key == suspect.Path {
			path = &c.results[i]
		}
	}
	e := &c.endpoints[0]
	for i := range c.endpoints {
		if c.endpoints[i].Key == suspect.Endpoint {
			e = &c.endpoints[i]
		}
	}
	sentence := whatChanged(path, suspect)
	if share := whatItExplains(path, e, suspect); share != "" {
		sentence += "; " + share
	}
	if len(suspect.Explanations) > 0 {
		sentence += "; " + suspect.Explanations[0].String()
	}
	return fmt.Sprintf("%s; %d vs %d traces, p %s", sentence, e.Candidate, e.Baseline, probability(suspect.Finding.PValue))
}

// whatChanged describes the finding on the suspect's path.
func whatChanged(path *Path, suspect *Suspect) string {
	name, f := nameOf(path.Service, path.Operation), &suspect.Finding
	limits := fmt.Sprintf("95 %% %s–%s", ratioText(f.Lower), ratioText(f.Upper))
	if !f.Worse && f.Effect < 1 && f.Lower > 0 && (suspect.Kind == SelfTime || suspect.Kind == OwnTail || suspect.Kind == Latency) {
		limits = fmt.Sprintf("95 %% %s–%s", ratioText(1/f.Upper), ratioText(1/f.Lower))
	}
	switch suspect.Kind {
	case SelfTime, Latency:
		before, after := path.Baseline.SelfTime.P50, path.Candidate.SelfTime.P50
		if suspect.Kind == Latency {
			before, after = path.Baseline.Duration.P50, path.Candidate.Duration.P50
		}
		return fmt.Sprintf("%s is %s (%s): %s → %s at the median", name, slower(f), limits, trace.FormatDuration(before), trace.FormatDuration(after))
	case OwnTail:
		return fmt.Sprintf("the slowest calls of %s are %s at the 95th percentile (%s)", name, slower(f), limits)
	case Gap:
		if f.Aspect == Gap && path.Candidate.Gap.Mean == 0 {
			return fmt.Sprintf("the way from %s to several services (network, queue, connection) takes %s× as long (%s)", name, ratioText(f.Effect), limits)
		}
		return fmt.Sprintf("the way to %s (network, queue, connection) takes %s× as long (%s): %s → %s at the median",
			name, ratioText(f.Effect), limits, trace.FormatDuration(path.Baseline.Gap.P50), trace.FormatDuration(path.Candidate.Gap.P50))
	case Calls:
		return fmt.Sprintf("%s is called %s× as often (%s): %.2f → %.2f calls per request",
			name, ratioText(f.Effect), limits, path.Baseline.CallsPerRequest, path.Candidate.CallsPerRequest)
	case New:
		return fmt.Sprintf("%s is new: in %.0f %% of the requests of its caller, %.3g calls per request of %s at the median",
			name, 100*f.Effect, path.Candidate.CallsPerRequest, trace.FormatDuration(path.Candidate.Duration.P50))
	case Gone:
		return fmt.Sprintf("%s no longer makes a call that it made in %.0f %% of its requests", name, 100*f.Effect)
	case ErrorRate:
		sentence := fmt.Sprintf("%s fails in %s of its calls, was %s (difference 95 %% %s–%s)", name,
			percent(path.Candidate.ErrorRate), percent(path.Baseline.ErrorRate), percent(f.Lower), percent(f.Upper))
		if f.Worse && len(path.ErrorTypes) > 0 && path.ErrorTypes[0].New {
			sentence += ", with errors not seen before: " + nameOf("", path.ErrorTypes[0].Name)
		}
		return sentence
	}
	return name + " changed"
}

func slower(f *Finding) string {
	if f.Worse {
		return ratioText(f.Effect) + "× slower"
	}
	return ratioText(1/f.Effect) + "× faster"
}

func whatItExplains(path *Path, e *endpoint, suspect *Suspect) string {
	if suspect.Share < 0.005 || path.Key == e.Key && suspect.Kind == Latency {
		return ""
	}
	direction := "slowdown"
	if suspect.Kind == ErrorRate {
		direction = "additional failures"
	} else if e.MeanChange < 0 {
		direction = "speedup"
	}
	return fmt.Sprintf("it explains %.0f %% of the %s of %s (mean %s → %s)", 100*suspect.Share, direction,
		nameOf(e.Service, e.Operation), trace.FormatDuration(e.BaselineDuration.Mean), trace.FormatDuration(e.CandidateDuration.Mean))
}

func nameOf(service, operation string) string {
	if len(operation) > 200 {
		operation = strings.ToValidUTF8(operation[:200], "") + "…"
	}
	if service == "" {
		return operation
	}
	return service + ": " + operation
}

func threeDigits(value float64) string {
	switch {
	case value >= 100:
		return fmt.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprintf("%.2f", value)
}

func ratioText(ratio float64) string {
	if math.IsInf(ratio, 0) || ratio > 9999 {
		return ">9999"
	}
	return threeDigits(ratio)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func probability(p float64) string {
	if p < 1e-12 {
		return "< 1e-12"
	}
	return fmt.Sprintf("= %.1g", p)
}
