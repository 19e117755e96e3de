package topology

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// confidence is that of all reported intervals.
const confidence = 0.95

// tally sums up the calls of an edge, or those that a node answers.
type tally struct {
	peer                 peer
	calls, failed, again int
	unpaired, entries    int
	client, server, gap  []float64
	perTrace             map[int]*inTrace
	own                  map[int]float64 // time of own work by trace
	versions             map[string]int  // of a node, or of an edge's callee
	callers              map[string]int
	operations           map[string]int
	first, last          int64
	examples             []example
}

// inTrace is the calls of one trace: traces are the sampling unit.
type inTrace struct {
	calls  int
	time   float64
	failed bool
}

type example struct {
	id     trace.TraceID
	failed bool
	took   float64
}

func newTally(p peer) *tally {
	return &tally{
		peer: p, perTrace: map[int]*inTrace{}, own: map[int]float64{},
		versions: map[string]int{}, callers: map[string]int{}, operations: map[string]int{},
	}
}

// answer adds one call.
func (t *tally) answer(number int, l *link) {
	t.calls++
	held := t.perTrace[number]
	if held == nil {
		held = &inTrace{}
		t.perTrace[number] = held
	}
	held.calls++
	held.time += float64(l.took())
	if l.failed {
		t.failed++
		held.failed = true
	}
	if l.again {
		t.again++
	}
	if l.unpaired {
		t.unpaired++
	}
	for _, one := range []struct {
		duration int64
		into     *[]float64
	}{{l.client, &t.client}, {l.server, &t.server}, {l.gap, &t.gap}} {
		if one.duration >= 0 {
			*one.into = append(*one.into, float64(one.duration))
		}
	}
}

// took is how long the call took for whoever knows best.
func (l *link) took() int64 {
	if l.client >= 0 {
		return l.client
	}
	return max(0, l.server)
}

// work adds time of a node's own work.
func (t *tally) work(number int, time int64) { t.own[number] += float64(max(0, time)) }

// describe adds what only edges know.
func (t *tally) describe(id trace.TraceID, l *link) {
	t.operations[l.operation]++
	if l.callerVersion != "" {
		t.callers[l.callerVersion]++
	}
	if l.calleeVersion != "" {
		t.versions[l.calleeVersion]++
	}
	if t.first == 0 || l.start < t.first {
		t.first = l.start
	}
	t.last = max(t.last, l.end)
	t.addExample(example{id, l.failed, float64(l.took())})
}

const maxExamples = 3

func (t *tally) addExample(e example) {
	worse := func(a, b example) int {
		if a.failed != b.failed {
			if a.failed {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.took, a.took), bytes.Compare(a.id[:], b.id[:]))
	}
	if same := slices.IndexFunc(t.examples, func(held example) bool { return held.id == e.id }); same >= 0 {
		if worse(e, t.examples[same]) >= 0 {
			return
		}
		t.examples = slices.Delete(t.examples, same, same+1)
	}
	t.examples = append(t.examples, e)
	slices.SortFunc(t.examples, worse)
	t.examples = t.examples[:min(len(t.examples), maxExamples)]
}

// load is the tally in figures, of a population of so many traces.
func (t *tally) load(traces int) Load {
	if t == nil {
		return Load{}
	}
	l := Load{
		Traces: len(t.perTrace), Calls: t.calls,
		Errors: stats.Wilson(stats.Proportion{Successes: t.failed, Trials: t.calls}, confidence),
		Client: quantiles(t.client), Server: quantiles(t.server), Gap: quantiles(t.gap),
		Own: quantiles(slices.Collect(maps.Values(t.own))),
	}
	if traces > 0 {
		l.CallsPerTrace = float64(t.calls) / float64(traces)
	}
	if t.calls > 0 {
		l.Retries = float64(t.again) / float64(t.calls)
	} else {
		l.Errors = stats.Interval{}
	}
	return l
}

func quantiles(values []float64) Quantiles {
	sorted := slices.Sorted(slices.Values(values))
	return Quantiles{Count: len(sorted), P50: stats.Quantile(sorted, 0.5), P95: stats.Quantile(sorted, 0.95)}
}

// versionList is the most frequent first.
func versionList(counts map[string]int) (list []Version) {
	for name, calls := range counts {
		list = append(list, Version{name, calls})
	}
	slices.SortFunc(list, func(a, b Version) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Name, b.Name))
	})
	return list
}

const maxOperations = 5

func operationList(counts map[string]int) (names []string) {
	for _, one := range versionList(counts) {
		names = append(names, one.Name)
	}
	return names[:min(len(names), maxOperations)]
}

func instant(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds).UTC()
}
