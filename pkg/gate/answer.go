package gate

import (
	"encoding/json"
	"fmt"
	"time"
)

// maxAge is how old the end of a verdict's window may be. It allows for clocks
// that differ, and tells an answer that a proxy kept.
const maxAge = 15 * time.Minute

// Answer is a verdict as the route verdict of the data source writes it.
type Answer struct {
	Verdict, Reason, Service, Baseline, Candidate, ID string
	Score                                             float64
	// NeededRequests and NeededSeconds are what it takes to pass; 0 where that is
	// not known.
	NeededRequests, NeededSeconds float64
	Window                        struct{ From, To, Served time.Time }
	Metrics                       []Signal
	Resources                     []Resource
	Warnings                      []string
}

// Signal is one way in which requests go wrong.
type Signal struct {
	Name, Verdict       string
	Critical            bool
	Baseline, Candidate Tally
	Evidence, Threshold float64
}

// Tally counts requests, and those of them that went wrong.
type Tally struct{ Bad, Requests float64 }

// Resource is a share in use, 0–1; nil where it is not known.
type Resource struct {
	Name                string
	Full                bool
	Baseline, Candidate *float64
}

// requests is what the candidate has served, by the signal that counts most.
func (a *Answer) requests() float64 {
	most := 0.0
	for _, s := range a.Metrics {
		most = max(most, s.Candidate.Requests)
	}
	return most
}

// readAnswer reads a verdict on what was asked for, and refuses any other.
func readAnswer(body []byte, c Config, now time.Time) (*Answer, error) {
	var a Answer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, unexpected(err.Error(), body)
	}
	if problem := a.problem(c, now); problem != "" {
		return nil, unexpected(problem, body)
	}
	return &a, nil
}

// problem says why an answer is no verdict on what was asked for.
func (a *Answer) problem(c Config, now time.Time) string {
	switch {
	case a.Verdict != Pass.String() && a.Verdict != Fail.String() && a.Verdict != Inconclusive.String():
		return fmt.Sprintf("its verdict is %.40q", a.Verdict)
	case a.Service != c.Service:
		return fmt.Sprintf("it is on service %.80q, not %q", a.Service, c.Service)
	case a.Candidate != c.Version:
		return fmt.Sprintf("it is on version %.80q, not %q", a.Candidate, c.Version)
	case c.Baseline != "" && a.Baseline != c.Baseline:
		return fmt.Sprintf("it compares with version %.80q, not %q", a.Baseline, c.Baseline)
	case now.Sub(a.Window.To) > maxAge:
		return fmt.Sprintf("it is of %s, which is too old", a.Window.To.UTC().Format(time.RFC3339))
	case a.Verdict != Pass.String():
		return ""
	case len(a.Metrics) == 0:
		return "it passes without any evidence"
	}
	for _, s := range a.Metrics {
		if s.Critical && s.Verdict == Fail.String() {
			return fmt.Sprintf("it passes although %.40q fails", s.Name)
		}
	}
	return ""
}
