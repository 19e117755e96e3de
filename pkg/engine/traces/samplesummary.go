package traces

import (
	"fmt"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
)

// summary says, as part of every verdict, what it rests on: how many traces of the
// candidate it saw, how old the newest was when its window ended, and what they
// were compared with. It does not say how old it is now: replicas that are
// asked one after the other give the same answer.
func (s *samples) summary() string {
	since := ""
	if s.arrived {
		since = " since the deploy"
	}
	text := fmt.Sprintf("Seen: no trace of the candidate%s", since)
	if len(s.after) > 0 {
		newest := s.after[0].Start()
		for i := range s.after {
			if start := s.after[i].Start(); start.After(newest) {
				newest = start
			}
		}
		age := max(0, s.Candidate.End.Sub(newest)).Round(time.Second)
		text = fmt.Sprintf("Seen: %s of the candidate%s, the newest %s old at %s", traces(len(s.after)), since, age, core.FormatTime(s.Candidate.End))
	}
	switch {
	case s.preceded != "":
		text += fmt.Sprintf("; baseline: %s of %s", traces(len(s.before)), s.preceded)
	case s.arrived && s.compared:
		text += fmt.Sprintf("; baseline: %s from before it, since %s", traces(len(s.before)), core.FormatTime(s.Baseline.Start))
	}
	return text + "."
}

// withSummary is a reason, and after it what was seen.
func (s *samples) withSummary(reason string) string {
	return strings.TrimSuffix(reason, ".") + ". " + s.summary()
}

func traces(count int) string {
	if count == 1 {
		return "1 trace"
	}
	return fmt.Sprintf("%d traces", count)
}
