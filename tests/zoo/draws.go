package zoo

import (
	"math"
	"math/rand/v2"
	"time"
)

// The draws of single shapes.

func office(r *rand.Rand, _ time.Duration, _ time.Time) drawn {
	return func(at time.Time) float64 {
		v := 10.0
		if !weekend(at) && at.Hour() >= 9 && at.Hour() < 18 {
			v = 80
		}
		return v * (1 + 0.05*r.NormFloat64())
	}
}

func multiplicative(r *rand.Rand, _ time.Duration, judged time.Time) drawn {
	return func(at time.Time) float64 {
		level := 40 * (1 + 0.3*math.Sin(at.Sub(judged).Hours()/24/9))
		return level * math.Exp(1.2*bell(at)+0.05*r.NormFloat64())
	}
}

// changed is another shape, changed from some time before the judged part on.
func changed(begin func(*rand.Rand, time.Duration, time.Time) drawn, before time.Duration, change func(float64) float64) func(*rand.Rand, time.Duration, time.Time) drawn {
	return between(begin, before, -10_000*time.Hour, change)
}

// between is another shape, changed for a time before the judged part.
func between(begin func(*rand.Rand, time.Duration, time.Time) drawn, from, to time.Duration, change func(float64) float64) func(*rand.Rand, time.Duration, time.Time) drawn {
	return func(r *rand.Rand, step time.Duration, judged time.Time) drawn {
		next := begin(r, step, judged)
		return func(at time.Time) float64 {
			v := next(at)
			if !at.Before(judged.Add(-from)) && at.Before(judged.Add(-to)) {
				return change(v)
			}
			return v
		}
	}
}

func around(center, height, noise float64) func(*rand.Rand, time.Duration, time.Time) drawn {
	return func(r *rand.Rand, _ time.Duration, _ time.Time) drawn {
		return func(at time.Time) float64 { return center + height*(2*bell(at)-1) + noise*r.NormFloat64() }
	}
}

// gaps leaves out single points, and half an hour now and then.
func gaps(begin func(*rand.Rand, time.Duration, time.Time) drawn) func(*rand.Rand, time.Duration, time.Time) drawn {
	return func(r *rand.Rand, step time.Duration, judged time.Time) drawn {
		next, silent := begin(r, step, judged), time.Time{}
		return func(at time.Time) float64 {
			v := next(at)
			if r.Float64() < step.Hours()/24 {
				silent = at.Add(30 * time.Minute)
			}
			if r.Float64() < 0.02 || at.Before(silent) {
				return math.NaN()
			}
			return v
		}
	}
}

func noisyNights(r *rand.Rand, _ time.Duration, _ time.Time) drawn {
	return func(at time.Time) float64 {
		noise := 1.0
		if at.Hour() < 6 {
			noise = 5
		}
		return 60 + 10*bell(at) + noise*r.NormFloat64()
	}
}

func poissons(mean float64) func(*rand.Rand, time.Duration, time.Time) drawn {
	return func(r *rand.Rand, _ time.Duration, _ time.Time) drawn {
		return func(time.Time) float64 { return poisson(r, mean) }
	}
}

// poisson draws a count: a product of uniforms, a large mean in parts.
func poisson(r *rand.Rand, mean float64) float64 {
	count := 0.0
	for ; mean > 0; mean -= 30 {
		limit, product := math.Exp(-min(mean, 30)), r.Float64()
		for product > limit {
			count++
			product *= r.Float64()
		}
	}
	return count
}

// errorShare is the share of failed requests, noisier where there is less
// traffic.
func errorShare(r *rand.Rand, _ time.Duration, _ time.Time) drawn {
	return func(at time.Time) float64 {
		requests := max(poisson(r, 20+300*bell(at)), 1)
		return poisson(r, 0.02*requests) / requests
	}
}

// replicas follow the load up at once and down slowly.
func replicas(r *rand.Rand, _ time.Duration, _ time.Time) drawn {
	held, since := 0.0, time.Time{}
	return func(at time.Time) float64 {
		want := math.Ceil(2 + 8*bell(at) + 0.2*r.NormFloat64())
		if want > held || at.Sub(since) > 10*time.Minute {
			if want != held {
				held, since = want, at
			}
		}
		return held
	}
}

func driftingIntegers(r *rand.Rand, step time.Duration, _ time.Time) drawn {
	v := 400.0
	return func(time.Time) float64 {
		v += 3*math.Sqrt(step.Hours())*r.NormFloat64() - (v-400)*step.Hours()/200
		return math.Round(v)
	}
}

func constant(v float64) func(*rand.Rand, time.Duration, time.Time) drawn {
	return func(*rand.Rand, time.Duration, time.Time) drawn { return func(time.Time) float64 { return v } }
}

func everyDay(time.Time) bool { return true }

