package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Outcome is what came of asking a question while a server failed.
type Outcome int

// The outcomes, the best first.
const (
	Apart   Outcome = iota // not asked: it has nothing to do with the server, as the row of one fault shows
	Right                  // the answer without a fault
	Noticed                // the same, with a notice of what was not looked at
	Less                   // less than the whole answer, with a notice that names what is missing
	Waits                  // a live stream that stays open and says nothing
	Refused                // an error that names the server, within the deadline
	Wrong                  // what must never be
)

// Signs are the outcomes in the table.
var Signs = map[Outcome]string{Apart: "·", Right: "✓", Noticed: "✓n", Less: "part", Waits: "waits", Refused: "error", Wrong: "WRONG"}

// reply is what a question was answered with.
type reply struct {
	facts   facts
	notices []string
	failure string // why there is no answer; empty where there is one
	// blamed says that the failure is told as the server's, and not as ours.
	blamed bool
	took   time.Duration
}

// allowance is how long beyond the deadline an answer may take: a question may
// ask a second thing after the first one failed.
const allowance = Timeout

// limit is the deadline of an answer: a plan of playbooks may take two, and is
// then written down.
func (q Question) limit() time.Duration {
	if q.Name == "playbooks" || q.Name == "playbook's proposal" {
		return 2 * Timeout
	}
	return Timeout
}

// judge compares a reply with the one without a fault. The reason tells what is
// wrong, where that is the outcome.
func (q Question) judge(got, whole reply, failing string) (Outcome, string) {
	if got.took > q.limit()+allowance && whole.facts != nil {
		return Wrong, fmt.Sprintf("it took %s: %s", got.took.Round(time.Millisecond), got.failure)
	}
	if got.failure != "" {
		switch {
		case !strings.Contains(got.failure, failing):
			return Wrong, fmt.Sprintf("the error does not name %s: %s", failing, got.failure)
		case !got.blamed:
			return Wrong, "the error is told as the plugin's own: " + got.failure
		}
		return Refused, ""
	}
	less, wrong := got.facts.against(whole.facts, q.Near)
	if len(wrong) > 0 {
		return Wrong, fmt.Sprintf("%d facts are wrong: %s (notices: %s)", len(wrong), some(wrong), some(got.notices))
	}
	named := false
	for _, notice := range got.notices {
		named = named || strings.Contains(notice, failing)
	}
	switch {
	case len(less) == 0 && !named:
		return Right, ""
	case len(less) == 0:
		return Noticed, ""
	case !named:
		return Wrong, fmt.Sprintf("%d facts are missing and no notice names %s: %s (notices: %s)", len(less), failing, some(less), some(got.notices))
	}
	return Less, ""
}

func some(texts []string) string {
	if len(texts) > 4 {
		return fmt.Sprintf("%s; and %d more", strings.Join(texts[:4], "; "), len(texts)-4)
	}
	return strings.Join(texts, "; ")
}

// expected are the outcomes that a fault may have.
func (q Question) expected(effect Effect, failing string) []Outcome {
	needs, uses := slices.Contains(q.Needs, failing), slices.Contains(q.Uses, failing)
	switch {
	case !needs && !uses:
		return []Outcome{Right}
	case effect == Harmless: // but for what did not come in time
		return []Outcome{Right, Noticed}
	case uses:
		return []Outcome{Right, Noticed, Less}
	case effect == Sometimes:
		return []Outcome{Right, Noticed, Less, Refused}
	}
	return []Outcome{Refused}
}
