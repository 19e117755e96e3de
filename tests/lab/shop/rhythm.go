package shop

import (
	"math"
	"time"
)

// Load is what the world asks of the shop at a given time.
type Load interface {
	// Factor is the traffic relative to the mean.
	Factor(time.Time) float64
	// Contention is what neighbours on the same machines take, as a share of
	// capacity.
	Contention(time.Time) float64
	// Reindexing says whether the nightly job of the catalog runs.
	Reindexing(time.Time) bool
}

// Rhythm is the load of ordinary weeks: a daily wave, quieter weekends, slow
// noise, a job at night and now and then a noisy neighbour. It is a function of
// the wall clock (UTC) and the seed alone, so that live traffic continues the
// history that was written before it.
type Rhythm struct{ Seed uint64 }

const reindexHour, reindexMinutes = 2, 15

// Factor has a mean of about 1 over a week, a trough of about 0.7 at night and
// a peak of about 1.3 in the afternoon.
func (r Rhythm) Factor(t time.Time) float64 {
	t = t.UTC()
	hour := float64(t.Hour()) + float64(t.Minute())/60 + float64(t.Second())/3600
	day := 1 + 0.21*math.Cos(2*math.Pi*(hour-15)/24) + 0.05*math.Cos(4*math.Pi*(hour-20)/24)

	// Weekends are quieter, with a smooth step of two hours around midnight.
	sinceMonday := float64((int(t.Weekday())+6)%7)*24 + hour
	weekend := smoothStep((sinceMonday-119)/2) - smoothStep((sinceMonday-167)/2)
	if sinceMonday < 1 {
		weekend = 1 - smoothStep((sinceMonday+1)/2)
	}
	week := 1.023 - 0.08*weekend

	noise := 0.03*r.noise(t, 20*time.Minute, 1) + 0.02*r.noise(t, 3*time.Minute, 2)
	return day * week * (1 + noise)
}

// Contention is zero most of the time; about one hump of 10 to 40 minutes in 20
// hours reaches up to 0.3.
func (r Rhythm) Contention(t time.Time) float64 {
	const slot = 6 * time.Hour
	index := t.UnixNano() / int64(slot)
	if r.uniform(index, 3) > 0.3 {
		return 0
	}
	length := 10 + 30*r.uniform(index, 4)
	start := r.uniform(index, 5) * (slot.Minutes() - length)
	into := (time.Duration(t.UnixNano()%int64(slot)).Minutes() - start) / length
	if into <= 0 || into >= 1 {
		return 0
	}
	height := 0.1 + 0.2*r.uniform(index, 6)
	return height * math.Sin(math.Pi*into)
}

// Reindexing is true from 02:00 to 02:15 UTC.
func (r Rhythm) Reindexing(t time.Time) bool {
	t = t.UTC()
	return t.Hour() == reindexHour && t.Minute() < reindexMinutes
}

// noise is smooth noise between -1 and 1 with knots every period.
func (r Rhythm) noise(t time.Time, period time.Duration, stream uint64) float64 {
	index := t.UnixNano() / int64(period)
	into := float64(t.UnixNano()%int64(period)) / float64(period)
	from, to := 2*r.uniform(index, stream)-1, 2*r.uniform(index+1, stream)-1
	return from + (to-from)*smoothStep(into)
}

// uniform is a number in [0, 1) that belongs to the index for ever.
func (r Rhythm) uniform(index int64, stream uint64) float64 {
	x := mix(uint64(index) ^ mix(r.Seed^mix(stream)))
	return float64(x>>11) / (1 << 53)
}

// mix is the finaliser of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func smoothStep(x float64) float64 {
	x = min(1, max(0, x))
	return x * x * (3 - 2*x)
}
