package pattern

import (
	"fmt"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// describe makes a finding of a judgement.
func (d *detection) describe(j *judgement) Finding {
	f := j.finding
	p := j.place
	path, caller := d.numbers.Path(p.call), d.numbers.Path(p.caller)
	root := d.numbers.Path(path.Root)
	f.Kind, f.Path, f.Endpoint = p.kind, d.key(p.call), d.key(path.Root)
	f.EndpointService, f.EndpointOperation = root.Service, root.Operation
	f.Service, f.Operation = caller.Service, caller.Operation
	for _, id := range append([]trace.PathID{p.call}, readPaths(p.others)...) {
		called := d.numbers.Path(id)
		f.Calls = append(f.Calls, Call{called.Service, called.Operation, called.Example})
	}
	seen, notes := j.now, d.now
	if f.Change == Gone {
		seen, notes = j.past, d.before
	}
	f.Examples = examples(seen, notes, d.options.Examples)
	side := f.Side
	if f.Change == Gone {
		side = *f.Baseline
	}
	f.Evidence = d.evidence(p, side, notes)
	f.Advice = advices[p.kind]
	return f
}

// key is the text form of a path.
func (d *detection) key(id trace.PathID) string {
	path := d.numbers.Path(id)
	if path.Parent == trace.None {
		return path.Key("")
	}
	return path.Key(d.key(path.Parent))
}

// evidence is what was seen, in one sentence that a person can check.
func (d *detection) evidence(p place, side Side, notes *collector) string {
	name := d.numbers.Path(p.call).Operation
	what := ""
	switch p.kind {
	case NPlusOne:
		what = fmt.Sprintf("%s runs %s times, one after the other", name, times(side))
	case NPlusOneRPC:
		what = fmt.Sprintf("%s of %s is called %s times", name, d.numbers.Path(p.call).Service, times(side))
	case PagedRead:
		what = fmt.Sprintf("%s is read page by page, %s pages", name, times(side))
	case Loop:
		what = fmt.Sprintf("a block of %d calls that begins with %s runs %s times", 1+len(readPaths(p.others)), name, times(side))
	case Duplicate:
		what = fmt.Sprintf("%s is called %s times with the same values", name, times(side))
	case Serial:
		what = fmt.Sprintf("%s independent calls, among them %s, wait for each other", times(side), name)
	case Chatty:
		what = fmt.Sprintf("%s calls of %s, at least a fifth of their time on the way", times(side), d.numbers.Path(p.call).Service)
	case ChattyCache:
		what = fmt.Sprintf("%s cache commands, one after the other", times(side))
	case SlowQuery:
		what = fmt.Sprintf("%s takes %s at the median of its slow runs", name, trace.FormatDuration(side.Time))
	case Retry:
		what = fmt.Sprintf("%s fails and is called again, %s attempts", name, times(side))
	case RetryStorm:
		product, _ := notes.storm(p, d.numbers)
		what = fmt.Sprintf("%s gets %.1f calls for each that is meant: retries, through all layers", name, product)
	case PoolWait:
		what = fmt.Sprintf("%s waits %s for a connection", d.numbers.Path(p.caller).Service, trace.FormatDuration(side.Time))
	case SilentWait:
		what = fmt.Sprintf("%s waits %s before %s, longer the more requests are in flight: probably for a connection",
			d.numbers.Path(p.caller).Service, trace.FormatDuration(side.Time), name)
	case LostCache:
		misses, before, _ := lostCache(p, d.before, d.now)
		what = fmt.Sprintf("%s runs in %.0f %% of the lookups, %.0f %% before: the cache used to answer", name, 100*misses, 100*before)
	case PayloadGrowth:
		what = fmt.Sprintf("answers of %s grew at least twofold and take longer", name)
	case LargePayload:
		what = fmt.Sprintf("answers of %s are larger than %d kB and take %s", name, largePayload/1000, trace.FormatDuration(side.Time))
	case Contention:
		correlation, _, _ := contended(notes.works[p.call])
		what = fmt.Sprintf("%s's self time grows with the requests in flight (rank correlation %.2f)", name, correlation)
	}
	return fmt.Sprintf("%s, in %d of %d traces (%.0f %%); without it they would take %s less at the median",
		what, side.Traces, side.Requests, 100*side.Share.Estimate, trace.FormatDuration(side.Saved))
}

// times is the usual number of calls, and the largest where it differs.
func times(side Side) string {
	if side.MaxRepeats > side.Repeats {
		return fmt.Sprintf("%.0f (up to %.0f)", side.Repeats, side.MaxRepeats)
	}
	return fmt.Sprintf("%.0f", side.Repeats)
}

var advices = map[Kind]string{
	NPlusOne:      "Ask for all rows with one statement (a join, or IN with the keys).",
	NPlusOneRPC:   "Fetch all items with one call, or make the calls in parallel with a limit.",
	PagedRead:     "Larger pages need fewer calls.",
	Loop:          "Process all items together: one statement or call for all.",
	Duplicate:     "Ask once and keep the answer for the request.",
	Serial:        "Start the calls together and wait for all of them.",
	Chatty:        "Combine the calls into fewer, or move the work to the callee.",
	ChattyCache:   "Send the commands together: a multi-key command or a pipeline.",
	SlowQuery:     "Look at the statement's plan: a missing index, a plan that changed, locks.",
	Retry:         "Repair what fails; bound retries by a budget, with growing pauses.",
	RetryStorm:    "Retry at one layer only, with a budget and a circuit breaker.",
	PoolWait:      "Hold connections for less time, or allow more of them.",
	SilentWait:    "Let the connection pool send spans or metrics; hold connections for less time, or allow more of them.",
	LostCache:     "Find out why the cache misses: keys, expiry, size, or a read that was removed.",
	PayloadGrowth: "Ask for fewer fields or rows, or compress.",
	LargePayload:  "Ask for fewer fields or rows, in pages, or compress.",
	Contention:    "Look for a lock or a single worker, or give the service more processors.",
}
