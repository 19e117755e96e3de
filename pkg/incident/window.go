package incident

import "slices"

// window holds the last values of a series, sorted, so that every quantile is at
// hand.
type window struct {
	size   int
	values []float64 // in the order in which they came
	sorted []float64
}

func newWindow(size int) *window {
	return &window{size: size, values: make([]float64, 0, size), sorted: make([]float64, 0, size)}
}

func (w *window) add(value float64) {
	if len(w.values) == w.size {
		at, _ := slices.BinarySearch(w.sorted, w.values[0])
		w.sorted = slices.Delete(w.sorted, at, at+1)
		w.values = append(w.values[:0], w.values[1:]...)
	}
	at, _ := slices.BinarySearch(w.sorted, value)
	w.sorted = slices.Insert(w.sorted, at, value)
	w.values = append(w.values, value)
}

func (w *window) len() int { return len(w.sorted) }

// quantile of the values; there must be one.
func (w *window) quantile(q float64) float64 {
	at := q * float64(len(w.sorted)-1)
	low := int(at)
	if low+1 >= len(w.sorted) {
		return w.sorted[len(w.sorted)-1]
	}
	return w.sorted[low] + (at-float64(low))*(w.sorted[low+1]-w.sorted[low])
}

func (w *window) clear() { w.values, w.sorted = w.values[:0], w.sorted[:0] }
