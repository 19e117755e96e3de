package impact

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// JudgedDeploy is a deploy with what came of it.
type JudgedDeploy struct {
	Deploy
	Finding Finding // whether it failed
	Reason  string
}

// changes are the deploys that brought something new. A return to a version that
// was left shortly before is the rollback of the one that it replaces.
func changes(deploys []Deploy, within time.Duration) (kept []Deploy, undone []Rollback) {
	deploys = slices.Clone(deploys)
	slices.SortStableFunc(deploys, func(a, b Deploy) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), a.At.Compare(b.At), cmp.Compare(a.Version, b.Version))
	})
	for i, d := range deploys {
		if i >= 2 && d.Version != "" {
			failed, before := deploys[i-1], deploys[i-2]
			sameService := failed.Service == d.Service && before.Service == d.Service
			if sameService && before.Version == d.Version && failed.Version != d.Version && d.At.Sub(failed.At) <= within {
				undone = append(undone, Rollback{Service: d.Service, Version: failed.Version, At: d.At})
				continue
			}
		}
		kept = append(kept, d)
	}
	slices.SortStableFunc(kept, func(a, b Deploy) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Service, b.Service)) })
	return kept, undone
}

// join adds the rollbacks that deploys show to those that are known otherwise,
// each once.
func join(known, undone []Rollback, within time.Duration) []Rollback {
	known = slices.Clone(known)
	for _, u := range undone {
		same := slices.ContainsFunc(known, func(k Rollback) bool {
			return k.Service == u.Service && (k.Version == "" || k.Version == u.Version) && k.At.Sub(u.At).Abs() <= within
		})
		if !same {
			known = append(known, u)
		}
	}
	return known
}

// failedBy tells whether a rollback undid a deploy.
func failedBy(d Deploy, r Rollback, longest time.Duration) bool {
	return d.Service == r.Service && (d.Version == "" || r.Version == "" || d.Version == r.Version) && within(r.At, d.At, d.At.Add(longest))
}

func (j judge) deploys() (judged []JudgedDeploy) {
	for i, d := range j.Deploys {
		// What follows is attributed to the newest deploy before it.
		next := j.To
		for _, later := range j.Deploys[i+1:] {
			if later.Service == d.Service && later.At.Before(next) {
				next = later.At
			}
		}
		finding, reason := j.deploy(d, next)
		judged = append(judged, JudgedDeploy{d, finding, reason})
	}
	return judged
}

func (j judge) deploy(d Deploy, next time.Time) (Finding, string) {
	for _, r := range j.Rollbacks {
		if failedBy(d, r, j.FailsWithin) && !r.At.After(next) {
			if need, reason := j.need(r); r.ByFail && need != Yes {
				return need, "it was rolled back after our fail: " + reason
			}
			return Yes, fmt.Sprintf("it was rolled back after %s", r.At.Sub(d.At).Round(time.Second))
		}
	}
	until := d.At.Add(j.FailsWithin)
	for _, i := range j.Incidents {
		if i.Service == d.Service && i.Source != RolledOut && within(i.Start, d.At, until) && i.Start.Before(next) {
			return Yes, fmt.Sprintf("an incident began after %s (%s)", i.Start.Sub(d.At).Round(time.Second), i.Source)
		}
	}
	switch {
	case !j.watched(d.Service) && !j.RollbacksKnown:
		return Open, "whether its service did harm, or was rolled back, is not in the record"
	case until.After(j.To):
		return Open, "its time has not passed"
	}
	return No, "neither an incident nor a rollback followed"
}
