// Package ledger lists what changed in the systems: from deploys, from metrics of
// well-known names, and from what others announced.
package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Change is something that changed.
type Change struct {
	At   time.Time
	End  time.Time // the zero time for an instant
	Kind string    // one of query.ChangeKinds
	// Service is what it is about: a service, a workload, a container; empty where it
	// is about all, as nodes.
	Service, Namespace string
	Text               string
	// Worse says that it is bad news in itself.
	Worse bool
	// Source is who or what announced it: a metric, an annotation, a trace store.
	Source string
}

// Answer is the changes in a window, oldest first.
type Answer struct {
	core.Provenance
	Changes []Change
}

// Keeper evaluates queries over changes.
type Keeper struct {
	core.Sources
	Deploys deploys.Detector
}

const (
	// ledgerSteps is how finely metrics are looked at, and minLedgerStep the finest
	// step.
	ledgerSteps, minLedgerStep = 500, 15 * time.Second
	// maxChanges bounds the list; the newest stay. maxPerProbe bounds what one
	// metric may tell: with more it is noise.
	maxChanges, maxPerProbe = 1000, 200
	// parallelProbes is how many metrics are asked side by side.
	parallelProbes = 4
)

// Changes lists what changed inside the window.
func (k Keeper) Changes(ctx context.Context, q query.LedgerChanges, window core.Window) (Answer, error) {
	answer := Answer{}
	if k.Metrics == nil && k.Traces == nil && k.Incidents == nil {
		return answer, core.ErrNoMetrics
	}
	if now := k.Now(); window.To.After(now) {
		window.To = now
	}
	if q.Wants("deploy") {
		k.addDeploys(ctx, window, &answer)
	}
	k.addAnnotations(ctx, q, window, &answer)
	if k.Metrics != nil {
		if err := k.addMetrics(ctx, q, window, &answer); err != nil {
			return answer, err
		}
	}
	answer.Changes = slices.DeleteFunc(answer.Changes, func(c Change) bool {
		return !q.Wants(c.Kind) || !About(c.Service, q.Service)
	})
	slices.SortStableFunc(answer.Changes, func(a, b Change) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Text, b.Text))
	})
	if more := len(answer.Changes) - maxChanges; more > 0 {
		answer.AddNotice(fmt.Sprintf("Only the newest %d of %d changes are listed.", maxChanges, len(answer.Changes)))
		answer.Changes = answer.Changes[more:]
	}
	return answer, nil
}

// About says whether a change is about a service: by its name, or by that of a
// workload, pod or setting whose name begins with it. What is about nothing in
// particular is about all.
func About(subject, service string) bool {
	if service == "" || subject == "" || subject == service {
		return true
	}
	rest, begins := strings.CutPrefix(subject, service)
	return begins && strings.IndexAny(rest, "-._/") == 0
}

func (k Keeper) addDeploys(ctx context.Context, window core.Window, answer *Answer) {
	patience, cancel := context.WithTimeout(ctx, core.SideTimeout)
	defer cancel()
	found, err := k.Deploys.Find(patience, query.Deploys{}, window)
	if err != nil {
		answer.AddNotice(fmt.Sprintf("Deploys are not listed: %v", err))
		return
	}
	for _, d := range found.Deploys {
		if !d.Arrived {
			continue
		}
		text := fmt.Sprintf("%s %s arrived", d.Service, d.Version)
		if d.Previous != "" {
			text += ", after " + d.Previous
		}
		answer.Changes = append(answer.Changes, Change{At: d.At, Kind: "deploy", Service: d.Service, Text: text, Source: string(d.Source)})
	}
}

// addAnnotations adds what people and programs announced in Grafana.
func (k Keeper) addAnnotations(ctx context.Context, q query.LedgerChanges, window core.Window, answer *Answer) {
	patience, cancel := context.WithTimeout(ctx, core.SideTimeout)
	defer cancel()
	if k.Incidents != nil && q.Wants("incident") {
		incidents, warnings, err := k.Incidents.Read(patience, window.From, window.To)
		answer.AddNotice(warnings...)
		if err != nil {
			answer.AddNotice(fmt.Sprintf("Incidents are not listed: %v", err))
		}
		for _, i := range incidents {
			text := "incident"
			if i.Service != "" {
				text += " of " + i.Service
			}
			answer.Changes = append(answer.Changes, Change{At: i.Start, End: i.End, Kind: "incident", Service: i.Service, Text: text, Worse: true, Source: "annotation"})
		}
	}
	if k.Announced != nil && q.Wants("announced") {
		announced, warnings, err := k.Announced.Read(patience, window.From, window.To)
		answer.AddNotice(warnings...)
		if err != nil {
			answer.AddNotice(fmt.Sprintf("Announced changes are not listed: %v", err))
		}
		for _, c := range announced {
			text := cmp.Or(c.Text, "change")
			if c.Kind != "" {
				text = c.Kind + ": " + text
			}
			answer.Changes = append(answer.Changes, Change{At: c.Start, End: c.End, Kind: "announced", Service: c.Service, Text: text, Source: "annotation"})
		}
	}
	if k.Acts != nil && q.Wants("action") {
		acts, warnings, err := k.Acts.Read(patience, window.From, window.To)
		answer.AddNotice(warnings...)
		if err != nil {
			answer.AddNotice(fmt.Sprintf("Actions of playbooks are not listed: %v", err))
		}
		for _, a := range acts {
			if !a.Proposed {
				answer.Changes = append(answer.Changes, Change{At: a.At, Kind: "action", Service: a.Service, Text: cmp.Or(a.Action, a.Playbook, "action"), Source: "annotation"})
			}
		}
	}
}

