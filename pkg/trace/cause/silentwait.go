package cause

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

// waitsSilently says that a change of a path's own time is a wait for a
// connection of a pool that sends no spans: at least half of it lies before the
// first statement of the requests, and either the pauses follow the load, as a
// pool's do, or the pool's metrics changed with them.
func (r *ranking) waitsSilently(s *Suspect, path *diff.Path) bool {
	change := path.Candidate.SelfTime.Mean - path.Baseline.SelfTime.Mean
	for i := range r.evidence.Pauses {
		pause := &r.evidence.Pauses[i]
		grown := pause.Now - pause.Before
		if !r.isWithin(path.Key, pause) || (grown > 0) == r.better(s) || grown*change <= 0 || math.Abs(grown) < math.Abs(change)/2 {
			continue
		}
		if r.followsLoad(s, pause) || r.poolChanged(s, path.Service) {
			s.pause = pause
			return true
		}
	}
	return false
}

// isWithin says that a pause passes in a path: its caller's, or that of local
// work between the caller and the statement.
func (r *ranking) isWithin(path string, pause *pattern.Pause) bool {
	for at := r.paths[pause.Path]; at != nil && at.Key != pause.Caller; {
		if at = r.paths[at.Parent]; at != nil && at.Key == path {
			return true
		}
	}
	return false
}

// followsLoad says that a pattern of silent waits came or went.
func (r *ranking) followsLoad(s *Suspect, pause *pattern.Pause) bool {
	return slices.ContainsFunc(r.evidence.Patterns, func(p pattern.Finding) bool {
		return p.Kind == pattern.SilentWait && p.Path == pause.Path && changed(p.Change, !r.better(s))
	})
}

func changed(change pattern.Change, came bool) bool {
	if came {
		return change == pattern.Introduced || change == pattern.Grown
	}
	return change == pattern.Gone
}

// poolChanged says that metrics of a service's connection pool changed with the
// suspect.
func (r *ranking) poolChanged(s *Suspect, service string) bool {
	return slices.ContainsFunc(r.evidence.Signals, func(signal Signal) bool {
		return signal.Service == service && signal.Kind == Pool && r.agrees(s, signal)
	})
}
