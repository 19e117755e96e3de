package zoo

import (
	"math"
	"math/rand/v2"
	"time"
)

// drawn is a metric under way.
type drawn = func(at time.Time) float64

var (
	traffic = []Kind{Drop, Outage, Rise, Spike, FlatLine, LostRhythm}
	latency = []Kind{Rise, Spike, Saturation}
	gauge   = []Kind{Spike, Creep, Saturation}
)

// Shapes are all kinds of metrics.
func Shapes() []Shape {
	return append(append(append(rhythms(), counts()...), jobs()...), levels()...)
}

// rhythms follow the day and the week.
func rhythms() []Shape {
	return []Shape{
		{Name: "bell, weekends 15 %", begin: bells(0.15, 0.05, 0), Incidents: traffic},
		{Name: "bell, weekends 40 %", begin: bells(0.40, 0.05, 0), Incidents: traffic},
		{Name: "bell, weekends 100 %", begin: bells(1, 0.05, 0), Incidents: traffic},
		{Name: "office hours", begin: office, Incidents: []Kind{Drop, Outage, Rise, Spike}},
		{Name: "growth 1 % a day", begin: bells(0.6, 0.04, 0.01), Incidents: traffic},
		{Name: "growth 3 % a day", begin: bells(0.8, 0.04, 0.03), Incidents: traffic},
		{Name: "multiplicative season", begin: multiplicative, Incidents: []Kind{Drop, Outage, Rise, Spike}},
		{Name: "doubled five days ago", begin: changed(bells(0.4, 0.05, 0), 5*day, func(v float64) float64 { return 2 * v }), Incidents: traffic},
		{Name: "holiday a week ago", begin: between(bells(0.15, 0.05, 0), 7*day, 6*day, func(v float64) float64 { return 0.15*v + 3 }), Incidents: traffic},
		{Name: "outage three days ago", begin: between(bells(0.4, 0.05, 0), 3*day-11*time.Hour, 3*day-13*time.Hour, func(float64) float64 { return 0 }), Incidents: traffic},
		{Name: "Berlin's clock", begin: bells(0.4, 0.05, 0), Incidents: []Kind{Drop, Outage, Spike}, Location: location("Europe/Berlin"),
			From: time.Date(2026, time.October, 23, 0, 0, 0, 0, time.UTC)},
		{Name: "New York's clock", begin: bells(0.4, 0.05, 0), Incidents: []Kind{Drop, Outage, Spike}, Location: location("America/New_York"),
			From: time.Date(2026, time.October, 30, 0, 0, 0, 0, time.UTC)},
		{Name: "below zero", begin: around(-18, 3, 0.4), Incidents: []Kind{Spike, Creep, LostRhythm}},
		{Name: "around zero", begin: around(0, 1, 0.15), Incidents: []Kind{Spike, Creep}},
		{Name: "gaps", begin: gaps(bells(0.4, 0.05, 0)), Incidents: []Kind{Drop, Outage, Rise}},
		{Name: "noise by time of day", begin: noisyNights, Incidents: []Kind{Spike, Creep}},
	}
}

// counts are whole numbers, and shares of them.
func counts() []Shape {
	return []Shape{
		{Name: "counts, 20", begin: poissons(20), Incidents: []Kind{Outage, Rise, Burst}},
		{Name: "counts, 3", begin: poissons(3), Incidents: []Kind{Burst}},
		{Name: "counts, 0.3", begin: poissons(0.3), Incidents: []Kind{Burst}},
		{Name: "counts, 0.05", begin: poissons(0.05), Incidents: []Kind{Burst}},
		{Name: "once in 300 points", begin: poissons(1.0 / 300), Incidents: []Kind{Burst}},
		{Name: "share of errors", begin: errorShare, Incidents: []Kind{Rise, Saturation}},
		{Name: "replicas", begin: replicas, Incidents: []Kind{Outage, Saturation}},
		{Name: "drifting integers", begin: driftingIntegers, Incidents: []Kind{Spike, Outage}},
		{Name: "constant", begin: constant(3), Incidents: []Kind{Outage, Burst}},
	}
}

