package playbook

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Make plans. It is a pure function: the same rules, configuration and situation
// make the same plan.
func Make(c Config, s Situation) Plan {
	c = c.withDefaults()
	facts := sorted(s.Facts)
	found := matches(facts)
	plan := Plan{Recommendations: []Recommendation{}, Refused: []string{}, Outcomes: c.outcomes(s, found), Records: c.records(s)}
	guards := newGuards(c, s, plan.Outcomes)
	var recommended []Recommendation
	for _, m := range found {
		if reason := unnamed(m.service); reason != "" {
			plan.Refused = append(plan.Refused, fmt.Sprintf("%s: %s", m.rule.Pattern, reason))
			continue
		}
		recommended = append(recommended, c.recommend(m, s.Now))
	}
	slices.SortStableFunc(recommended, func(a, b Recommendation) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(order(a.Pattern), order(b.Pattern)), cmp.Compare(a.ID, b.ID))
	})
	for _, r := range recommended {
		r.State, r.Held = guards.admit(r)
		plan.Recommendations = append(plan.Recommendations, r)
	}
	return plan
}

func (c Config) recommend(m match, now time.Time) Recommendation {
	target := Target{Service: m.service}
	for _, fact := range m.evidence {
		target.Operation = cmp.Or(target.Operation, fact.Operation)
		target.Peer = cmp.Or(target.Peer, fact.Peer)
	}
	if m.deploy != nil {
		target.Version, target.Previous = m.deploy.Version, m.deploy.Previous
	}
	return Recommendation{
		ID: identity(m, target, m.anchor(now, c.Cooldown)), Pattern: m.rule.Pattern, Action: m.rule.Action, Target: target,
		Evidence: m.evidence, Confidence: m.strength, Effect: m.rule.Effect, Risk: m.rule.Risk, Revert: m.rule.Revert,
		ValidUntil: now.Add(c.Settle), VerifyFrom: now.Add(c.Settle), VerifyBy: now.Add(c.Deadline),
	}
}

// identity is the same for the same evidence: it leaves out what may differ from
// look to look, as which of several operations shows an effect the most.
func identity(m match, target Target, anchor time.Time) string {
	sum := sha256.New()
	for _, part := range []string{string(m.rule.Pattern), string(m.rule.Action), target.Service, target.Version, target.Previous, anchor.Format(time.RFC3339)} {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return "plb_" + hex.EncodeToString(sum.Sum(nil)[:12])
}

func order(p Pattern) int {
	return slices.IndexFunc(Rules, func(r Rule) bool { return r.Pattern == p })
}

// sorted are the facts in an order of their own, so that the order in which they
// were found means nothing.
func sorted(facts []Fact) []Fact {
	facts = slices.Clone(facts)
	slices.SortStableFunc(facts, func(a, b Fact) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Kind, b.Kind), cmp.Compare(b.strength(), a.strength()), a.At.Compare(b.At),
			cmp.Compare(a.Version, b.Version), cmp.Compare(a.Previous, b.Previous), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Peer, b.Peer), cmp.Compare(a.Text, b.Text))
	})
	return facts
}

func services(facts []Fact) (names []string) {
	for _, fact := range facts {
		if !slices.Contains(names, fact.Service) {
			names = append(names, fact.Service)
		}
	}
	return names
}

// wildcards are what selects more than one, somewhere.
const wildcards = "*?%|^$[](){}\\,"

// CheckTarget refuses a name that stands for no single service.
func CheckTarget(service string) error {
	if reason := unnamed(service); reason != "" {
		return errors.New(reason)
	}
	return nil
}

// unnamed says why a name stands for no single service; empty where it does. An
// empty set is read as everything by some automation.
func unnamed(service string) string {
	switch {
	case strings.TrimSpace(service) == "":
		return "the target is not named"
	case strings.ContainsAny(service, wildcards):
		return fmt.Sprintf("the target %.60q may stand for more than one service", service)
	case len(service) > maxNameLength:
		return fmt.Sprintf("the target's name has %d bytes", len(service))
	}
	return ""
}

// outcomes judges past actions: what they were to cure is gone, or still there
// at the deadline.
func (c Config) outcomes(s Situation, found []match) []Past {
	judged := []Past{}
	for _, past := range s.Past {
		if past.Outcome != "" {
			continue
		}
		age := s.Now.Sub(past.At)
		still := slices.ContainsFunc(found, func(m match) bool { return m.rule.Pattern == past.Pattern && m.service == past.Service })
		switch {
		case age < c.Settle || s.Missing != "":
			past.Outcome = Pending
		case !still:
			past.Outcome = Verified
		case age >= c.Deadline:
			past.Outcome = Failed
		default:
			past.Outcome = Pending
		}
		judged = append(judged, past)
	}
	slices.SortStableFunc(judged, func(a, b Past) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return judged
}
