package slo

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// ErrTooShort says that too little is known to look ahead.
var ErrTooShort = errors.New("not enough data")

// Outlook is what becomes of a budget within a horizon.
type Outlook struct {
	// Probability is that of the budget being exhausted at some time within the
	// horizon; 1 where it is.
	Probability float64
	// Early, Median and Late are the times by which it is exhausted in 10, 50 and
	// 90 % of all futures; the zero time where that is beyond the horizon.
	Early, Median, Late time.Time
	// Start is the first step ahead. Left is the median of what is left after each,
	// between Lower and Upper in 80 % of the futures.
	Start              time.Time
	Step               time.Duration
	Left, Lower, Upper []float64
	// Usual is the share of bad requests outside of episodes, and Since the begin of
	// the episode that goes on; the zero time for none.
	Usual float64
	Since time.Time
}

const (
	// futures is how many are simulated: probabilities are within 2 points of those
	// of infinitely many.
	futures = 600
	// seed makes equal questions have equal answers.
	seed = 0x5105
	// recently is over how long the level of an episode that goes on is measured.
	recently = time.Hour
	day      = 24 * time.Hour
)

// Ahead looks at the budget after the last step of the counts. Futures are
// simulated, each with
//
//   - requests by a quantile of their forecast,
//   - bad requests in the shares of earlier days at the same time of day, whose
//     episodes happen again as often as they did (a bootstrap of blocks: Künsch,
//     Annals of Statistics 17, 1989), and
//   - the episode that goes on, at its present level for some time more: as long as
//     earlier ones that had lasted so long, or, as one more of them, as long as is
//     said of what one finds at a random moment of its life, twice its age with
//     probability 1/2 (Gott, Nature 363, 1993).
//
// The budget is exhausted as soon as more requests of the window are bad than the
// objective allows. In simulation (simulation_test.go) low probabilities are a little
// too low, 0.03 to 0.04 where 0.05 comes, and three quarters of the budgets end inside
// the range of 80 % of the futures: incidents worse than any that was seen are not
// foreseen. The error wraps ErrTooShort where less is known than is looked ahead, and
// ErrBadRequest where requests were forecast on another grid.
func (o Objective) Ahead(c Counts, requests forecast.Result) (Outlook, error) {
	horizon := len(requests.Mean)
	outlook := Outlook{Start: c.Time(c.Len()), Step: c.Step, Probability: math.NaN()}
	if horizon == 0 || requests.Step != c.Step || !requests.Start.Equal(outlook.Start) {
		return outlook, fmt.Errorf("%w: requests are forecast from %s in steps of %s, and counted until %s in steps of %s", ErrBadRequest, requests.Start, requests.Step, outlook.Start, c.Step)
	}
	if known := c.Observed(); known < 2*horizon {
		return outlook, fmt.Errorf("%w: the budget can be looked ahead for half of the time that is known, and %s are", ErrTooShort, time.Duration(known)*c.Step)
	}
	usual, episodes := o.Usual(c)
	if math.IsNaN(usual) {
		return outlook, fmt.Errorf("%w: there were no requests", ErrTooShort)
	}
	outlook.Usual = usual
	s := o.newSimulation(c, requests, usual, episodes)
	if s.ongoing.points() > 0 {
		outlook.Since = c.Time(s.ongoing.Start)
	}
	s.run(&outlook)
	return outlook, nil
}

// simulation draws futures.
type simulation struct {
	objective Objective
	counts    Counts
	requests  forecast.Result
	random    *rand.Rand
	shares    []float64 // of bad requests in the past, without the episode that goes on
	day       int       // steps of a day; 0 where less than two are known
	usual     float64
	ongoing   Episode
	level     float64 // share of bad requests in it
	lasted    []int   // how long earlier episodes lasted
	width     int     // of the objective's window
	// knots are the quantiles of the normal distribution at which the forecast's
	// intervals end.
	knots []float64
}

func (o Objective) newSimulation(c Counts, requests forecast.Result, usual float64, episodes []Episode) *simulation {
	s := &simulation{
		objective: o, counts: c, requests: requests, random: rand.New(rand.NewPCG(seed, seed)),
		shares: make([]float64, c.Len()), usual: usual, width: c.points(o.Window),
	}
	for _, interval := range requests.Intervals {
		s.knots = append(s.knots, distuv.UnitNormal.Quantile((1+interval.Probability)/2))
	}
	if c.Len() >= 2*c.points(day) {
		s.day = c.points(day)
	}
	for i := range s.shares {
		if s.shares[i] = c.ratio(i); math.IsNaN(s.shares[i]) {
			s.shares[i] = usual
		}
	}
	for i, e := range episodes {
		if i == len(episodes)-1 && e.End >= c.Len() {
			s.ongoing = e
			break
		}
		s.lasted = append(s.lasted, e.points())
	}
	if e := s.ongoing; e.points() > 0 {
		total, bad := c.sum(max(e.Start, c.Len()-c.points(recently)), c.Len())
		s.level = bad / total
		for i := e.Start; i < e.End; i++ {
			s.shares[i] = usual
		}
	}
	return s
}

