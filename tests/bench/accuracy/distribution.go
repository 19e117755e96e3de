package accuracy

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/anomaly/distribution"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("distribution", "a second mode of a latency that no percentile shows", distributions)
}

type distributionFigures struct {
	// Found is the percentage of second modes that are an event within 10 minutes.
	Found float64 `json:"found"`
	// Minutes is the median until then.
	Minutes float64 `json:"minutes"`
	// False is the percentage of windows of the same length without a second mode in
	// which there is an event.
	False       float64            `json:"false"`
	FoundByKind map[string]float64 `json:"found_by_kind"`
	FalseByKind map[string]float64 `json:"false_by_kind"`
	Cases       int                `json:"cases"`
}

const (
	distributionDays = 7
	// modeShare is the part of the requests in the second mode, and modePatience
	// within how many minutes it must be found.
	modeShare, modePatience = 0.05, 10
	// distributionSpan is how long a window is, in minutes.
	distributionSpan = 60
	distributionRate = 10.0 // requests a second
)

var distributionKinds = []string{"calm", "rhythm", "drift", "dispersion", "all"}

func distributions(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("distribution", flag.ContinueOnError)
	cases := flags.Int("cases", 300, "number of cases of either kind")
	seed := flags.Uint64("seed", 1, "seed")
	verbose := flags.Bool("v", false, "print each case that went wrong")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	f := distributionFigures{Cases: *cases, FoundByKind: map[string]float64{}, FalseByKind: map[string]float64{}}
	var delays []float64
	found, mistakes, per := 0.0, 0.0, map[string]float64{}
	for i := range *cases {
		kind := distributionKinds[i%len(distributionKinds)]
		per[kind]++
		for _, second := range []bool{true, false} {
			w := newLatencies(*seed*1_000_000+uint64(i)*2+uint64(runner.OneIf(second)), kind)
			minutes, err := w.event(second)
			if err != nil {
				return nil, err
			}
			switch {
			case second && minutes >= 0 && minutes <= modePatience:
				found++
				f.FoundByKind[kind]++
				delays = append(delays, minutes)
				continue
			case !second && minutes < 0:
				continue
			case !second:
				mistakes++
				f.FalseByKind[kind]++
			}
			if *verbose {
				fmt.Printf("%d %s second mode %v: event after %.0f minutes, mode at %.3g, median %.3g\n", i, kind, second, minutes, w.mode, w.median)
			}
		}
	}
	percent := func(part, all float64) float64 { return runner.Round(100 * part / all) }
	for kind, n := range per {
		f.FoundByKind[kind], f.FalseByKind[kind] = percent(f.FoundByKind[kind], n), percent(f.FalseByKind[kind], n)
	}
	f.Found, f.False, f.Minutes = percent(found, float64(*cases)), percent(mistakes, float64(*cases)), runner.MedianOf(delays)
	return f, nil
}

// latencies are those of a service with two kinds of requests, in the buckets that
// OpenTelemetry recommends.
type latencies struct {
	random                   *rand.Rand
	median, mode             float64
	rhythm, drift, disperse  bool
	sigma, slow, slower      float64 // of the logarithm; share and factor of the slower kind
	wander, bursts, mix, day float64
}

var bucketBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

func newLatencies(seed uint64, kind string) *latencies {
	random := rand.New(rand.NewPCG(seed, 7))
	w := &latencies{
		random: random, median: 0.02 * math.Exp(1.2*random.NormFloat64()), sigma: 0.4 + 0.4*random.Float64(),
		slow: 0.3 * random.Float64(), slower: 1.5 + 3*random.Float64(), day: 2 * math.Pi * random.Float64(),
		rhythm: kind == "rhythm" || kind == "all", drift: kind == "drift" || kind == "all", disperse: kind == "dispersion" || kind == "all",
	}
	w.median = min(max(w.median, 0.008), 0.3)
	// Apart from the slower kind, or it is no mode.
	w.mode = min(w.median*w.slower*(4+8*random.Float64()), 8)
	return w
}