// jobs run at times, or when they like.
func jobs() []Shape {
	nightly, weekly := 2, 3
	return []Shape{
		{Name: "nightly job", begin: job(nightly, 0, everyDay), Incidents: []Kind{EarlyJob, MissingJob, Rise}, job: nightly},
		{Name: "nightly job, jittered", begin: job(nightly, 15*time.Minute, everyDay), Incidents: []Kind{EarlyJob, Rise}, job: nightly},
		{Name: "weekly job", begin: job(weekly, 0, func(t time.Time) bool { return t.Weekday() == time.Sunday }), Incidents: []Kind{Rise, Spike}, job: weekly},
		{Name: "month-end job", begin: job(weekly, 0, func(t time.Time) bool { return t.AddDate(0, 0, 1).Day() == 1 }), Incidents: []Kind{Rise, Spike}, job: weekly},
		{Name: "hourly job", begin: hourly(0), Incidents: []Kind{Outage, Rise}},
		{Name: "hourly job, jittered", begin: hourly(4 * time.Minute), Incidents: []Kind{Outage, Rise}},
		{Name: "irregular batches", begin: batches, Incidents: []Kind{Saturation, Burst}},
	}
}

// levels have no rhythm, or one of their own.
func levels() []Shape {
	return []Shape{
		{Name: "flat noise", begin: flat(50, 2), Incidents: []Kind{Drop, Outage, Rise, Spike, Creep, FlatLine, Variance}},
		{Name: "heavy-tailed latency", begin: logNormal(0.1, 0.5, 0), Incidents: latency},
		{Name: "autocorrelated latency", begin: logNormal(0.1, 0.3, 20*time.Minute), Incidents: latency},
		{Name: "share of a pool", begin: poolShare, Incidents: []Kind{Saturation}},
		{Name: "sawtooth memory", begin: sawtooth, Incidents: []Kind{Saturation}},
		{Name: "disk with weekly clean-up", begin: disk, Incidents: []Kind{Spike}},
		{Name: "level shift up", begin: changed(flat(50, 2), 4*day, func(v float64) float64 { return v + 30 }), Incidents: gauge},
		{Name: "level shift down", begin: changed(flat(50, 2), 4*day, func(v float64) float64 { return v - 25 }), Incidents: gauge},
		{Name: "counter with resets", begin: resets(flat(200, 6)), Incidents: []Kind{Drop, Rise, Outage}},
		{Name: "jitter of scrapes", begin: jitter(flat(200, 2)), Incidents: []Kind{Drop, Outage, Rise}},
		{Name: "two regimes", begin: regimes, Incidents: []Kind{Saturation, Outage}},
	}
}

func location(name string) *time.Location {
	place, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // the zones are part of Go's distribution
	}
	return place
}

const day = 24 * time.Hour

func hours(at time.Time) float64 {
	return float64(at.Hour()) + float64(at.Minute())/60 + float64(at.Second())/3600
}

// bell is one at 13:00 and zero at 1:00.
func bell(at time.Time) float64 { return 0.5 + 0.5*math.Cos((hours(at)-13)/24*2*math.Pi) }

func weekend(at time.Time) bool {
	return at.Weekday() == time.Saturday || at.Weekday() == time.Sunday
}

// bells are day curves with quieter weekends and growth by the day.
func bells(atWeekend, noise, growth float64) func(*rand.Rand, time.Duration, time.Time) drawn {
	return func(r *rand.Rand, _ time.Duration, judged time.Time) drawn {
		return func(at time.Time) float64 {
			v := 10 + 90*bell(at)
			if weekend(at) {
				v *= atWeekend
			}
			v *= math.Pow(1+growth, at.Sub(judged).Hours()/24)
			return max(v*(1+noise*r.NormFloat64()), 0)
		}
	}
}
