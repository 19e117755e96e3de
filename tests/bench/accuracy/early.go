package accuracy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/anomaly/breach"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/datasets"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("early", "early warning on injected ramps of 30 to 120 min: lead before the static threshold, recall, false warnings", runEarly)
}

// The protocol: a static threshold at 1.2 times the 99.9 % quantile of the
// learned part; ramps that end at that threshold laid on the untouched rest; a
// warning is a probability of at least warnAt to cross it within warnAhead.
const (
	warnAt     = 0.8
	warnAhead  = time.Hour
	rampsEach  = 15
	earlyLearn = 0.5 // of each series
	warningGap = time.Hour
)

var rampLengths = []time.Duration{30 * time.Minute, 45 * time.Minute, 60 * time.Minute, 90 * time.Minute, 120 * time.Minute}

// rampShapes go from 0 to 1 while x does.
var rampShapes = []func(x float64) float64{
	func(x float64) float64 { return x },
	func(x float64) float64 { return x * x },
	func(x float64) float64 { return 0.2 + 0.8*x },
}

type earlyFigures struct {
	Lead         float64 `json:"lead_minutes"` // median, ramps of 45 min
	LeadAll      float64 `json:"lead_minutes_all"`
	Recall       float64 `json:"recall"`
	FalsePerWeek float64 `json:"false_per_week"`
	// The same on the series at one minute, and on those at five.
	Minute earlyPart `json:"one_minute"`
	Five   earlyPart `json:"five_minutes"`
	Linear earlyPart `json:"predict_linear"` // PromQL's, over 30 min
	Ramps  int       `json:"ramps"`
	Weeks  float64   `json:"series_weeks"`
}

type earlyPart struct {
	Lead         float64 `json:"lead_minutes"`
	Recall       float64 `json:"recall"`
	FalsePerWeek float64 `json:"false_per_week"`
}

// tally gathers outcomes.
type tally struct {
	leads, leads45 []float64
	ramps          int
	warnings       int
	weeks          float64
}

func (t *tally) merge(o tally) {
	t.leads, t.leads45 = append(t.leads, o.leads...), append(t.leads45, o.leads45...)
	t.ramps += o.ramps
	t.warnings += o.warnings
	t.weeks += o.weeks
}

func (t tally) part() earlyPart {
	return earlyPart{
		Lead:         runner.Round(runner.MedianOf(t.leads45)),
		Recall:       runner.Round(float64(len(t.leads)) / float64(t.ramps)),
		FalsePerWeek: runner.Round(float64(t.warnings) / t.weeks),
	}
}

// warner tells at each point from a time on whether to warn.
type warner func(h series.Series, from time.Time, threshold float64) ([]bool, error)

func runEarly(o runner.Options) (any, error) {
	five, err := datasets.CloudWatchSeries(o.Data)
	if err != nil {
		return nil, err
	}
	minute := datasets.MinuteSeries()
	ourFive, err := early(five, warnByBreach)
	if err != nil {
		return nil, err
	}
	ourMinute, err := early(minute, warnByBreach)
	if err != nil {
		return nil, err
	}
	all := ourFive
	all.merge(ourMinute)
	linear, err := early(slices.Concat(five, minute), warnByLine)
	if err != nil {
		return nil, err
	}
	total := all.part()
	return earlyFigures{
		Lead: total.Lead, LeadAll: runner.Round(runner.MedianOf(all.leads)), Recall: total.Recall, FalsePerWeek: total.FalsePerWeek,
		Minute: ourMinute.part(), Five: ourFive.part(), Linear: linear.part(),
		Ramps: all.ramps, Weeks: runner.Round(all.weeks),
	}, nil
}

