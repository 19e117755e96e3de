package impact

import (
	"fmt"
	"slices"
	"time"
)

// JudgedEpisode is an alert with what came of it.
type JudgedEpisode struct {
	Episode
	Finding Finding // whether it was right
	Reason  string
}

func (j judge) episodes() (judged []JudgedEpisode) {
	for _, e := range j.Episodes {
		finding, reason := j.episode(e)
		judged = append(judged, JudgedEpisode{e, finding, reason})
	}
	return judged
}

// episode judges an alert. The word of a person counts before all else. A
// warning is judged once its horizon has passed, and is no false alarm where
// somebody acted on it.
func (j judge) episode(e Episode) (Finding, string) {
	if said, ok := j.said(e); ok {
		if said.Real {
			return Yes, "a person labelled it as real"
		}
		return No, "a person labelled it as not real"
	}
	if e.Service == "" {
		return Open, "its labels name no service"
	}
	until := e.End.Add(max(e.Horizon, j.Tolerance))
	for _, i := range j.Incidents {
		if i.Service == e.Service && !i.Start.After(until) && !i.End.Before(e.Start.Add(-j.Tolerance)) {
			return Yes, fmt.Sprintf("an incident began at %s (%s)", i.Start.UTC().Format(time.RFC3339), i.Source)
		}
	}
	if slices.ContainsFunc(j.Rollbacks, func(r Rollback) bool {
		need, _ := j.need(r)
		return r.ByFail && need == Open && r.Service == e.Service && within(r.At, e.Start.Add(-j.Tolerance), until.Add(j.FailsWithin))
	}) {
		return Open, "a rollout was rolled back after our fail; whether that was needed is unknown"
	}
	switch {
	case !j.watched(e.Service):
		return Open, "whether its service did harm is not in the record"
	case e.Firing || until.After(j.To):
		return Open, "its time has not passed"
	case e.Horizon > 0 && j.acted(e.Service, e.Start, until):
		return Acted, "an action was taken before its horizon had passed"
	}
	return No, "no incident came of it"
}

// said is the last word on an alert, while it fired or within the tolerance
// after it.
func (j judge) said(e Episode) (last Said, found bool) {
	for _, said := range j.Said {
		concerns := said.Service == "" || said.Service == e.Service
		if concerns && within(said.At, e.Start, e.End.Add(j.Tolerance)) && (!found || !said.At.Before(last.At)) {
			last, found = said, true
		}
	}
	return last, found
}
