package impact

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Finding is what is made of one thing that is counted.
type Finding string

// The findings. What is open or acted upon is left out of a share.
const (
	Yes   Finding = "yes"
	No    Finding = "no"
	Open  Finding = "open"  // it cannot be told yet, or not at all
	Acted Finding = "acted" // somebody did something, so that it may have been right
)

// Share is a share of what could be judged.
type Share struct {
	Count, Of int
	// LeftOut is how many could not be judged.
	LeftOut int
	// Interval is Wilson's; from 0 to 1 where nothing could be judged.
	Interval stats.Interval
}

// Known says that there is anything to take a share of.
func (s Share) Known() bool { return s.Of > 0 }

func (j judge) share(n int, finding func(int) Finding) (s Share) {
	for i := range n {
		switch finding(i) {
		case Yes:
			s.Count++
			s.Of++
		case No:
			s.Of++
		default:
			s.LeftOut++
		}
	}
	s.Interval = stats.Wilson(stats.Proportion{Successes: s.Count, Trials: s.Of}, j.Confidence)
	return s
}

// Times sums up durations.
type Times struct {
	Count                    int
	Median, NinetiethPercent time.Duration
	// Bounded says that there are enough of them for Lower and Upper, the interval
	// of the median.
	Bounded      bool
	Lower, Upper time.Duration
}

func (j judge) times(all []JudgedIncident, of func(JudgedIncident) (time.Duration, bool)) (t Times) {
	var seconds []float64
	for _, one := range all {
		if d, known := of(one); known && one.Source.timed() && !one.begunBefore {
			seconds = append(seconds, d.Seconds())
		}
	}
	if len(seconds) == 0 {
		return t
	}
	slices.Sort(seconds)
	duration := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	t = Times{Count: len(seconds), Median: duration(stats.MedianOf(seconds)), NinetiethPercent: duration(stats.Quantile(seconds, 0.9))}
	if rank := medianRank(len(seconds), j.Confidence); rank >= 0 {
		t.Bounded, t.Lower, t.Upper = true, duration(seconds[rank]), duration(seconds[len(seconds)-1-rank])
	}
	return t
}

// medianRank is the largest k for which the k-th smallest and the k-th largest
// of n values, counted from 0, enclose the median with that confidence, whatever
// the distribution (David and Nagaraja 2003, Order Statistics, section 7.1);
// negative where even the smallest and the largest do not.
func medianRank(n int, confidence float64) int {
	half := distuv.Binomial{N: float64(n), P: 0.5}
	for k := 0; k < (n+1)/2; k++ {
		// Outside lies what has at most k values below it.
		if outside := 2 * half.CDF(float64(k)); outside > 1-confidence || math.IsNaN(outside) {
			return k - 1
		}
	}
	return (n+1)/2 - 1
}