func early(all []datasets.Labelled, warn warner) (tally, error) {
	parts := make([]tally, len(all))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, one := range all {
		group.Go(func() (err error) {
			parts[i], err = earlyOne(one, warn, uint64(i))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return tally{}, err
	}
	var total tally
	for _, part := range parts {
		total.merge(part)
	}
	return total, nil
}

func earlyOne(one datasets.Labelled, warn warner, seed uint64) (tally, error) {
	var t tally
	learn := int(earlyLearn * float64(one.Len()))
	learned := slices.DeleteFunc(slices.Clone(one.Values[:learn]), math.IsNaN)
	slices.Sort(learned)
	threshold := 1.2 * learned[len(learned)*999/1000]
	if learned[len(learned)*999/1000] <= 0 {
		return t, nil
	}
	warned, err := warn(one.Series, one.Time(learn), threshold)
	if err != nil {
		return t, fmt.Errorf("%s: %w", one.Name, err)
	}
	t.warnings, t.weeks = falseWarnings(one, warned, learn, threshold)
	random := rand.New(rand.NewPCG(seed, 11))
	for k := range rampsEach {
		length, shape := rampLengths[k%len(rampLengths)], rampShapes[k/len(rampLengths)]
		steps := int(length / one.Step)
		at := learn + random.IntN(one.Len()-learn-2*steps)
		risen, clean := ramped(one, at, steps, shape, threshold)
		if !clean {
			continue
		}
		from := risen.Time(at)
		warned, err := warn(risen, from, threshold)
		if err != nil {
			return t, fmt.Errorf("%s: %w", one.Name, err)
		}
		t.ramps++
		crossing := slices.IndexFunc(risen.Values[at:], func(v float64) bool { return v >= threshold })
		if first := slices.Index(warned, true); first >= 0 && first < crossing {
			lead := float64(crossing-first) * one.Step.Minutes()
			t.leads = append(t.leads, lead)
			if length == 45*time.Minute {
				t.leads45 = append(t.leads45, lead)
			}
		}
	}
	return t, nil
}

// ramped lays a ramp on the series that ends at the threshold, and tells
// whether the place is clean. What comes after the ramp is cut off.
func ramped(l datasets.Labelled, at, steps int, shape func(float64) float64, threshold float64) (series.Series, bool) {
	end := at + steps
	h := series.Series{Start: l.Start, Step: l.Step, Values: slices.Clone(l.Values[:end+1])}
	around := l.Values[at : end+1]
	clean := !l.Unusual(l.Time(at).Add(-2*time.Hour), l.Time(end).Add(2*time.Hour))
	for _, v := range around {
		clean = clean && v < threshold // false for NaN
	}
	height := threshold - l.Values[end]
	for i := range steps + 1 {
		h.Values[at+i] += height * shape(float64(i)/float64(steps))
	}
	h.Values[end] = threshold // whatever rounding does
	return h, clean
}

// falseWarnings are the warnings on the untouched series after which the
// threshold was not reached, and over how many weeks. Stretches labelled
// unusual do not count.
func falseWarnings(one datasets.Labelled, warned []bool, learn int, threshold float64) (count int, weeks float64) {
	ahead, gap := int(warnAhead/one.Step), int(warningGap/one.Step)
	last := math.MinInt / 2
	for i, w := range warned {
		at := learn + i
		if one.Unusual(one.Time(at), one.Time(at)) {
			continue
		}
		weeks += one.Step.Hours() / (7 * 24)
		if !w || one.Values[at] >= threshold {
			continue
		}
		if i-last > gap && !slices.ContainsFunc(one.Values[at:min(at+ahead+1, one.Len())], func(v float64) bool { return v >= threshold }) {
			count++
		}
		last = i
	}
	return count, weeks
}

// earlyModels lets the ramps of a series share what was learned before them.
var earlyModels = anomaly.NewModels(200 << 20)

func warnByBreach(h series.Series, from time.Time, threshold float64) ([]bool, error) {
	r, err := breach.Predict(breach.Request{History: h, From: from, Threshold: threshold, Horizon: warnAhead, Models: earlyModels})
	if err != nil {
		return nil, err
	}
	warned := make([]bool, len(r.Probability))
	for i, p := range r.Probability {
		warned[i] = p >= warnAt
	}
	return warned, nil
}

// warnByLine is PromQL's predict_linear over the last 30 minutes: the
// least-squares line, one hour ahead.
func warnByLine(h series.Series, from time.Time, threshold float64) ([]bool, error) {
	window := int(30 * time.Minute / h.Step)
	ahead := float64(warnAhead / h.Step)
	first := h.Index(from)
	warned := make([]bool, h.Len()-first)
	for i := range warned {
		var n, sx, sy, sxx, sxy float64
		for j := max(first+i-window, 0); j <= first+i; j++ {
			if v := h.Values[j]; !math.IsNaN(v) {
				x := float64(j - first - i)
				n, sx, sy, sxx, sxy = n+1, sx+x, sy+v, sxx+x*x, sxy+x*v
			}
		}
		slope := (n*sxy - sx*sy) / (n*sxx - sx*sx)
		warned[i] = (sy-slope*sx)/n+slope*ahead >= threshold
	}
	return warned, nil
}
