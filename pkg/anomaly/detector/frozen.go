package detector

import "math"

// Frozen is how long a series repeats its value: a sensor, an exporter or a
// cache that has stopped lies inside every band. It compares with how often the
// series repeated itself before. Of discrete data, such as counts, it says
// nothing: they repeat themselves more at some times of the day than at others.
type Frozen struct{}

// Name implements Detector.
func (Frozen) Name() string { return "frozen" }

func (Frozen) sideless() {}

// Learn implements Detector. Repeats are a Markov chain: one comes with some
// probability after a change, and with another after a repeat. Of repeats after
// repeats little is known where there were none; half as rare, as a power, as the
// first one is what is assumed then.
func (Frozen) Learn(past Input) Watcher {
	if past.Resolution > 0 {
		return &still{begin: math.NaN(), before: math.NaN()}
	}
	var changes, begun, repeats, repeated float64
	before, run := math.NaN(), false
	for _, v := range past.Value {
		if math.IsNaN(v) || math.IsNaN(before) {
			before, run = v, false
			continue
		}
		again := v == before
		if run {
			repeats++
			repeated += truth(again)
		} else {
			changes++
			begun += truth(again)
		}
		before, run = v, again
	}
	begin := (begun + 0.5) / (changes + 1)
	return &still{
		begin: math.Log(begin), repeat: math.Log((repeated + math.Sqrt(begin)) / (repeats + 1)),
		before: math.NaN(),
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// still counts how often the newest value was repeated.
type still struct {
	begin, repeat float64 // logarithms of probabilities
	before        float64
	run           int
}

func (s *still) Observe(value, _ float64) {
	if value == s.before {
		s.run++
	} else {
		s.run = 0
	}
	s.before = value
}

func (s *still) Score() float64 {
	if math.IsNaN(s.before) || math.IsNaN(s.begin) {
		return math.NaN()
	}
	return float64(s.run)
}

// Probability implements Exact.
func (s *still) Probability() float64 {
	switch {
	case math.IsNaN(s.before), math.IsNaN(s.begin):
		return math.NaN()
	case s.run == 0:
		return 1
	}
	return math.Exp(s.begin + s.repeat*float64(s.run-1))
}

func (s *still) Clone() Watcher {
	c := *s
	return &c
}
