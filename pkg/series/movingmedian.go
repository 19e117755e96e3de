package series

import (
	"math"
	"math/bits"
	"slices"
)

// MovingMedian is the median of the window values around each point, missing
// ones left out, with the window moved inside at the ends. NaN where all are
// missing.
func MovingMedian(values []float64, window int) []float64 {
	n := len(values)
	window = min(max(window, 1), max(n, 1))
	in := newRanked(values)
	for i := range min(window, n) {
		in.add(i)
	}
	medians := make([]float64, n)
	low := 0
	for i := range medians {
		for want := min(max(i-window/2, 0), n-window); low < want; low++ {
			in.remove(low)
			in.add(low + window)
		}
		medians[i] = in.median()
	}
	return medians
}

// ranked is a set of some of the values, each known by its rank among all, with a
// mark near the middle of the set. One value more or less moves the middle by at
// most one of the set.
type ranked struct {
	sorted []float64
	ranks  []int // of each value, -1 where it is missing
	held   []uint64
	count  int
	mark   int // a rank
	below  int // how many of the set have a rank below the mark
}

func newRanked(values []float64) *ranked {
	type indexed struct {
		value float64
		index int
	}
	order := make([]indexed, 0, len(values))
	r := &ranked{ranks: make([]int, len(values))}
	for i, v := range values {
		r.ranks[i] = -1
		if !math.IsNaN(v) {
			order = append(order, indexed{v, i})
		}
	}
	slices.SortFunc(order, func(a, b indexed) int { // cmp.Compare would look for NaN
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	r.sorted = make([]float64, len(order))
	for rank, o := range order {
		r.ranks[o.index], r.sorted[rank] = rank, o.value
	}
	r.held = make([]uint64, len(order)/64+1)
	return r
}

func (r *ranked) add(i int) { r.change(r.ranks[i], 1) }

func (r *ranked) remove(i int) { r.change(r.ranks[i], -1) }

func (r *ranked) change(rank, by int) {
	if rank < 0 {
		return
	}
	r.held[rank/64] ^= 1 << (rank % 64)
	r.count += by
	if rank < r.mark {
		r.below += by
	}
}

// median moves the mark to the lower of the middle values.
func (r *ranked) median() float64 {
	if r.count == 0 {
		return math.NaN()
	}
	middle := (r.count - 1) / 2
	for r.below > middle {
		r.mark = r.before(r.mark)
		r.below--
	}
	r.mark = r.from(r.mark)
	for r.below < middle {
		r.mark = r.from(r.mark + 1)
		r.below++
	}
	lower := r.sorted[r.mark]
	if r.count%2 == 1 {
		return lower
	}
	return lower + (r.sorted[r.from(r.mark+1)]-lower)/2
}

// from is the first rank of the set that is not less than rank; there must be
// one.
func (r *ranked) from(rank int) int {
	at := rank / 64
	for word := r.held[at] >> (rank % 64) << (rank % 64); ; word = r.held[at] {
		if word != 0 {
			return at*64 + bits.TrailingZeros64(word)
		}
		at++
	}
}

// before is the last rank of the set that is less than rank; there must be one.
func (r *ranked) before(rank int) int {
	at := rank / 64
	for word := r.held[at] & (1<<(rank%64) - 1); ; word = r.held[at] {
		if word != 0 {
			return at*64 + 63 - bits.LeadingZeros64(word)
		}
		at--
	}
}