// below is the part of the requests of a minute up to a bound.
func (w *latencies) below(minute int, second bool, bound float64) float64 {
	day := 2*math.Pi*float64(minute)/1440 + w.day
	center, slow := math.Log(w.median)+w.wander, w.slow
	if w.rhythm {
		center, slow = center+0.25*math.Sin(day), slow*(1+0.5*math.Cos(day))
	}
	if w.drift {
		center += 0.04 * float64(minute) / 1440
	}
	slow = min(max(slow+w.mix, 0), 0.9)
	normal := func(center, sigma float64) float64 {
		return 0.5 * math.Erfc(-(math.Log(bound)-center)/sigma/math.Sqrt2)
	}
	part := (1-slow)*normal(center, w.sigma) + slow*normal(center+math.Log(w.slower), w.sigma)
	part = (1-w.bursts)*part + w.bursts*normal(center+1.5, w.sigma)
	if second {
		part = (1-modeShare)*part + modeShare*normal(math.Log(w.mode), 0.25)
	}
	return part
}

// count is how many of n are, each with a probability.
func (w *latencies) count(n, p float64) float64 {
	switch variance := n * p * (1 - p); {
	case n <= 0 || p <= 0:
		return 0
	case p >= 1:
		return n
	case variance > 20:
		return min(max(math.Round(n*p+math.Sqrt(variance)*w.random.NormFloat64()), 0), n)
	case p > 0.5:
		return n - w.count(n, 1-p)
	}
	hits, limit := -1.0, math.Exp(-n*p)
	for product := 1.0; product > limit; hits++ {
		product *= w.random.Float64()
	}
	return min(hits, n)
}

// event is how many minutes after the begin of the judged window an event begins to
// be seen; negative for none. The second mode lasts from there on.
func (w *latencies) event(second bool) (float64, error) {
	const window = 5 // minutes of a rate
	end := time.Date(2026, 11, 20, 13, 0, 0, 0, time.UTC)
	total := distributionDays*1440 + 13*60
	start, begin := end.Add(-time.Duration(total)*time.Minute), total-distributionSpan
	counts := make([][]float64, len(bucketBounds)+1)
	for k := range counts {
		counts[k] = make([]float64, total)
	}
	level := 0.0
	for t := range total {
		level = 0.98*level + 0.02*w.random.NormFloat64()
		requests := 60 * distributionRate * math.Exp(level)
		if w.rhythm {
			requests *= 1 + 0.4*math.Sin(2*math.Pi*float64(t)/1440+w.day)
		}
		if w.disperse {
			w.wander = 0.9*w.wander + 0.03*w.random.NormFloat64()
			w.mix = 0.9*w.mix + 0.01*w.random.NormFloat64()
			w.bursts *= 0.3
			if w.random.Float64() < 0.01 {
				w.bursts = 0.15 * w.random.Float64()
			}
		}
		left, passed := math.Round(requests), 0.0
		all := left
		for k, bound := range bucketBounds {
			to := w.below(t, second && t >= begin, bound)
			in := w.count(left, min((to-passed)/max(1-passed, 1e-12), 1))
			left, passed = left-in, to
			counts[k][t] = all - left
		}
		counts[len(bucketBounds)][t] = all
	}
	var buckets []series.Series
	for k := range counts {
		le := "+Inf"
		if k < len(bucketBounds) {
			le = strconv.FormatFloat(bucketBounds[k], 'g', -1, 64)
		}
		one := series.Series{Labels: series.Labels{"le": le}, Start: start, Step: time.Minute, Values: make([]float64, total)}
		sum := 0.0
		for t, v := range counts[k] {
			if sum += v; t >= window {
				sum -= counts[k][t-window]
			}
			one.Values[t] = sum / (window * 60)
		}
		buckets = append(buckets, one)
	}
	histogram, err := distribution.New(buckets, window*time.Minute)
	if err != nil {
		return 0, err
	}
	from := start.Add(time.Duration(begin) * time.Minute)
	result, err := histogram.Distance().Judge(from, anomaly.DefaultThreshold)
	if err != nil {
		return 0, err
	}
	if len(result.Events) == 0 {
		return -1, nil
	}
	return result.Events[0].Start.Sub(from).Minutes() + 1, nil
}
