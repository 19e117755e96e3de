package answer

import (
	"fmt"
	"time"
)

// seen says, as part of every verdict, what it rests on: how many traces of the
// candidate it saw, how old the newest was, and what they were compared with.
func (s *samples) seen(now time.Time) string {
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
		text = fmt.Sprintf("Seen: %s of the candidate%s, the newest %s", traces(len(s.after)), since, age(newest, now))
	}
	switch {
	case s.preceded != "":
		text += fmt.Sprintf("; baseline: %s of %s", traces(len(s.before)), s.preceded)
	case s.arrived && s.compared:
		text += fmt.Sprintf("; baseline: %s from before it, since %s", traces(len(s.before)), clock(s.baseline.Start))
	}
	return text + "."
}

func traces(count int) string {
	if count == 1 {
		return "1 trace"
	}
	return fmt.Sprintf("%d traces", count)
}

// longAgo is from when on the instant of a trace says more than its age.
const longAgo = 10 * time.Minute

func age(newest, now time.Time) string {
	if ago := now.Sub(newest); ago < longAgo {
		return fmt.Sprintf("%s old", max(0, ago).Round(time.Second))
	}
	return "of " + clock(newest)
}
