package canary

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("canary-simulated", "verdicts over simulated canaries at α 1 %: harmless ones in worlds of real traffic that are rolled back, and how soon bad ones are found [-runs N] [-long N] [-only TEXT]", simulatedCanaries)
}

// canarySimulation is what was rolled back, in percent.
type canarySimulation struct {
	Runs                   int              `json:"runs"`
	WorstFalseRate         float64          `json:"worst_false_rate"` // over all worlds and shares, where metrics distinguish pods
	WorstWorld             string           `json:"worst_world"`
	WorstWithoutPods       float64          `json:"worst_false_rate_without_pods"` // where they do not
	WorstWorldWithoutPods  string           `json:"worst_world_without_pods"`
	FalseRate              float64          `json:"false_rate"` // of all of them together, with pods
	ThreefoldFound         float64          `json:"threefold_found"`
	ThreefoldMedianMinutes float64          `json:"threefold_median_minutes"`
	DispersedFound         float64          `json:"dispersed_found"`
	SimpsonFound           float64          `json:"simpson_found"`
	Found                  []canaryFinding  `json:"found"`
	Worlds                 []canaryHarmless `json:"worlds"`
}

// canaryFinding is how soon a bad canary is found.
type canaryFinding struct {
	Case    string  `json:"case"`
	Labels  string  `json:"labels"`
	Found   float64 `json:"found"` // percent, in time
	Median  float64 `json:"median_minutes"`
	Slowest float64 `json:"p99_minutes"`
	Limit   float64 `json:"limit_minutes"`
}

// canaryHarmless is what of harmless canaries was rolled back, percent by share
// of the requests.
type canaryHarmless struct {
	World   string             `json:"world"`
	Labels  string             `json:"labels"`
	Minutes int                `json:"minutes"`
	Shares  map[string]float64 `json:"rolled_back"`
}

// minRuns are needed for a rate of one in a hundred to say anything.
const minRuns = 100

var canaryShares = []float64{0.01, 0.05, 0.1, 0.25, 0.5}

var labelNames = []string{"nothing", "version", "pod", "zone"}

func always(share float64) func(int) float64 { return func(int) float64 { return share } }

func simulatedCanaries(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("canary-simulated", flag.ContinueOnError)
	runs := flags.Int("runs", 200, "canaries of each kind")
	long := flags.Int("long", 2, "canaries of each kind that are watched for 1,000 minutes")
	only := flags.String("only", "", "worlds whose name contains this")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	figures := canarySimulation{Runs: *runs}
	var all, failed int
	for _, plan := range []struct{ minutes, runs int }{{60, *runs}, {1000, *long}} {
		for _, world := range harmlessWorlds {
			if plan.runs == 0 || !strings.Contains(world.name, *only) {
				continue
			}
			rows := make([]canaryHarmless, world.labels())
			for by := range rows {
				rows[by] = canaryHarmless{World: world.name, Labels: labelNames[by], Minutes: plan.minutes, Shares: map[string]float64{}}
			}
			for _, share := range canaryShares {
				back := simulate(world, plan.runs, 1, plan.minutes, always(share))
				for by := range rows {
					rate := 100 * float64(len(back[by])) / float64(plan.runs)
					rows[by].Shares[fmt.Sprintf("%g%%", 100*share)] = rate
					where := fmt.Sprintf("%s at %g %%, by %s", world.name, 100*share, labelNames[by])
					worst, named := &figures.WorstFalseRate, &figures.WorstWorld
					if reported(by) < byPod {
						worst, named = &figures.WorstWithoutPods, &figures.WorstWorldWithoutPods
					} else {
						all, failed = all+plan.runs, failed+len(back[by])
					}
					if plan.runs >= minRuns && rate > *worst {
						*worst, *named = rate, where
					}
				}
			}
			for _, row := range rows {
				fmt.Fprintf(os.Stderr, "%-55s %-8s %4d min %v\n", row.World, row.Labels, row.Minutes, row.Shares)
			}
			figures.Worlds = append(figures.Worlds, rows...)
		}
	}
	figures.FalseRate = 100 * float64(failed) / float64(max(1, all))
	for i, bad := range badCanaries {
		if !strings.Contains(bad.world.name, *only) {
			continue
		}
		found := simulate(bad.world, *runs, bad.step, int(bad.limit/bad.step), bad.share)
		for by, found := range found[:bad.world.labels()] {
			one := canaryFinding{Case: bad.world.name, Labels: labelNames[by], Limit: bad.limit, Found: 100 * float64(len(found)) / float64(max(1, *runs))}
			if slices.Sort(found); len(found) > 0 {
				one.Median = float64(found[len(found)/2]) * bad.step
				one.Slowest = float64(found[len(found)*99/100]) * bad.step
			}
			figures.Found = append(figures.Found, one)
			fmt.Fprintf(os.Stderr, "%+v\n", one)
			if reported(by) == byPod {
				figures.take(i, one)
			}
		}
	}
	return figures, nil
}

// take keeps the figures of metrics that distinguish pods.
func (f *canarySimulation) take(i int, one canaryFinding) {
	switch i {
	case 0:
		f.ThreefoldFound, f.ThreefoldMedianMinutes = one.Found, one.Median
	case 1:
		f.DispersedFound = one.Found
	case len(badCanaries) - 1:
		f.SimpsonFound = one.Found
	}
}

// simulate runs canaries side by side; found are the steps at which they failed,
// by what metrics tell apart.
func simulate(w canaryWorld, runs int, step float64, steps int, share func(int) float64) (found [reported(4)][]int) {
	var mu sync.Mutex
	var workers sync.WaitGroup
	next := make(chan uint64)
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range next {
				at := failedAt(w, seed, pastOf(w, seed), step, steps, share)
				mu.Lock()
				for by, step := range at {
					if step > 0 {
						found[by] = append(found[by], step)
					}
				}
				mu.Unlock()
			}
		})
	}
	for seed := range uint64(runs) {
		next <- seed
	}
	close(next)
	workers.Wait()
	return found
}

// pasts keeps what was learned of a world for all shares.
var pasts sync.Map

func pastOf(w canaryWorld, seed uint64) [reported(4)][]lesson {
	type key struct {
		name string
		seed uint64
	}
	if known, ok := pasts.Load(key{w.name, seed}); ok {
		return known.([reported(4)][]lesson)
	}
	learned := past(w, seed)
	pasts.Store(key{w.name, seed}, learned)
	return learned
}
