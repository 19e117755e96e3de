package fleet

import (
	"slices"
)

// fault is something that goes wrong for a time.
type fault struct {
	kind       string
	begin, end int
	ramp       int // steps until it is at its worst
	where      []int
	slow       float64 // factor of the own time
	fails      float64 // own share of failures
	more       float64 // factor of the traffic from outside
	inZone     int     // failures only in one zone; -1 for all
	hidden     bool    // metrics are missing
	deploys    bool
	strength   float64 // in this step
}

func (f fault) acts(t int) bool { return t >= f.begin && t < f.end }

func (f fault) at(t int) fault {
	f.strength = 1
	if f.ramp > 0 {
		f.strength = min(1, float64(t-f.begin+1)/float64(f.ramp))
	}
	return f
}

func (f fault) here(i int) bool { return slices.Contains(f.where, i) }

func (f fault) slower(i int) float64 {
	if f.slow == 0 || !f.here(i) {
		return 1
	}
	return 1 + (f.slow-1)*f.strength
}

func (f fault) failing(i int) float64 {
	if f.inZone >= 0 || !f.here(i) {
		return 0
	}
	return f.fails * f.strength
}

func (f fault) zone(i, z int) float64 {
	if f.inZone != z || !f.here(i) {
		return 0
	}
	return f.fails * f.strength
}

func (f fault) traffic(i int) float64 {
	if f.more == 0 || !f.here(i) {
		return 1
	}
	return 1 + (f.more-1)*f.strength
}

func (f fault) hides(i int) bool { return f.hidden && f.here(i) }

// truth is what an incident should be said to be.
type truth struct {
	kind    string
	begin   int
	deepest []string // any of these; none where nothing on the map is to blame
}

// kinds of cases; "two" are two faults of other kinds at once.
var kinds = []string{"dependency", "database", "zone", "deploy", "surge", "telemetry", "two"}

// afflict lets one kind of fault happen, not near any service to avoid.
func (w *world) afflict(kind string, begin int, avoid []int) truth {
	length := 25 + w.random.IntN(20)
	f := fault{kind: kind, begin: begin, end: begin + length, ramp: w.random.IntN(5), inZone: -1}
	t := truth{kind: kind, begin: begin}
	switch kind {
	case "dependency", "deploy":
		f.where = []int{w.pick(avoid, func(i int) bool { return !w.nodes[i].store && w.nodes[i].busy >= 30 && w.nodes[i].entry == 0 })}
		w.harm(&f, f.where[0])
		f.deploys = kind == "deploy"
	case "database":
		f.where = []int{w.pick(avoid, func(i int) bool { return w.nodes[i].store && w.clients(i) >= 3 && w.nodes[i].busy >= 50 })}
		w.harm(&f, f.where[0])
	case "zone":
		f.inZone, f.fails = w.random.IntN(3), 0.2+0.8*w.random.Float64()
		for i, n := range w.nodes {
			if !n.store && w.random.Float64() < 0.8 {
				f.where = append(f.where, i)
			}
		}
		w.faults = append(w.faults, f)
		return t
	case "surge":
		return w.surge(f, t)
	case "telemetry":
		f.hidden = true
		for i := range w.nodes {
			if w.random.Float64() < 0.15 {
				f.where = append(f.where, i)
			}
		}
		if w.random.Float64() < 0.4 {
			f.where = []int{w.pick(avoid, func(i int) bool { return !w.nodes[i].store && w.nodes[i].busy >= 60 })}
		}
		w.faults = append(w.faults, f)
		return t
	}
	t.deepest = []string{w.nodes[f.where[0]].name}
	w.faults = append(w.faults, f)
	return t
}

// harm makes a service slow, or fail, or both.
func (w *world) harm(f *fault, i int) {
	n := w.nodes[i]
	way := w.random.Float64()
	if way < 0.6 {
		f.fails = 0.1 + 0.9*w.random.Float64()*w.random.Float64()
	}
	if way > 0.4 {
		// So much that the whole duration grows by 0.8 to 6 of itself.
		f.slow = 1 + (0.8+5*w.random.Float64())*n.normal/(n.own/(1-n.busy/n.capacity))
	}
}

// surge multiplies the traffic of an entry, more than some service below bears.
func (w *world) surge(f fault, t truth) truth {
	entry := w.pick(nil, func(i int) bool { return w.nodes[i].entry > 0 })
	f.where, f.more, f.ramp = []int{entry}, 2+1.5*w.random.Float64(), 3+w.random.IntN(8)
	// One service below is the tightest; the others have room.
	share := w.share(entry)
	tight, most := -1, 0.0
	for i, part := range share {
		if n := w.nodes[i]; i != entry && !n.store && n.busy > 60 && part*w.random.Float64() > most {
			tight, most = i, part
		}
	}
	for i, n := range w.nodes {
		grown := 1 + (f.more-1)*share[i]
		n.capacity = max(n.capacity, n.busy*grown*8)
		if i == tight {
			// At that time of the day it bears three quarters of the surge.
			n.capacity = n.busy * season(f.begin, w.phase) * (1 + (grown-1)*0.75) / 0.95
		}
	}
	t.deepest = []string{w.nodes[tight].name}
	w.faults = append(w.faults, f)
	return t
}

// share is the part of each service's requests that come from an entry.
func (w *world) share(entry int) []float64 {
	from := make([]float64, len(w.nodes))
	from[entry] = w.nodes[entry].entry
	for _, i := range w.order {
		for _, c := range w.nodes[i].calls {
			if !c.back {
				from[c.to] += c.weight * from[i]
			}
		}
	}
	for i := range from {
		from[i] = min(1, from[i]/w.nodes[i].busy)
	}
	return from
}

func (w *world) clients(i int) (n int) {
	for _, s := range w.nodes {
		for _, c := range s.calls {
			if c.to == i {
				n++
			}
		}
	}
	return n
}

// pick chooses a service that neither calls one to avoid nor is called by one.
func (w *world) pick(avoid []int, fits func(int) bool) int {
	for {
		i := w.random.IntN(len(w.nodes))
		if fits(i) && !slices.ContainsFunc(avoid, func(a int) bool { return a == i || w.reaches(i, a, 0) || w.reaches(a, i, 0) }) {
			return i
		}
	}
}

func (w *world) reaches(from, to, depth int) bool {
	if from == to {
		return true
	}
	return depth < 12 && slices.ContainsFunc(w.nodes[from].calls, func(c call) bool { return !c.back && w.reaches(c.to, to, depth+1) })
}
