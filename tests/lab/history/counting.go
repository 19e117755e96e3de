package history

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
)

// source generates the samples of some series.
type source interface {
	tracks() []*track
	advance(moment) error // appends one sample to every track
}

// counting generates a counter or a histogram: in each interval the events of
// every bucket are Poisson with the expectation of that load.
type counting struct {
	*family
	random  *rand.Rand
	order   []int       // buckets in rising order
	totals  []float64   // events per second, by level
	shares  [][]float64 // of the buckets, by level
	middles []float64   // a typical observation of each bucket
	counts  []float64   // events so far, by bucket
	sum     float64     // of the observations so far

	buckets               []*track // classic: cumulative, the last for +Inf
	count, total, repeats *track   // classic: _count, _sum and Tempo's calls
	single                *track   // counter or native histogram
}

func newCounting(f *family, seed uint64) *counting {
	c := &counting{family: f, random: randomFor(seed, f.key())}
	c.order = f.bucketOrder()
	c.counts = make([]float64, len(c.order))
	c.middles = make([]float64, len(c.order))
	expected, seen := 0.0, 0.0
	for i, bucket := range c.order {
		c.middles[i] = f.middle(bucket)
	}
	for _, growth := range f.levels {
		total, shares := 0.0, make([]float64, len(c.order))
		for i, bucket := range c.order {
			shares[i] = growth.buckets[bucket]
			total += shares[i]
			expected += shares[i] * c.middles[i]
		}
		for i := range shares {
			if total > 0 {
				shares[i] /= total
			}
		}
		seen += growth.sum
		c.totals, c.shares = append(c.totals, total), append(c.shares, shares)
	}
	if expected > 0 { // make the typical observations add up to what was seen
		for i := range c.middles {
			c.middles[i] *= seen / expected
		}
	}
	c.openTracks()
	return c
}

// bucketOrder lists the buckets; a native histogram gets all between its
// lowest and its highest, so that its layout never changes.
func (f *family) bucketOrder() []int {
	if f.kind == classic {
		all := make([]int, len(f.bounds)+1)
		for i := range all {
			all[i] = i
		}
		return all
	}
	var seen []int
	for _, growth := range f.levels {
		for bucket, rate := range growth.buckets {
			if rate > 0 {
				seen = append(seen, bucket)
			}
		}
	}
	if len(seen) == 0 {
		return []int{0}
	}
	low, high := slices.Min(seen), slices.Max(seen)
	all := make([]int, 0, high-low+1)
	for bucket := low; bucket <= high; bucket++ {
		all = append(all, bucket)
	}
	return all
}

func (f *family) middle(bucket int) float64 {
	switch {
	case f.kind == native: // the geometric middle
		return math.Exp2((float64(bucket) - 0.5) * math.Exp2(-float64(f.schema)))
	case f.kind == counter:
		return 1
	case bucket == 0:
		return f.bounds[0] / 2
	case bucket == len(f.bounds):
		return f.bounds[bucket-1] * 1.5
	}
	return (f.bounds[bucket-1] + f.bounds[bucket]) / 2
}

func (c *counting) openTracks() {
	switch c.kind {
	case classic:
		for _, bound := range append(slices.Clone(c.bounds), math.Inf(1)) {
			le := labels.NewBuilder(c.labels).Set(labels.BucketLabel, formatBound(bound)).Labels()
			c.buckets = append(c.buckets, newTrack(named(le, c.name+"_bucket")))
		}
		c.count, c.total = newTrack(named(c.labels, c.name+"_count")), newTrack(named(c.labels, c.name+"_sum"))
		if c.calls {
			c.repeats = newTrack(named(c.labels, spanCalls))
		}
	default:
		c.single = newTrack(named(c.labels, c.name))
	}
}

func formatBound(bound float64) string {
	if math.IsInf(bound, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(bound, 'f', -1, 64)
}

func (c *counting) tracks() []*track {
	if c.kind != classic {
		return []*track{c.single}
	}
	all := append(slices.Clone(c.buckets), c.count, c.total)
	if c.calls {
		all = append(all, c.repeats)
	}
	return all
}

func (c *counting) advance(m moment) error {
	events := max(0, m.traffic.between(func(level int) float64 { return c.totals[level] })) * m.seconds
	for i := range c.counts {
		share := c.shares[m.stress.low][i]*(1-m.stress.weight) + c.shares[m.stress.high][i]*m.stress.weight
		n := poisson(c.random, events*share)
		c.counts[i] += n
		c.sum += n * c.middles[i]
	}
	switch c.kind {
	case counter:
		c.single.append(m.millis, c.counts[0])
	case native:
		return c.single.appendHistogram(m.millis, c.histogram())
	case classic:
		cumulative := 0.0
		for i, n := range c.counts {
			cumulative += n
			c.buckets[i].append(m.millis, cumulative)
		}
		c.count.append(m.millis, cumulative)
		c.total.append(m.millis, c.sum)
		if c.calls {
			c.repeats.append(m.millis, cumulative)
		}
	}
	return nil
}

// histogram is the native histogram of the counts so far.
func (c *counting) histogram() *histogram.Histogram {
	h := &histogram.Histogram{
		Schema: c.schema, ZeroThreshold: 1e-128, Sum: c.sum, // as the OTLP receiver writes it
		PositiveSpans:   []histogram.Span{{Offset: int32(c.order[0]), Length: uint32(len(c.order))}},
		PositiveBuckets: make([]int64, len(c.order)),
	}
	before := int64(0)
	for i, n := range c.counts {
		h.Count += uint64(n)
		h.PositiveBuckets[i] = int64(n) - before
		before = int64(n)
	}
	return h
}

// randomFor gives every series randomness of its own, so that adding one
// leaves the others as they were.
func randomFor(seed uint64, key string) *rand.Rand {
	hash := fnv.New64a()
	hash.Write([]byte(key))
	return rand.New(rand.NewPCG(seed, hash.Sum64()))
}

// poisson draws from a Poisson distribution: by inversion where the mean is
// small, and from the normal approximation where it is large.
func poisson(random *rand.Rand, mean float64) float64 {
	switch {
	case mean <= 0:
		return 0
	case mean > 40:
		return max(0, math.Round(mean+math.Sqrt(mean)*random.NormFloat64()))
	}
	n, probability := 0.0, math.Exp(-mean)
	for u := random.Float64() - probability; u > 0 && n < 200; u -= probability {
		n++
		probability *= mean / n
	}
	return n
}
