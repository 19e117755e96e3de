package canary

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/rollout"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("planner", "planned rollouts of bad candidates, simulated and judged at every minute: what was promised, and what was found [-runs N]", planner)
}

// plannerFigures compare what schedules promise with simulated rollouts.
type plannerFigures struct {
	Runs int `json:"runs"`
	// WorstGap is the largest difference, in percentage points, between a promised
	// probability (of finding the candidate by the end, of harming at most the
	// limit) and its share of the simulated rollouts; WorstStepGap the same of the
	// power by the end of each step.
	WorstGap     float64 `json:"worst_gap_points"`
	WorstStepGap float64 `json:"worst_step_gap_points"`
	// BelowPromise is by how many points the wanted probability was missed at most.
	BelowPromise float64 `json:"below_promise_points"`
	// AtOnePercent is the share, in percent, of threefold errors found at 1 % of 200
	// requests a second before that step ends.
	AtOnePercent        float64          `json:"at_one_percent_found"`
	AtOnePercentMinutes float64          `json:"at_one_percent_minutes"`
	Settings            []plannerSetting `json:"settings"`
	Unkept              []string         `json:"unkept"` // settings without a schedule
}

type plannerSetting struct {
	Setting        string  `json:"setting"`
	Minutes        float64 `json:"minutes"`
	PromisedFound  float64 `json:"promised_found"`
	Found          float64 `json:"found"`
	PromisedInTime float64 `json:"promised_in_time"`
	InTime         float64 `json:"in_time"`
	StepGap        float64 `json:"step_gap_points"`
}

// plannedWorld is a service to roll out.
type plannedWorld struct {
	rate, bad, dispersion float64
	pods                  int
}

func planner(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("planner", flag.ContinueOnError)
	runs := flags.Int("runs", 1000, "rollouts of each setting")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	figures := plannerFigures{Runs: *runs}
	promise := rollout.Promise{Probability: 0.95, MaxHarmed: 1500, From: 0.01, MaxWeight: 0.5, MinPause: 5 * time.Minute, MaxDuration: 12 * time.Hour}
	for _, rate := range []float64{20, 200} {
		for _, bad := range []float64{0.002, 0.01} {
			for _, dispersion := range []float64{1, 3} {
				for _, pods := range []int{0, 10} {
					for _, promise.Ratio = range []float64{3, 5} {
						figures.measure(plannedWorld{rate, bad, dispersion, pods}, promise)
					}
				}
			}
		}
	}
	promise.Ratio, promise.Probability, promise.MaxWeight = 3, 0.99, promise.From
	figures.AtOnePercent = 100
	for _, dispersion := range []float64{1, 3} {
		w := plannedWorld{200, 0.01, dispersion, 10}
		plan, seen := figures.measure(w, promise)
		if !plan.Kept() {
			figures.AtOnePercent = 0
			continue
		}
		figures.AtOnePercent = min(figures.AtOnePercent, 100*seen.steps[0])
		figures.AtOnePercentMinutes = max(figures.AtOnePercentMinutes, plan.Steps[0].Pause.Minutes())
	}
	return figures, nil
}

// measure plans for a world and rolls out in it.
func (f *plannerFigures) measure(w plannedWorld, promise rollout.Promise) (rollout.Plan, rolledOut) {
	name := fmt.Sprintf("%g requests/s, %g %% bad, dispersion %g, %d pods, %g-fold, p %g, up to %g %%",
		w.rate, 100*w.bad, w.dispersion, w.pods, promise.Ratio, promise.Probability, 100*promise.MaxWeight)
	signal := canary.Signal{Name: "errors", Critical: true, Margin: 0.001, Noise: w.past()}
	plan := rollout.Make(rollout.Service{
		Requests: []float64{60 * w.rate}, Period: time.Minute, Bad: w.bad, Pods: w.pods, Signal: signal, Signals: plannedSignals,
	}, promise)
	if !plan.Kept() {
		f.Unkept = append(f.Unkept, fmt.Sprintf("%s: %v", name, plan.Relax))
		fmt.Fprintln(os.Stderr, name, "unkept", plan.Relax)
		return plan, rolledOut{}
	}
	seen := w.rollOut(plan, signal, promise, f.Runs)
	one := plannerSetting{Setting: name, Minutes: plan.Duration().Minutes(), PromisedFound: 100 * plan.Found, Found: 100 * seen.steps[len(seen.steps)-1],
		PromisedInTime: 100 * plan.InTime, InTime: 100 * seen.inTime}
	for i, step := range plan.Steps {
		one.StepGap = max(one.StepGap, 100*math.Abs(step.Power-seen.steps[i]))
	}
	f.WorstGap = max(f.WorstGap, math.Abs(one.PromisedFound-one.Found), math.Abs(one.PromisedInTime-one.InTime))
	f.WorstStepGap = max(f.WorstStepGap, one.StepGap)
	f.BelowPromise = max(f.BelowPromise, 100*promise.Probability-one.InTime)
	f.Settings = append(f.Settings, one)
	fmt.Fprintf(os.Stderr, "%+v\n", one)
	return plan, seen
}

// plannedSignals share the error of a verdict: errors and three limits of latency.
const plannedSignals = 4

