// Package gate asks a Foresight data source, through Grafana, whether a version
// may be rolled out further, and waits until there is an answer. It is what the
// command foresight-gate does, and imports nothing of the plugin.
package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Outcome is what a pipeline should make of a version; its value is the exit
// code of the command.
type Outcome int

// The outcomes.
const (
	Pass         Outcome = 0
	Fail         Outcome = 1
	Inconclusive Outcome = 2
	Error        Outcome = 3
)

// String is the outcome in the words of verdicts.
func (o Outcome) String() string {
	return [...]string{"pass", "fail", "inconclusive", "error"}[o]
}

// Result is the outcome with what it rests on.
type Result struct {
	Config  Config
	Outcome Outcome
	Reason  string
	// Answer is the last verdict; nil where there was none.
	Answer *Answer
	Waited time.Duration
	// Marker says what became of the deploy marker; empty where none was wanted.
	Marker string
}

// Code is the exit code: a dry run only reports.
func (r Result) Code() int {
	if r.Config.DryRun {
		return 0
	}
	return int(r.Outcome)
}

// Run posts the deploy marker where it is wanted, and then asks until the
// verdict is pass with the required traffic, or fail, or the deadline has
// passed. It writes to progress what it waits for.
func Run(ctx context.Context, c Config, progress io.Writer) Result {
	w := &waiting{Config: c, client: newClient(c), progress: progress, begun: time.Now()}
	r := Result{Config: c}
	if c.Marker {
		if c.DryRun {
			r.Marker = "not posted: dry run"
		} else if err := w.mark(ctx); err != nil {
			r.Marker = err.Error()
			r.Outcome, r.Reason, r.Waited = Error, "the deploy marker was not posted: "+err.Error(), time.Since(w.begun)
			return r
		} else {
			r.Marker = "posted"
		}
	}
	r.Outcome, r.Reason = w.verdict(ctx)
	r.Answer, r.Waited = w.last, time.Since(w.begun)
	return r
}

// waiting is a run under way.
type waiting struct {
	Config
	client   *client
	progress io.Writer
	begun    time.Time
	// failing is since when every request failed; zero while they succeed.
	failing time.Time
	told    string
	last    *Answer
}

// mark posts the deploy marker, again while Grafana fails: it is saved once.
func (w *waiting) mark(ctx context.Context) error {
	for {
		err := w.client.mark(ctx)
		if err == nil {
			w.failing = time.Time{}
			return nil
		}
		if final := w.failed(ctx, err); final != nil {
			return final
		}
	}
}

// verdict asks until there is an outcome.
func (w *waiting) verdict(ctx context.Context) (Outcome, string) {
	for {
		answer, err := w.client.verdict(ctx)
		var none *noVerdict
		var undecided string
		switch {
		case errors.As(err, &none):
			w.failing, undecided = time.Time{}, "no verdict: "+none.reason
		case err != nil:
			if final := w.failed(ctx, err); final != nil {
				return Error, final.Error()
			}
			continue
		default:
			w.failing, w.last = time.Time{}, answer
			served := answer.requests()
			switch {
			case answer.Verdict == Fail.String():
				return Fail, answer.Reason
			case answer.Verdict == Pass.String() && served >= w.MinRequests:
				return Pass, answer.Reason
			case answer.Verdict == Pass.String():
				undecided = fmt.Sprintf("%s has served %.0f of the %.0f requests that are required", w.Version, served, w.MinRequests)
			default:
				undecided = answer.Reason
			}
		}
		w.tell(undecided)
		if w.past() {
			return Inconclusive, fmt.Sprintf("undecided after %s: %s", w.Deadline, undecided)
		}
		if err := w.pause(ctx, w.Interval); err != nil {
			return Error, err.Error()
		}
	}
}

// failed is the reason to give up after a failure, or nil after the pause before
// the next attempt.
func (w *waiting) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errInterrupted
	}
	var f *failure
	if !errors.As(err, &f) || f.permanent {
		return err
	}
	now := time.Now()
	if w.failing.IsZero() {
		w.failing = now
	}
	if failing := now.Sub(w.failing); failing >= w.Tolerate || w.past() {
		return fmt.Errorf("%w (for %s)", err, failing.Round(time.Second))
	}
	w.tell(err.Error())
	return w.pause(ctx, max(w.Interval, f.retryAfter))
}

var errInterrupted = errors.New("interrupted before there was a verdict")

// past says that the deadline has passed.
func (w *waiting) past() bool { return time.Since(w.begun) >= w.Deadline }

// pause waits, at most until the deadline: the last request is made then.
func (w *waiting) pause(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(min(length, max(0, w.Deadline-time.Since(w.begun))))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return errInterrupted
	case <-timer.C:
		return nil
	}
}

// tell writes what is waited for, once while it stays the same.
func (w *waiting) tell(what string) {
	if what != w.told {
		fmt.Fprintf(w.progress, "%s waiting: %s\n", time.Now().UTC().Format(time.TimeOnly), clean(what))
		w.told = what
	}
}