// addMetrics adds what metrics of well-known names tell, of those that there are.
func (k Keeper) addMetrics(ctx context.Context, q query.LedgerChanges, window core.Window, answer *Answer) error {
	existing, err := k.existing(ctx, q, window)
	if err != nil {
		return err
	}
	length := max(window.To.Sub(window.From)/ledgerSteps, minLedgerStep).Round(time.Second)
	// A little earlier, so that what changes with the window's begin is seen.
	grid := upstream.Range{Start: core.Floor(window.From.Add(-(maxGap+1)*length), length), End: core.Floor(window.To, length), Step: length}
	found := make([][]Change, len(probes))
	notices := make([]string, len(probes))
	group, groupContext := parallel.WithContext(ctx)
	group.SetLimit(parallelProbes)
	for i, p := range probes {
		if !q.Wants(p.kind) || !existing[p.metric] {
			continue
		}
		answer.AddQuery("%s", p.promQL)
		group.Go(func() error {
			set, err := k.Metrics.QueryRange(groupContext, p.promQL, grid)
			if err != nil {
				notices[i] = fmt.Sprintf("%s was not looked at: %v", p.metric, err)
				return nil // one metric less is no reason to list nothing
			}
			for _, one := range set.Series {
				found[i] = append(found[i], p.changes(one, window.From, window.To)...)
			}
			if len(found[i]) > maxPerProbe {
				notices[i] = fmt.Sprintf("%s changed %d times: only the newest %d are listed.", p.metric, len(found[i]), maxPerProbe)
				slices.SortStableFunc(found[i], func(a, b Change) int { return a.At.Compare(b.At) })
				found[i] = found[i][len(found[i])-maxPerProbe:]
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i := range probes {
		answer.Changes = append(answer.Changes, found[i]...)
		answer.AddNotice(notices[i])
	}
	return nil
}

func (k Keeper) existing(ctx context.Context, q query.LedgerChanges, window core.Window) (map[string]bool, error) {
	var names []string
	for _, p := range probes {
		if q.Wants(p.kind) {
			names = append(names, p.metric)
		}
	}
	existing := map[string]bool{}
	if len(names) == 0 {
		return existing, nil
	}
	slices.Sort(names)
	from, to := core.Hourly(window)
	found, _, err := k.Metrics.LabelValues(ctx, "__name__", []string{`{__name__=~"` + strings.Join(slices.Compact(names), "|") + `"}`}, from, to)
	for _, name := range found {
		existing[name] = true
	}
	return existing, err
}

// changes are those that one series shows, inside a window.
func (p probe) changes(one series.Series, from, to time.Time) (found []Change) {
	var all []step
	switch p.how {
	case byStep:
		all = steps(one, false)
	case byPresence:
		all = steps(one, true)
	case byRise:
		all = rises(one)
	case byCrossing:
		all = crossings(one, p.limit)
	case byInstant:
		all = instants(one, from, to)
	}
	var names []string
	for _, label := range p.labels {
		if value := one.Labels[label]; value != "" {
			names = append(names, value)
		}
	}
	if len(names) == 0 {
		return nil
	}
	what := strings.Join(names, ", ")
	service := names[0]
	if p.kind == "node" {
		service = ""
	}
	for _, s := range all {
		ended := p.how == byPresence && s.now != s.now
		if s.at.Before(from) || s.at.After(to) || ended && p.worse {
			continue // that bad news ended is no change
		}
		found = append(found, Change{
			At: s.at, Kind: p.kind, Service: service, Namespace: one.Labels["namespace"],
			Text: p.describe(what, s.before, s.now), Worse: p.worse, Source: p.metric,
		})
	}
	return found
}
