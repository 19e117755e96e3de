package journey

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Loss is where more users are lost than usual.
type Loss struct {
	Step int
	// Errors says that the step's requests fail; otherwise fewer users than usual
	// go on to it from the step before.
	Errors bool
	// Users are those lost beyond the usual, per minute.
	Users float64
	// Culprit is the step whose service is to be looked at: the step itself, or
	// the one before where that is slow.
	Culprit int
	Slow    bool // the culprit is slower than usual
	Text    string
}

const (
	// minBlocks is how many stretches of the past must be known to tell what is
	// usual.
	minBlocks = 6
	// deviations is how many standard deviations are more than chance.
	deviations = 3
	// minFailing and minLeaving are the least rises that matter: of the share that
	// fails, and of the part that no longer goes on.
	minFailing, minLeaving = 0.005, 0.05
	// slower is how many times the usual latency makes a step a suspect.
	slower = 1.5
	// madScale makes a median absolute deviation one of a normal distribution.
	madScale = 1.4826
)

// Usual is what each step's stretches of the past were in the middle, and how
// much they differed: the median and the scaled median absolute deviation.
type Usual struct{ Middle, Spread Stats }

// Learn cuts the points before from into stretches of so many points.
func Learn(steps []Step, from, stretch int) []Usual {
	var blocks [][]Stats
	for end := from; stretch > 0 && end-stretch >= 0; end -= stretch {
		blocks = append(blocks, Over(steps, end-stretch, end))
	}
	learned := make([]Usual, len(steps))
	for i := range steps {
		learn := func(of func(*Stats) *float64) {
			var values []float64
			for b := range blocks {
				if v := *of(&blocks[b][i]); !math.IsNaN(v) {
					values = append(values, v)
				}
			}
			middle, spread := math.NaN(), math.NaN()
			if len(values) >= minBlocks {
				middle = median(values)
				for k := range values {
					values[k] = math.Abs(values[k] - middle)
				}
				spread = madScale * median(values)
			}
			*of(&learned[i].Middle), *of(&learned[i].Spread) = middle, spread
		}
		learn(func(s *Stats) *float64 { return &s.Requests })
		learn(func(s *Stats) *float64 { return &s.Success })
		learn(func(s *Stats) *float64 { return &s.Latency })
		learn(func(s *Stats) *float64 { return &s.Passed })
	}
	return learned
}

// Losses are the steps at which more users are lost than usual and than chance
// explains, the largest loss first. now is over so many minutes.
func Losses(steps []Step, now []Stats, usual []Usual, minutes float64) (losses []Loss) {
	failing := make([]float64, len(steps)) // users lost to errors, per minute
	for i, s := range now {
		if excess, ok := excessFailures(s, usual[i], minutes); ok {
			failing[i] = excess * s.Requests
			losses = append(losses, Loss{Step: i, Errors: true, Users: failing[i], Culprit: i, Text: fmt.Sprintf(
				"%s: %.3g %% of requests fail, usually %.3g %%.", steps[i].Name, 100*(1-s.Success), 100*(1-usual[i].Middle.Success))})
		}
	}
	for i := 1; i < len(now); i++ {
		part, ok := leaving(now[i-1], now[i], usual[i], minutes)
		if !ok {
			continue
		}
		// Those whose request failed do not go on: they are counted there.
		users := part*usual[i].Middle.Passed*now[i-1].Requests - failing[i-1]
		if users <= 0 {
			continue
		}
		loss := Loss{Step: i, Users: users, Culprit: i, Text: fmt.Sprintf(
			"From %s to %s go %.3g requests for each, usually %.3g.", steps[i-1].Name, steps[i].Name, known(now[i].Passed), usual[i].Middle.Passed)}
		if before := usual[i-1].Middle.Latency; now[i-1].Latency > slower*before {
			loss.Culprit, loss.Slow = i-1, true
			loss.Text += fmt.Sprintf(" %s takes %.3g s, usually %.3g s.", steps[i-1].Name, now[i-1].Latency, before)
		} else if failing[i-1] > 0 {
			loss.Culprit = i - 1
		}
		losses = append(losses, loss)
	}
	slices.SortStableFunc(losses, func(a, b Loss) int { return cmp.Compare(b.Users, a.Users) })
	return losses
}

// excessFailures is the rise of the share of failing requests.
func excessFailures(now Stats, usual Usual, minutes float64) (float64, bool) {
	fails, usually := 1-now.Success, 1-usual.Middle.Success
	requests := now.Requests * minutes
	if math.IsNaN(fails) || math.IsNaN(usually) || requests <= 0 {
		return 0, false
	}
	share := max(usually, 1/requests)
	sd := math.Hypot(usual.Spread.Success, math.Sqrt(share*(1-min(share, 1))/requests))
	excess := fails - usually
	return excess, excess > minFailing && excess > deviations*sd
}

// leaving is the part of those who usually go on that does not.
func leaving(before, now Stats, usual Usual, minutes float64) (float64, bool) {
	passed, usually := now.Passed, usual.Middle.Passed
	if math.IsNaN(passed) && before.Requests > 0 {
		passed = 0 // the step is not requested at all any more
	}
	begun := before.Requests * minutes
	if math.IsNaN(passed) || !(usually > 0) || begun <= 0 {
		return 0, false
	}
	sd := math.Hypot(usual.Spread.Passed, math.Sqrt(usually/begun))
	drop := usually - passed
	return drop / usually, drop > minLeaving*usually && drop > deviations*sd
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}
