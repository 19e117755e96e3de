package detector

import (
	"math"
	"slices"
)

// ring holds the last values of a sequence.
type ring struct {
	values []float64
	next   int // the place of the oldest value
	seen   int // values held
}

func newRing(size int) ring { return ring{values: make([]float64, size)} }

func (r ring) clone() ring {
	r.values = slices.Clone(r.values)
	return r
}

func (r *ring) add(v float64) {
	r.values[r.next] = v
	r.next = (r.next + 1) % len(r.values)
	r.seen = min(r.seen+1, len(r.values))
}

func (r *ring) full() bool { return r.seen == len(r.values) }

// parts are the values of a full ring in order, in two pieces.
func (r *ring) parts() (older, newer []float64) { return r.values[r.next:], r.values[:r.next] }

// held are the values in no order.
func (r *ring) held() []float64 { return r.values[:r.seen] }

// recent is a ring of the last values with the last known one in the place of
// missing ones, zero before the first.
type recent struct {
	ring
	last    float64
	missing bool // the newest value
}

func newRecent(size int) recent { return recent{ring: newRing(size)} }

func (r recent) clone() recent {
	r.ring = r.ring.clone()
	return r
}

func (r *recent) add(v float64) {
	if r.missing = math.IsNaN(v); !r.missing {
		r.last = v
	}
	r.ring.add(r.last)
}

// ready tells whether there is a whole window that ends with a known value.
func (r *recent) ready() bool { return r.full() && !r.missing }