// rolledOut is what rollouts of one setting came to: the share found by the end of
// each step, and before too many requests were harmed.
type rolledOut struct {
	steps  []float64
	inTime float64
}

// rollOut rolls the bad candidate out again and again; it is judged at the end of
// every interval.
func (w plannedWorld) rollOut(plan rollout.Plan, signal canary.Signal, promise rollout.Promise, runs int) rolledOut {
	minutes := int(plan.Interval.Minutes())
	type result struct {
		at     time.Duration
		harmed float64
	}
	results := make([]result, runs)
	var workers sync.WaitGroup
	all := runtime.GOMAXPROCS(0)
	for worker := range all {
		workers.Go(func() {
			for run := worker; run < runs; run += all {
				s := w.service(uint64(run), promise.Ratio, plan.Interval)
				for _, step := range plan.Steps {
					s.grow(step.Weight)
					for range int(step.Pause / plan.Interval) {
						s.serve(minutes)
						if results[run].at == 0 && s.fails(signal) {
							results[run] = result{time.Duration(s.periods) * plan.Interval, s.harmed}
						}
					}
					if results[run].at > 0 {
						break
					}
				}
			}
		})
	}
	workers.Wait()
	seen := rolledOut{steps: make([]float64, len(plan.Steps))}
	for _, r := range results {
		end := time.Duration(0)
		for i, step := range plan.Steps {
			if end += step.Pause; r.at > 0 && r.at <= end {
				seen.steps[i]++
			}
		}
		if r.at > 0 && r.harmed <= promise.MaxHarmed {
			seen.inTime++
		}
	}
	for i := range seen.steps {
		seen.steps[i] /= float64(runs)
	}
	seen.inTime /= float64(runs)
	return seen
}

// plannedService is one rollout. Its errors come in clusters, and requests as they
// please, unlike in the planner's own simulation.
type plannedService struct {
	plannedWorld
	ratio   float64
	period  time.Duration
	random  *rand.Rand
	groups  []canary.Group
	factors []float64
	weight  float64
	periods int
	harmed  float64
}

const podsDiffer = 0.1

func (w plannedWorld) service(seed uint64, ratio float64, period time.Duration) *plannedService {
	s := &plannedService{plannedWorld: w, ratio: ratio, period: period, random: rand.New(rand.NewPCG(seed, 7))}
	for range max(1, w.pods) {
		s.pod(false)
	}
	return s
}

func (s *plannedService) pod(candidate bool) {
	g := canary.Group{Candidate: candidate, Periods: make([]canary.Tally, s.periods)}
	if s.pods > 0 {
		g.Pod = fmt.Sprint("pod-", len(s.groups))
	}
	s.groups = append(s.groups, g)
	s.factors = append(s.factors, math.Exp(podsDiffer*s.random.NormFloat64()))
}

func (s *plannedService) grow(weight float64) {
	s.weight = weight
	there := 0
	for _, g := range s.groups {
		if g.Candidate {
			there++
		}
	}
	for wanted := max(1, int(math.Round(weight*float64(s.pods)))); there < wanted; there++ {
		s.pod(true)
	}
}

func (s *plannedService) serve(minutes int) {
	candidates := 0
	for _, g := range s.groups {
		if g.Candidate {
			candidates++
		}
	}
	s.periods++
	for i := range s.groups {
		g := &s.groups[i]
		mean, rate := s.rate*60*float64(minutes)*(1-s.weight)/float64(len(s.groups)-candidates), s.bad
		if g.Candidate {
			mean, rate = s.rate*60*float64(minutes)*s.weight/float64(candidates), s.bad*s.ratio
		}
		served := s.count(mean, 1)
		bad := min(served, s.count(served*rate*s.factors[i], s.dispersion))
		if g.Candidate {
			s.harmed += bad * (1 - 1/s.ratio)
		}
		g.Periods = append(g.Periods, canary.Tally{Bad: bad, Requests: served})
	}
}

// count is a count in clusters, whose sizes are geometric, so that its variance is
// the dispersion times as large.
func (s *plannedService) count(mean, dispersion float64) float64 {
	if !(mean > 0) {
		return 0
	}
	size := (dispersion + 1) / 2 // mean of the geometric clusters
	clusters := distuv.Poisson{Lambda: mean / size, Src: s.random}.Rand()
	if size <= 1 {
		return clusters
	}
	total := 0.0
	for range int(clusters) {
		total += 1 + math.Floor(math.Log(1-s.random.Float64())/math.Log(1-1/size))
	}
	return total
}

func (s *plannedService) fails(signal canary.Signal) bool {
	signal.Groups = make([]canary.Group, len(s.groups))
	for i, g := range s.groups {
		g.Periods = slices.Clone(g.Periods)
		signal.Groups[i] = g
	}
	return canary.Canary{Signals: []canary.Signal{signal}, Alpha: 0.01 / plannedSignals, Period: s.period}.Judge().Verdict == canary.Fail
}

// past is what six hours of the service teach.
func (w plannedWorld) past() canary.Noise {
	s := w.service(1<<40, 1, time.Minute)
	for range 360 {
		s.serve(1)
	}
	return canary.Learn(s.groups)
}