// run simulates the futures and sums them up.
func (s *simulation) run(outlook *Outlook) {
	horizon := len(s.requests.Mean)
	left := make([][]float64, horizon)
	exhausted := make([]int, horizon) // by the step at which each future was
	total, bad := s.counts.sum(s.counts.Len()-s.width, s.counts.Len())
	none := total > 0 && s.objective.left(total, bad) <= 0
	for k := range futures {
		// Quantiles in place of draws, as they fill the range evenly.
		quantile := distuv.UnitNormal.Quantile((float64(k) + 0.5) / futures)
		shares := s.draw(horizon)
		n, b, over := total, bad, none
		for h := range horizon {
			more := s.traffic(h, quantile)
			gone, goneBad := s.counts.at(s.counts.Len() + h - s.width)
			if h >= s.width { // the window lies ahead as a whole
				gone = s.traffic(h-s.width, quantile)
				goneBad = gone * shares[h-s.width]
			}
			n, b = max(n+more-gone, 0), max(b+more*shares[h]-goneBad, 0)
			rest := s.objective.left(n, b)
			if math.IsNaN(rest) {
				rest = 1 // no requests, none bad
			}
			if rest <= 0 && !over {
				over = true
				exhausted[h]++
			}
			left[h] = append(left[h], rest)
		}
	}
	for _, at := range left {
		slices.Sort(at)
		outlook.Lower = append(outlook.Lower, stats.Quantile(at, 0.1))
		outlook.Left = append(outlook.Left, stats.Quantile(at, 0.5))
		outlook.Upper = append(outlook.Upper, stats.Quantile(at, 0.9))
	}
	if now := s.counts.Time(s.counts.Len() - 1); none {
		outlook.Probability, outlook.Early, outlook.Median, outlook.Late = 1, now, now, now
		return
	}
	sum := 0
	for h, count := range exhausted {
		sum += count
		at := outlook.Start.Add(time.Duration(h) * outlook.Step)
		for _, q := range []struct {
			share float64
			time  *time.Time
		}{{0.1, &outlook.Early}, {0.5, &outlook.Median}, {0.9, &outlook.Late}} {
			if q.time.IsZero() && float64(sum) >= q.share*futures {
				*q.time = at
			}
		}
	}
	outlook.Probability = float64(sum) / futures
}

// traffic is a quantile, of the standard normal distribution, of the requests of a
// step ahead: linear between the bounds of the forecast's intervals.
func (s *simulation) traffic(h int, quantile float64) float64 {
	at, value := 0.0, s.requests.Mean[h]
	for i, interval := range s.requests.Intervals {
		next, bound := s.knots[i], interval.Upper[h]
		if quantile < 0 {
			bound = interval.Lower[h]
		}
		if math.IsInf(bound, 0) || math.IsNaN(bound) {
			break
		}
		if math.Abs(quantile) <= next {
			value += (bound - value) * (math.Abs(quantile) - at) / (next - at)
			break
		}
		at, value = next, bound
	}
	return max(value, 0)
}

// draw are shares of bad requests ahead: those of blocks of the past, a day long,
// after the rest of the episode that goes on.
func (s *simulation) draw(horizon int) []float64 {
	shares := make([]float64, horizon)
	block := s.day
	if block == 0 {
		block = max(len(s.shares)/4, 1)
	}
	end := 1 + s.random.IntN(block) // of the first block
	for h := 0; h < horizon; end += block {
		source := s.source(h)
		for ; h < min(end, horizon); h++ {
			shares[h] = s.shares[source%len(s.shares)]
			source++
		}
	}
	for h := range min(s.goesOn(), horizon) {
		shares[h] = s.level
	}
	return shares
}

// source is a step of the past, at the time of day of a step ahead.
func (s *simulation) source(h int) int {
	n := len(s.shares)
	if s.day == 0 {
		return s.random.IntN(n)
	}
	phase := (n + h) % s.day
	return phase + s.day*s.random.IntN((n-1-phase)/s.day+1)
}

// goesOn draws for how many steps more the episode goes on.
func (s *simulation) goesOn() int {
	age := s.ongoing.points()
	if age == 0 {
		return 0
	}
	var more []int
	for _, lasted := range s.lasted {
		if lasted > age {
			more = append(more, lasted-age)
		}
	}
	if k := s.random.IntN(len(more) + 1); k < len(more) {
		return more[k]
	}
	u := 1 - s.random.Float64() // in (0, 1]
	return int(min(float64(age)*(1/u-1), 1e6))
}
