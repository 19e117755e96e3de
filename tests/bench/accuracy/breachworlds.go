package accuracy

import (
	"math"
	"math/rand/v2"
	"slices"
)

// world is a kind of series that early warnings are judged on. Its generator
// makes n points at one minute; the last test of them are judged.
type world struct {
	name     string
	generate func(random *rand.Rand, n, test int) []float64
	// limited places the limit itself; nil draws one that is crossed within a
	// random share of the hours.
	limited func(random *rand.Rand, n, test int) (values []float64, limit float64)
}

var worlds = []world{
	{name: "independent noise", generate: func(random *rand.Rand, n, _ int) []float64 { return noise(random, n, 0) }},
	{name: "correlated noise 0.95", generate: func(random *rand.Rand, n, _ int) []float64 { return noise(random, n, 0.95) }},
	{name: "correlated noise 0.995", generate: func(random *rand.Rand, n, _ int) []float64 { return noise(random, n, 0.995) }},
	{name: "alternating noise", generate: func(random *rand.Rand, n, _ int) []float64 { return noise(random, n, -0.5) }},
	{name: "pink noise", generate: pinkNoise},
	{name: "daily rhythm", generate: dailyRhythm},
	{name: "heavy tails", generate: heavyTails},
	{name: "bursts", generate: bursts},
	{name: "sawtooth", generate: sawtooth},
	{name: "steps", generate: steps},
	{name: "ramps", limited: ramps},
	{name: "leaks", limited: leaks},
	{name: "creeps of 45 min", limited: creeps},
}

// noise is a first-order autoregression of unit variance.
func noise(random *rand.Rand, n int, memory float64) []float64 {
	values := make([]float64, n)
	state := random.NormFloat64()
	for i := range values {
		state = memory*state + math.Sqrt(1-memory*memory)*random.NormFloat64()
		values[i] = 50 + state
	}
	return values
}

// pinkNoise adds up autoregressions of growing memory.
func pinkNoise(random *rand.Rand, n, _ int) []float64 {
	values := make([]float64, n)
	for _, memory := range []float64{0, 0.8, 0.97, 0.995, 0.9993} {
		for i, v := range noise(random, n, memory) {
			values[i] += v
		}
	}
	return values
}

// dailyRhythm is a day's curve whose noise grows with the level.
func dailyRhythm(random *rand.Rand, n, _ int) []float64 {
	values := noise(random, n, 0.6)
	swing, loud := 20+20*random.Float64(), 1+3*random.Float64()
	for i := range values {
		level := 1 + swing/100*math.Sin(2*math.Pi*float64(i)/1440)
		values[i] = 100*level + loud*level*(values[i]-50)
	}
	return values
}

// heavyTails is independent noise of Student's t with three degrees of freedom.
func heavyTails(random *rand.Rand, n, _ int) []float64 {
	values := make([]float64, n)
	for i := range values {
		square := 0.0
		for range 3 {
			v := random.NormFloat64()
			square += v * v
		}
		values[i] = 50 + random.NormFloat64()/math.Sqrt(square/3)
	}
	return values
}

// bursts are rare, of random height, and decay within minutes.
func bursts(random *rand.Rand, n, _ int) []float64 {
	values := noise(random, n, 0.5)
	burst, rate := 0.0, 1/(120+480*random.Float64())
	for i := range values {
		burst *= 0.8
		if random.Float64() < rate {
			burst += 6 * random.ExpFloat64()
		}
		values[i] += burst
	}
	return values
}

// sawtooth grows over hours and falls back, at a random height.
func sawtooth(random *rand.Rand, n, _ int) []float64 {
	values := noise(random, n, 0)
	level, top, rate := 0.0, 0.0, 0.0
	length := 120 + 600*random.Float64()
	for i := range values {
		if level >= top {
			level, top = 0, 20*(0.8+0.4*random.Float64())
			rate = 20 / length * (0.8 + 0.4*random.Float64())
		}
		level += rate
		values[i] += level
	}
	return values
}

// steps changes its level to another one every few hours.
func steps(random *rand.Rand, n, _ int) []float64 {
	values := noise(random, n, 0.3)
	level, rate := 0.0, 1/(180+540*random.Float64())
	for i := range values {
		if random.Float64() < rate {
			level = 5 * random.NormFloat64()
		}
		values[i] += level
	}
	return values
}

// quiet is the background of what creeps: a mild rhythm and correlated noise.
func quiet(random *rand.Rand, n int) []float64 {
	values := noise(random, n, 0.3+0.5*random.Float64())
	for i := range values {
		values[i] += 3 * math.Sin(2*math.Pi*float64(i)/1440)
	}
	return values
}

// limitAbove is 1.2 times a high quantile of what was learned.
func limitAbove(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return 1.2 * sorted[len(sorted)*999/1000]
}

// rise adds growth from one point on, until the limit is passed, and a stay
// beyond it.
func rise(values []float64, from, length, stay int, height float64) {
	for i := range length + stay {
		if from+i < len(values) {
			values[from+i] += height * min(float64(i)/float64(length), 1)
		}
	}
}

// ramps are up to four a day, of 30 to 120 min; most of them reach the limit.
func ramps(random *rand.Rand, n, test int) ([]float64, float64) {
	values := quiet(random, n)
	limit := limitAbove(values[:n-test])
	for at := n - test + 60 + random.IntN(240); at < n-180; at += 300 + random.IntN(240) {
		rise(values, at, 30+random.IntN(91), 10, (limit-values[at])*(0.9+0.5*random.Float64()))
	}
	return values, limit
}

// leaks grow for 4 to 24 hours until they pass the limit, and end there.
func leaks(random *rand.Rand, n, test int) ([]float64, float64) {
	values := quiet(random, n)
	limit := limitAbove(values[:n-test])
	for at := n - test + random.IntN(240); at < n-240; {
		length := 240 + random.IntN(1200)
		rise(values, at, length, 10, (limit-values[at])*1.1)
		at += length + 60 + random.IntN(360)
	}
	return values, limit
}

// creeps are one every half a day or so, of 45 min, and end at the limit.
func creeps(random *rand.Rand, n, test int) ([]float64, float64) {
	values := quiet(random, n)
	limit := limitAbove(values[:n-test])
	for at := n - test + 60 + random.IntN(600); at < n-60; at += creepLength + 400 + random.IntN(600) {
		end := at + creepLength
		rise(values, at, creepLength, 0, limit-values[end])
		values[end] = limit // whatever rounding does
	}
	return values, limit
}

const creepLength = 45 // minutes
