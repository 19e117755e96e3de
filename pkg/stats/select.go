package stats

import "math"

const (
	// fewValues are selected from as they are; more are narrowed down first.
	fewValues = 128
	// maxKept is the share of the values that a round may leave: what it leaves then
	// fits beside what the rounds before it left.
	maxKept = 0.5
)

// OrderStatistic is the k-th smallest value of x (from 0), which holds no NaN and
// is not changed.
func OrderStatistic(x []float64, k int) float64 {
	v, _ := ranks(x, k, k)
	return v
}

// ranks are the values of two ranks, the same or neighbours, of x, which holds no
// NaN and is not changed. In each round all values are compared with two of a
// sample that most likely lie on either side, and only what lies between them is
// kept (Floyd and Rivest, Communications of the ACM 18, 1975). No branch depends
// on a value, which processors would guess wrong every other time.
func ranks(x []float64, low, high int) (a, b float64) {
	return narrowed(x, make([]float64, len(x)), low, high)
}

// narrowed is ranks in a room as large as x, which is overwritten.
func narrowed(x, room []float64, low, high int) (a, b float64) {
	rest := x
	for len(rest) > fewValues {
		from, to := bracket(rest, low)
		less, n := keep(rest, room, from, to)
		if low < less || high >= less+n || float64(n) > maxKept*float64(len(rest)) {
			break // the sample misled, or many values are equal
		}
		rest, room, low, high = room[:n], room[n:], low-less, high-less
	}
	return hoare(room[:copy(room, rest)], low, high)
}

// keep copies what lies from one value to another into a room as large as
// x, and counts what lies below.
func keep(x, room []float64, from, to float64) (less, n int) {
	room = room[:len(x)]
	for _, v := range x {
		room[n] = v
		less += one(v < from)
		n += one(v >= from) & one(v <= to)
	}
	return less, n
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// bracket are two values that a rank lies between, two standard deviations of the
// sample's rank away.
func bracket(x []float64, rank int) (from, to float64) {
	var room [63]float64
	sample := room[:31]
	if len(x) >= 4096 {
		sample = room[:]
	}
	// At random, since what is evenly spaced may have a season's distance.
	state := uint64(len(x))
	for i := range sample {
		state = state*6364136223846793005 + 1442695040888963407
		sample[i] = x[(state>>32)*uint64(len(x))>>32]
	}
	insertionSort(sample)
	size := float64(len(sample))
	position, away := float64(rank)/float64(len(x))*size, math.Sqrt(size)
	from, to = math.Inf(-1), math.Inf(1)
	if at := int(math.Floor(position - away)); at >= 0 {
		from = sample[at]
	}
	if at := int(math.Ceil(position + away)); at < len(sample) {
		to = sample[at]
	}
	return from, to
}

func insertionSort(x []float64) {
	for i := 1; i < len(x); i++ {
		v, j := x[i], i
		for ; j > 0 && x[j-1] > v; j-- {
			x[j] = x[j-1]
		}
		x[j] = v
	}
}

// hoare is ranks by Hoare's selection, which reorders x and does not mind how many
// values are equal.
func hoare(x []float64, low, high int) (a, b float64) {
	from, to := 0, len(x)-1
	for from < to {
		pivot := x[from+(to-from)/2]
		i, j := from, to
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		switch {
		case high <= j:
			to = j
		case high >= i:
			from = i
		default:
			from = to
		}
	}
	b = x[high]
	if low == high {
		return b, b
	}
	a = x[0]
	for _, v := range x[:high] {
		a = max(a, v)
	}
	return a, b
}
