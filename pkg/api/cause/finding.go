package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/ledger"
	"github.com/foresight-observability/foresight/pkg/incident"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

// finding puts the answers together.
func (l *lookup) finding() Finding {
	f := Finding{Service: l.alert.Service(), Notices: l.notices, Queries: l.queries}
	l.addCause(&f)
	l.addIncident(&f)
	l.addChanges(&f)
	f.Statement = statement(f)
	return f
}

// addCause takes the root cause: proven by traces, or else by metrics.
func (l *lookup) addCause(f *Finding) {
	if l.cause == nil {
		return
	}
	a := l.cause
	abnormal := a.Metrics != nil && a.Metrics.Result.Verdict == propagation.Abnormal
	switch {
	case a.Result.Verdict == diff.Regressed && len(a.Result.Suspects) > 0:
		s := a.Result.Suspects[0]
		f.Suspect = &Suspect{
			Name: strings.TrimSpace(cmp.Or(s.Service, a.Service) + " " + s.Operation), Confidence: s.Confidence, For: s.Reasons[:min(maxReasons, len(s.Reasons))],
		}
		if len(s.CandidateExamples) > 0 && len(s.BaselineExamples) > 0 {
			f.SlowTrace, f.NormalTrace = s.CandidateExamples[0].String(), s.BaselineExamples[0].String()
		}
	case abnormal && len(a.Metrics.Result.Suspects) > 0:
		s := a.Metrics.Result.Suspects[0]
		f.Suspect = &Suspect{Name: s.Service, Confidence: s.Share}
		if len(a.Metrics.Reasons) > 0 {
			f.Suspect.For = a.Metrics.Reasons[0][:min(maxReasons, len(a.Metrics.Reasons[0]))]
		}
	default:
		return
	}
	f.Since = a.Start
	if abnormal {
		f.Signal = string(a.Metrics.Signal)
	}
	if a.Metrics != nil && a.Metrics.Begun {
		f.Since = a.Metrics.Onset
	}
}

// addIncident takes the incident in which the alert's service went wrong; of
// several the one that lasts. An alert about no service belongs to the only one
// that lasts.
func (l *lookup) addIncident(f *Finding) {
	var all []incident.Incident
	for _, one := range l.incidents.Incidents {
		about := one.Deepest == f.Service || slices.ContainsFunc(one.Members, func(m incident.Member) bool { return m.Service == f.Service })
		if l.alert.Labels["incident"] == one.ID || f.Service != "" && about || f.Service == "" && one.State != incident.Resolved {
			all = append(all, one)
		}
	}
	if len(all) == 0 || f.Service == "" && l.alert.Labels["incident"] == "" && len(all) > 1 {
		return
	}
	one := all[0]
	for _, other := range all {
		if other.ID == l.alert.Labels["incident"] {
			one = other
		}
	}
	names := make([]string, len(one.Members))
	for i, m := range one.Members {
		names[i] = m.Service
	}
	f.Incident = &Incident{
		ID: one.ID, State: string(one.State), Start: l.incidents.Time(one.Start).UTC(), Deepest: one.Deepest, Cause: one.Cause.Text,
		Services: names[:min(maxServices, len(names))], More: max(0, len(names)-maxServices),
	}
	if minutes := l.incidents.Step.Minutes(); minutes > 0 {
		f.Incident.AffectedPerMinute = one.Affected / minutes
	}
	if f.Since.IsZero() || f.Incident.Start.Before(f.Since) {
		f.Since = f.Incident.Start
	}
	if f.Suspect == nil && cmp.Or(one.Cause.Name, one.Deepest) != "" {
		f.Suspect = &Suspect{Name: cmp.Or(one.Cause.Name, one.Deepest)}
	}
	if f.Suspect == nil {
		return
	}
	for _, e := range one.Cause.Evidence {
		list := &f.Suspect.Against
		if e.For {
			list = &f.Suspect.For
		}
		if len(*list) < maxReasons && !slices.Contains(*list, e.Text) {
			*list = append(slices.Clone(*list), e.Text)
		}
	}
}

// addChanges takes what changed before the begin and is about the suspect, the
// service or the incident; changes that are about all, such as nodes, count too.
func (l *lookup) addChanges(f *Finding) {
	since := cmp.Or(f.Since, l.alert.At)
	services := []string{f.Service}
	if f.Suspect != nil {
		name, _, _ := strings.Cut(f.Suspect.Name, " ")
		services = append(services, name)
	}
	if f.Incident != nil {
		services = append(append(services, f.Incident.Deepest), f.Incident.Services...)
	}
	services = slices.DeleteFunc(services, func(name string) bool { return name == "" })
	var near []engine.LedgerChange
	for _, c := range l.changes.Changes {
		about := len(services) == 0 || slices.ContainsFunc(services, func(name string) bool { return ledger.About(c.Service, name) })
		if about && !c.At.Before(since.Add(-changesBefore)) && !c.At.After(since.Add(changeSlack)) {
			near = append(near, c)
		}
	}
	slices.SortStableFunc(near, func(a, b engine.LedgerChange) int { return b.At.Compare(a.At) })
	if more := len(near) - maxChanges; more > 0 {
		f.Notices = append(f.Notices, fmt.Sprintf("%d earlier changes are left out: the query type changes lists them.", more))
		near = near[:maxChanges]
	}
	for _, c := range near {
		f.Changes = append(f.Changes, Change{At: c.At.UTC(), Kind: c.Kind, Service: c.Service, Text: c.Text})
	}
}

// changeSlack is how long after the first abnormal step a change may be dated: a
// step has a length, and clocks differ.
const changeSlack = 2 * time.Minute

func statement(f Finding) string {
	var parts []string
	switch {
	case f.Incident != nil && len(f.Incident.Services) > 1:
		parts = append(parts, fmt.Sprintf("%d services went wrong since %s, first %s", len(f.Incident.Services)+f.Incident.More, clock(f.Since), join(f.Incident.Services, 3)))
	case f.Service != "" && f.Signal != "":
		parts = append(parts, fmt.Sprintf("%s of %s abnormal since %s", f.Signal, f.Service, clock(f.Since)))
	case f.Service != "" && !f.Since.IsZero():
		parts = append(parts, fmt.Sprintf("%s is abnormal since %s", f.Service, clock(f.Since)))
	}
	if f.Suspect != nil {
		text := "suspect: " + f.Suspect.Name
		if f.Suspect.Confidence > 0 {
			text += fmt.Sprintf(" (confidence %.0f %%)", 100*f.Suspect.Confidence)
		}
		parts = append(parts, text)
	}
	if len(f.Changes) > 0 {
		parts = append(parts, "last change before: "+f.Changes[0].Text)
	}
	return strings.Join(parts, "; ")
}

func clock(t time.Time) string { return t.UTC().Format("15:04 UTC") }
