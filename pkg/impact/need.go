package impact

import (
	"fmt"
	"slices"
	"time"
)

// need says whether a rollback after our own fail was needed, by what is known
// from elsewhere: a person's word, or what became of the same version later. Our
// fail itself proves nothing, or every false one would count as an incident
// prevented. Open where nothing is known.
func (j judge) need(r Rollback) (Finding, string) {
	var word *Said
	for i, said := range j.Said {
		if j.concerns(said, r) && (word == nil || !said.At.Before(word.At)) {
			word = &j.Said[i]
		}
	}
	switch {
	case word != nil && word.Real:
		return Yes, "a person labelled it as real"
	case word != nil:
		return No, "a person labelled it as not real"
	}
	for _, d := range j.Deploys {
		if r.Version == "" || d.Service != r.Service || d.Version != r.Version || !d.At.After(r.At) {
			continue
		}
		until := d.At.Add(j.FailsWithin)
		if slices.ContainsFunc(j.Incidents, func(i Incident) bool {
			return i.Service == d.Service && i.Source.timed() && within(i.Start, d.At, until)
		}) {
			return Yes, fmt.Sprintf("the same version led to an incident at %s", d.At.UTC().Format(time.RFC3339))
		}
		again := slices.ContainsFunc(j.Rollbacks, func(other Rollback) bool { return other.At.After(r.At) && failedBy(d, other, j.FailsWithin) })
		replaced := slices.ContainsFunc(j.Deploys, func(later Deploy) bool {
			return later.Service == d.Service && later.At.After(d.At) && later.At.Before(until)
		})
		if !again && !replaced && !until.After(j.To) && j.watched(d.Service) && j.RollbacksKnown {
			return No, fmt.Sprintf("the same version served from %s without an incident", d.At.UTC().Format(time.RFC3339))
		}
	}
	return Open, "nothing outside Foresight says whether it was needed"
}

// concerns tells whether a person's word is on the rollout that was rolled back:
// between its deploy and some time after the rollback.
func (j judge) concerns(said Said, r Rollback) bool {
	start := r.At
	for _, d := range j.Deploys {
		if failedBy(d, r, j.FailsWithin) {
			start = d.At
		}
	}
	return said.Service == r.Service && within(said.At, start, r.At.Add(j.FailsWithin))
}

// harmed tells whether an incident of the service had begun before a rollback.
func (j judge) harmed(r Rollback) bool {
	start := r.At.Add(-j.FailsWithin)
	return slices.ContainsFunc(j.Incidents, func(i Incident) bool {
		return i.Service == r.Service && i.Source.timed() && !i.Start.After(r.At) && !i.End.Before(start)
	})
}

// byRollback are the incidents that rollbacks after our fail prevented, and a
// sentence on those that are not counted. Those of unknown need are stated with
// their share.
func (j judge) byRollback() (found []Prevented, notCounted []string) {
	ours, unknown, unneeded := 0, 0, 0
	for _, r := range j.Rollbacks {
		if !r.ByFail {
			continue
		}
		ours++
		at := r.At.UTC().Format(time.RFC3339)
		need, reason := j.need(r)
		switch {
		case j.harmed(r):
			notCounted = append(notCounted, fmt.Sprintf("The rollback of %s at %s came after an incident had begun.", r.Service, at))
		case !j.watched(r.Service):
			unknown++
			notCounted = append(notCounted, fmt.Sprintf("The rollback of %s at %s: whether its users were harmed before is not in the record.", r.Service, at))
		case need == Yes:
			found = append(found, one(ByRollback, r.Service, r.At, "rolled back after our fail, before its users were harmed: "+reason))
		case need == No:
			unneeded++
			notCounted = append(notCounted, fmt.Sprintf("The rollback of %s at %s was not needed: %s.", r.Service, at, reason))
		default:
			unknown++
		}
	}
	if unknown > 0 {
		notCounted = append(notCounted, fmt.Sprintf("Of %d rollbacks after our fail, %d (%.0f %%) are of unknown need, and %d were not needed. Label the event, or roll the same version out again, to tell.",
			ours, unknown, 100*float64(unknown)/float64(ours), unneeded))
	}
	return found, notCounted
}
