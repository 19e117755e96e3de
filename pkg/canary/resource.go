package canary

import "fmt"

// Resource is how full what the instances of two versions run on is: the share
// of the processors, or of the connections of a pool, that they use on average,
// 0–1; NaN where not known.
type Resource struct {
	Name                string
	Baseline, Candidate float64
}

// A resource is as good as used up from fullFrom on. It is the candidate's own
// doing where the baseline has so much more room.
const fullFrom, moreRoom = 0.9, 0.1

// Full says that the candidate has used up what the baseline has not. Samples of
// a resource depend on each other, so that no error of such a judgement could be
// stated: it holds a rollout, and neither fails nor rolls back anything.
func (r Resource) Full() bool { return r.Candidate >= fullFrom && r.Candidate-r.Baseline >= moreRoom }

func (r Resource) reported() string {
	return fmt.Sprintf("%s: the candidate uses %.0f %% of what it has, the baseline %.0f %%. It has no room for more traffic.",
		r.Name, 100*r.Candidate, 100*r.Baseline)
}
