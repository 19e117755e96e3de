package impact

import (
	"cmp"
	"slices"
	"time"
)

// JudgedIncident is an incident with how it was detected.
type JudgedIncident struct {
	Incident
	Finding Finding // whether an alert detected it in time
	// Detected says that an alert fired while it lasted, from Detect after its
	// begin on; 0 where one fired already.
	Detected bool
	Detect   time.Duration
	// Lead is how long before its begin a warning came; 0 for none.
	Lead time.Duration
	// begunBefore says that it began before the record, so that nothing is known
	// of its begin.
	begunBefore bool
}

// harmOfRollbacks is the time from a deploy to its rollback. A rollout that our
// own verdict stopped counts where it is known to have been needed.
func (j judge) harmOfRollbacks() []Incident {
	incidents := slices.Clone(j.Incidents)
	for _, r := range j.Rollbacks {
		if need, _ := j.need(r); r.ByFail && need != Yes {
			continue
		}
		start := r.At
		for _, d := range j.Deploys {
			if failedBy(d, r, j.FailsWithin) {
				start = d.At
			}
		}
		incidents = append(incidents, Incident{Service: r.Service, Start: start, End: r.At, Source: RolledOut})
	}
	return incidents
}

// harmConfirmed are the events that a person called real and that no alert
// detected. Those that an alert detected are counted there, and those that our
// fail stopped are counted as prevented.
func (j judge) harmConfirmed() (incidents []Incident) {
	for _, said := range j.Said {
		alerted := slices.ContainsFunc(j.Episodes, func(e Episode) bool {
			return (said.Service == "" || said.Service == e.Service) && within(said.At, e.Start, e.End.Add(j.Tolerance))
		})
		ours := slices.ContainsFunc(j.Rollbacks, func(r Rollback) bool { return r.ByFail && j.concerns(said, r) })
		if said.Real && !alerted && !ours && said.Service != "" {
			incidents = append(incidents, Incident{Service: said.Service, Start: said.At, End: said.At, Source: Confirmed})
		}
	}
	return incidents
}

// merge makes incidents of one service that overlap one. The most trusted source
// has the word on when it was.
func merge(incidents []Incident) (merged []Incident) {
	slices.SortStableFunc(incidents, func(a, b Incident) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(trust[a.Source], trust[b.Source]), a.Start.Compare(b.Start))
	})
	for _, next := range incidents {
		known := slices.IndexFunc(merged, func(i Incident) bool {
			return i.Service == next.Service && !next.Start.After(i.End) && !next.End.Before(i.Start)
		})
		switch {
		case known < 0:
			merged = append(merged, next)
		case merged[known].Source == next.Source:
			if next.End.After(merged[known].End) {
				merged[known].End = next.End
			}
			merged[known].Ongoing = merged[known].Ongoing || next.Ongoing
		}
	}
	slices.SortStableFunc(merged, func(a, b Incident) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Service, b.Service))
	})
	return merged
}

func (j judge) incidents() (judged []JudgedIncident) {
	for _, i := range j.Incidents {
		// Whether a rollout is undone is not for alerts to tell: only that an alert
		// about it was right.
		if i.Source != RolledOut {
			judged = append(judged, j.incident(i))
		}
	}
	return judged
}

// incident looks for the alerts of an incident: those that fired at its begin or
// came while it lasted, and warnings whose horizon it fell into: they need not
// fire any more.
func (j judge) incident(i Incident) JudgedIncident {
	one := JudgedIncident{Incident: i, Finding: No, begunBefore: !i.Start.After(j.From)}
	for _, e := range j.Episodes {
		if e.Service != i.Service {
			continue
		}
		if e.Horizon > 0 && e.Start.Before(i.Start) && !i.Start.After(e.Start.Add(e.Horizon)) {
			one.Lead = max(one.Lead, i.Start.Sub(e.Start))
		}
		if e.End.Before(i.Start.Add(-j.Tolerance)) || e.Start.After(i.End.Add(j.Tolerance)) {
			continue
		}
		if late := max(0, e.Start.Sub(i.Start)); !one.Detected || late < one.Detect {
			one.Detected, one.Detect = true, late
		}
	}
	switch {
	case one.Lead > 0 || one.Detected && one.Detect <= j.Budget:
		one.Finding = Yes
	case one.begunBefore || !i.Start.Add(j.Budget).Before(j.To):
		one.Finding = Open
	}
	return one
}
