package accuracy

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/anomaly/breach"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("breach-calibration", "early warning: do probabilities come true, in worlds of noise, rhythm, ramps, leaks, sawtooth and steps", runBreachCalibration)
}

// The protocol: series of one minute, the last two days judged. At each point
// that has not crossed yet, the probability of crossing within the hour is held
// against what came. Probabilities are binned in tenths.
const (
	calibrationTrain = 7 * 1440
	calibrationTest  = 2 * 1440
	calibrationBins  = 10
)

type calibrationFigures struct {
	WorstError float64      `json:"worst_error"` // expected calibration error
	WorstSkill float64      `json:"worst_skill"` // Brier skill against the world's share of crossings
	WorstWorld string       `json:"worst_world"` // of the worst error
	Worlds     []worldScore `json:"worlds"`
}

type worldScore struct {
	World     string  `json:"world"`
	Error     float64 `json:"error"`
	Skill     float64 `json:"skill"`
	Crossings float64 `json:"crossings"` // share of points after which the limit is crossed
	Sure      float64 `json:"sure"`      // share of points with a probability of 0.8 or more
	SureRight float64 `json:"sure_right"`
	// Of warnings at 0.8: false ones and all of them a series-week, and in the
	// creeps' world lead and recall.
	FalsePerWeek    float64 `json:"false_per_week"`
	WarningsPerWeek float64 `json:"warnings_per_week"`
	Lead            float64 `json:"lead_minutes,omitempty"`
	Recall          float64 `json:"recall,omitempty"`
}

// reliability gathers predictions and what came of them.
type reliability struct {
	count, predicted, came [calibrationBins]float64
	brier                  float64
	wrong, warnings, weeks float64
	leads                  []float64
	creeps                 int
}

func (r *reliability) add(p float64, crossed bool) {
	bin := min(int(p*calibrationBins), calibrationBins-1)
	outcome := 0.0
	if crossed {
		outcome = 1
	}
	r.count[bin]++
	r.predicted[bin] += p
	r.came[bin] += outcome
	r.brier += (p - outcome) * (p - outcome)
}

func (r *reliability) merge(o reliability) {
	for bin := range r.count {
		r.count[bin] += o.count[bin]
		r.predicted[bin] += o.predicted[bin]
		r.came[bin] += o.came[bin]
	}
	r.brier += o.brier
	r.wrong, r.warnings, r.weeks = r.wrong+o.wrong, r.warnings+o.warnings, r.weeks+o.weeks
	r.leads, r.creeps = append(r.leads, o.leads...), r.creeps+o.creeps
}

func (r *reliability) score(name string) worldScore {
	var n, came, off float64
	for bin := range r.count {
		n += r.count[bin]
		came += r.came[bin]
		off += math.Abs(r.predicted[bin] - r.came[bin])
	}
	base := came / n
	s := worldScore{
		World: name, Error: runner.Round(off / n), Skill: runner.Round(1 - r.brier/n/(base*(1-base))), Crossings: runner.Round(base),
		Sure: runner.Round((r.count[8] + r.count[9]) / n), SureRight: runner.Round((r.came[8] + r.came[9]) / max(r.count[8]+r.count[9], 1)),
		FalsePerWeek: runner.Round(r.wrong / r.weeks), WarningsPerWeek: runner.Round(r.warnings / r.weeks),
	}
	if r.creeps > 0 {
		s.Lead, s.Recall = runner.Round(runner.MedianOf(r.leads)), runner.Round(float64(len(r.leads))/float64(r.creeps))
	}
	return s
}

func runBreachCalibration(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("breach-calibration", flag.ContinueOnError)
	each := flags.Int("series", 24, "series of each world")
	only := flags.String("world", "", "one world alone")
	bins := flags.Bool("bins", false, "print predicted and came true by tenth")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	figures := calibrationFigures{WorstSkill: math.Inf(1)}
	for k, w := range worlds {
		if *only != "" && w.name != *only {
			continue
		}
		r, err := calibrationOf(w, *each, uint64(k))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		if *bins {
			r.print(os.Stderr, w.name)
		}
		s := r.score(w.name)
		figures.Worlds = append(figures.Worlds, s)
		if s.Error > figures.WorstError {
			figures.WorstError, figures.WorstWorld = s.Error, w.name
		}
		figures.WorstSkill = min(figures.WorstSkill, s.Skill)
	}
	return figures, nil
}

func (r *reliability) print(out *os.File, name string) {
	fmt.Fprintln(out, name)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for bin, n := range r.count {
		if n > 0 {
			fmt.Fprintf(table, "%.0f\t%.3f\t%.3f\n", n, r.predicted[bin]/n, r.came[bin]/n)
		}
	}
	_ = table.Flush()
}

func calibrationOf(w world, each int, seed uint64) (reliability, error) {
	parts := make([]reliability, each)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range parts {
		group.Go(func() (err error) {
			random := rand.New(rand.NewPCG(uint64(i), 100+seed))
			const n = calibrationTrain + calibrationTest
			var values []float64
			var limit float64
			if w.limited != nil {
				values, limit = w.limited(random, n, calibrationTest)
			} else {
				values = w.generate(random, n, calibrationTest)
				limit = limitFor(values, 0.02+0.6*random.Float64())
			}
			parts[i], err = reliabilityOf(values, limit, w.name == "creeps of 45 min")
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return reliability{}, err
	}
	var total reliability
	for _, part := range parts {
		total.merge(part)
	}
	return total, nil
}

// limitFor is the limit that is crossed within a share of the hours.
func limitFor(values []float64, share float64) float64 {
	hour := int(warnAhead / time.Minute)
	var highest []float64
	for i := 0; i+hour < len(values); i += 5 {
		highest = append(highest, slices.Max(values[i+1:i+hour+1]))
	}
	slices.Sort(highest)
	return highest[int(float64(len(highest))*(1-share))]
}

func reliabilityOf(values []float64, limit float64, creeping bool) (reliability, error) {
	var r reliability
	h := series.Series{Start: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Step: time.Minute, Values: values}
	result, err := breach.Predict(breach.Request{History: h, From: h.Time(calibrationTrain), Threshold: limit, Horizon: warnAhead})
	if err != nil {
		return r, err
	}
	hour, gap := int(warnAhead/h.Step), int(warningGap/h.Step)
	last, warned := math.MinInt/2, -1 // -1: no warning since the last crossing
	for i, p := range result.Probability[:calibrationTest-hour] {
		at := calibrationTrain + i
		r.weeks += h.Step.Hours() / (7 * 24)
		if values[at] >= limit {
			if creeping && values[at-1] < limit {
				r.creeps++
				if warned >= 0 && at-warned <= creepLength {
					r.leads = append(r.leads, float64(at-warned))
				}
			}
			warned = -1
			continue
		}
		crossed := slices.ContainsFunc(values[at+1:at+hour+1], func(v float64) bool { return v >= limit })
		r.add(p, crossed)
		if p >= warnAt {
			if i-last > gap {
				r.warnings++
				if !crossed {
					r.wrong++
				}
			}
			if crossed && warned < 0 {
				warned = at
			}
			last = i
		}
	}
	return r, nil
}