// job runs for three quarters of an hour, at the hour or some minutes off.
func job(hour int, jitter time.Duration, runs func(time.Time) bool) func(*rand.Rand, time.Duration, time.Time) drawn {
	return func(r *rand.Rand, _ time.Duration, _ time.Time) drawn {
		today, begins := -1, time.Time{}
		return func(at time.Time) float64 {
			if at.YearDay() != today {
				today = at.YearDay()
				begins = time.Date(at.Year(), at.Month(), at.Day(), hour, 0, 0, 0, at.Location())
				begins = begins.Add(time.Duration((2*r.Float64() - 1) * float64(jitter)))
			}
			v := 20 + 1.5*r.NormFloat64()
			if runs(at) && !at.Before(begins) && at.Before(begins.Add(45*time.Minute)) {
				v += 60 + 4*r.NormFloat64()
			}
			return v
		}
	}
}

func hourly(jitter time.Duration) func(*rand.Rand, time.Duration, time.Time) drawn {
	return func(r *rand.Rand, _ time.Duration, _ time.Time) drawn {
		hour, begins := time.Time{}, time.Time{}
		return func(at time.Time) float64 {
			if this := at.Truncate(time.Hour); !this.Equal(hour) {
				hour = this
				begins = this.Add(5*time.Minute + time.Duration(r.Float64()*float64(jitter)))
			}
			v := 30 + 2*r.NormFloat64()
			if !at.Before(begins) && at.Before(begins.Add(10*time.Minute)) {
				v += 40
			}
			return v
		}
	}
}

// batches come about three times a day and last as long as they like.
func batches(r *rand.Rand, step time.Duration, _ time.Time) drawn {
	until := time.Time{}
	return func(at time.Time) float64 {
		if at.After(until) && r.Float64() < 3*step.Hours()/24 {
			until = at.Add(time.Duration((10 + 30*r.Float64()) * float64(time.Minute)))
		}
		if at.Before(until) {
			return 70 + 5*r.NormFloat64()
		}
		return 10 + r.NormFloat64()
	}
}

func flat(level, noise float64) func(*rand.Rand, time.Duration, time.Time) drawn {
	return func(r *rand.Rand, _ time.Duration, _ time.Time) drawn {
		return func(time.Time) float64 { return level + noise*r.NormFloat64() }
	}
}

// logNormal has a heavy upper tail; neighbours within the memory are alike.
func logNormal(middle, spread float64, memory time.Duration) func(*rand.Rand, time.Duration, time.Time) drawn {
	return func(r *rand.Rand, step time.Duration, _ time.Time) drawn {
		keep, state := 0.0, 0.0
		if memory > 0 {
			keep = math.Exp(-step.Hours() / memory.Hours())
		}
		return func(time.Time) float64 {
			state = keep*state + math.Sqrt(1-keep*keep)*r.NormFloat64()
			return middle * math.Exp(spread*state)
		}
	}
}

func poolShare(r *rand.Rand, step time.Duration, _ time.Time) drawn {
	keep, state := math.Exp(-step.Hours()), 0.0
	return func(at time.Time) float64 {
		state = keep*state + math.Sqrt(1-keep*keep)*r.NormFloat64()
		return math.Round(20*min(max(0.3+0.25*bell(at)+0.05*state, 0), 1)) / 20
	}
}

// sawtooth grows and is collected at a limit that varies.
func sawtooth(r *rand.Rand, step time.Duration, _ time.Time) drawn {
	v, limit := 300.0, 800.0
	return func(time.Time) float64 {
		v += 90 * step.Hours() * (1 + 0.3*r.NormFloat64())
		if v > limit {
			v, limit = 300+10*r.NormFloat64(), 800+25*r.NormFloat64()
		}
		return v + 3*r.NormFloat64()
	}
}

func disk(r *rand.Rand, _ time.Duration, _ time.Time) drawn {
	return func(at time.Time) float64 {
		since := at.Sub(time.Date(2026, time.January, 4, 4, 0, 0, 0, time.UTC)) // a Sunday
		week := 7 * day
		into := ((since%week + week) % week).Hours()
		return 40 + 0.2*into + 0.1*r.NormFloat64()
	}
}

// resets lose part of one interval about every five days.
func resets(begin func(*rand.Rand, time.Duration, time.Time) drawn) func(*rand.Rand, time.Duration, time.Time) drawn {
	return func(r *rand.Rand, step time.Duration, judged time.Time) drawn {
		next := begin(r, step, judged)
		return func(at time.Time) float64 {
			v := next(at)
			if r.Float64() < step.Hours()/120 {
				v *= 1 - 0.1*r.Float64()
			}
			return v
		}
	}
}

// jitter moves counts from one interval to the next, the more the shorter they
// are.
func jitter(begin func(*rand.Rand, time.Duration, time.Time) drawn) func(*rand.Rand, time.Duration, time.Time) drawn {
	return func(r *rand.Rand, step time.Duration, judged time.Time) drawn {
		next, before := begin(r, step, judged), 0.0
		return func(at time.Time) float64 {
			late := 0.7 * r.NormFloat64() // seconds
			v := next(at) * (1 + (late-before)/step.Seconds())
			before = late
			return v
		}
	}
}

// regimes change every few hours.
func regimes(r *rand.Rand, step time.Duration, _ time.Time) drawn {
	high := false
	return func(time.Time) float64 {
		if r.Float64() < step.Hours()/3 {
			high = !high
		}
		if high {
			return 60 + 3*r.NormFloat64()
		}
		return 20 + 2*r.NormFloat64()
	}
}
