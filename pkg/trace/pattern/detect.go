package pattern

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// detection is the work of one Detect.
type detection struct {
	options       Options
	numbers       *trace.Paths
	before, now   *collector
	hasBaseline   bool
	endpoints     map[trace.PathID]*endpoint // of the candidate
	pastEndpoints map[trace.PathID]*endpoint
}

// endpoint is all requests with one root path.
type endpoint struct {
	requests     int
	mean, median float64 // duration, nanoseconds
}

// Detect finds the patterns of a population of traces and, where there is a
// baseline, what became of each since. It never fails, and the answer does not
// depend on the order of the traces or of their spans.
func Detect(candidate, baseline []trace.Trace, options Options) Result {
	d := detection{options: options.withDefaults(), numbers: trace.NewPaths(options.Limits)}
	d.before = read(baseline, d.numbers, nil, &d.options)
	d.now = read(candidate, d.numbers, d.before.usuals(), &d.options)
	d.hasBaseline = len(d.before.requests) > 0
	d.endpoints, d.pastEndpoints = d.now.endpoints(), d.before.endpoints()
	d.now.nameStorms(d.numbers)
	d.before.nameStorms(d.numbers)
	d.addPopulations()

	var judged []*judgement
	for _, p := range d.places() {
		if j := d.judge(p); j != nil {
			judged = append(judged, j)
		}
	}
	d.decideChanges(judged)
	result := Result{Traces: len(d.now.requests), BaselineTraces: len(d.before.requests), Notices: d.notices()}
	result.Pauses = d.comparedPauses()
	for _, j := range judged {
		if j.finding.Change != dropped {
			result.Findings = append(result.Findings, d.describe(j))
		}
	}
	slices.SortFunc(result.Findings, compareFindings)
	return result
}

func compareFindings(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(order(a.Change), order(b.Change)),
		cmp.Compare(b.Side.SavedPerRequest*float64(b.Side.Requests), a.Side.SavedPerRequest*float64(a.Side.Requests)),
		cmp.Compare(b.Side.Share.Estimate, a.Side.Share.Estimate),
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Evidence, b.Evidence),
	)
}

// order puts what a deploy brought first and what it took away last.
func order(c Change) int {
	return slices.Index([]Change{Introduced, Grown, Unknown, Unchanged, Gone}, c)
}

// endpoints are the requests by root path.
func (n *collector) endpoints() map[trace.PathID]*endpoint {
	durations := map[trace.PathID][]float64{}
	for _, r := range n.requests {
		durations[r.root] = append(durations[r.root], float64(r.end-r.start))
	}
	found := map[trace.PathID]*endpoint{}
	for root, values := range durations {
		sum := 0.0
		for _, value := range values {
			sum += value
		}
		found[root] = &endpoint{requests: len(values), mean: sum / float64(len(values)), median: stats.MedianOf(values)}
	}
	return found
}

// nameStorms turns retries into storms where they multiply the callee's load.
func (n *collector) nameStorms(numbers *trace.Paths) {
	for _, p := range sortedPlaces(n.places) {
		if p.kind != Retry {
			continue
		}
		if _, isStorm := n.storm(p, numbers); isStorm {
			n.places[place{kind: RetryStorm, caller: p.caller, call: p.call}] = n.places[p]
			delete(n.places, p)
		}
	}
}

// addPopulations adds what shows only over all traces: growing answers, and
// work that grows with company.
func (d *detection) addPopulations() {
	if d.hasBaseline {
		for _, grew := range payloads(d.before, d.now, &d.options) {
			path := d.numbers.Path(grew.path)
			for _, w := range d.now.sizes[grew.path] {
				if w.duration > grew.typical {
					d.now.record(place{kind: PayloadGrowth, caller: max(path.Parent, 0), call: grew.path}, occurrence{
						request: w.request, repeats: 1, time: int64(w.duration), saved: int64(min(w.duration-grew.typical, w.held)), sure: true,
					})
				}
			}
		}
	}
	for _, n := range []*collector{d.before, d.now} {
		waiting := n.addPauses(&d.options)
		for _, path := range slices.Sorted(maps.Keys(n.works)) {
			_, quiet, found := contended(n.works[path])
			if !found || waiting[path] {
				continue
			}
			for _, w := range n.works[path] {
				if excess := float64(w.self) - quiet; excess > 0 {
					saved := min(excess, float64(w.held))
					n.record(place{kind: Contention, caller: path, call: path}, occurrence{
						request: w.request, repeats: 1, time: w.self, saved: int64(saved), sure: true,
					})
				}
			}
		}
	}
}

// places are those seen on either side, in a fixed order.
func (d *detection) places() []place {
	all := maps.Clone(d.now.places)
	for p := range d.before.places {
		all[p] = nil
	}
	return sortedPlaces(all)
}

func sortedPlaces(places map[place][]occurrence) []place {
	return slices.SortedFunc(maps.Keys(places), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.caller, b.caller), cmp.Compare(a.call, b.call), cmp.Compare(a.others, b.others))
	})
}

func (d *detection) notices() []string {
	var notices []string
	for _, side := range []struct {
		name  string
		notes *collector
	}{{"candidate", d.now}, {"baseline", d.before}} {
		if side.notes.incomplete > 0 {
			notices = append(notices, fmt.Sprintf("%d of %d traces of the %s have missing spans: what they lack cannot be seen.",
				side.notes.incomplete, len(side.notes.requests), side.name))
		}
		notices = append(notices, side.notes.repairs.Notices(side.name)...)
	}
	if d.numbers.Folded > 0 {
		notices = append(notices, fmt.Sprintf("%d calls beyond the limits of depth and number were counted together.", d.numbers.Folded))
	}
	return notices
}
