package canary

import (
	"flag"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("canary-simulated", "verdicts over simulated canaries, 60 looks at α 1 %: false rollbacks, and how soon threefold errors are found [-runs N]", simulatedCanaries)
}

type canarySimulation struct {
	Runs           int             `json:"runs"`
	FalseRollbacks int             `json:"false_rollbacks"` // of canaries that change nothing, at a tenth of the requests
	FalseRate      float64         `json:"false_rate"`      // percent
	Threefold      []canaryFinding `json:"threefold_errors"`
}

// canaryFinding is how threefold errors are found at a share of the requests.
type canaryFinding struct {
	Share         float64 `json:"share"`
	Minutes       float64 `json:"minutes_watched"`
	Power         float64 `json:"power"`          // percent found in that time
	MedianMinutes float64 `json:"median_minutes"` // of those found; 0 where none was
}

const (
	canaryRate     = 200.0 // requests per second, of both versions
	canaryErrors   = 0.002
	canaryLookEach = 30.0 // seconds
	canaryLooks    = 60
)

// simulatedCanaries draws independent errors, as pkg/canary's tests do; the
// canary's share of the requests varies from look to look.
func simulatedCanaries(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("canary-simulated", flag.ContinueOnError)
	runs := flags.Int("runs", 1000, "canaries of each kind")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	figures := canarySimulation{Runs: *runs}
	for run := range *runs {
		figures.FalseRollbacks += int(runner.OneIf(rolledBackAt(uint64(run), 0.1, 1) > 0))
	}
	figures.FalseRate = 100 * float64(figures.FalseRollbacks) / float64(max(1, *runs))
	for _, share := range []float64{0.01, 0.05, 0.1, 0.25} {
		finding := canaryFinding{Share: share, Minutes: canaryLooks * canaryLookEach / 60}
		var found []int
		for run := range *runs {
			if look := rolledBackAt(uint64(run), share, 3); look > 0 {
				found = append(found, look)
			}
		}
		if slices.Sort(found); len(found) > 0 {
			finding.MedianMinutes = float64(found[len(found)/2]) * canaryLookEach / 60
		}
		finding.Power = 100 * float64(len(found)) / float64(*runs)
		figures.Threefold = append(figures.Threefold, finding)
	}
	return figures, nil
}

// rolledBackAt is the look that fails a canary whose errors are so many times as
// frequent; 0 for none.
func rolledBackAt(seed uint64, share, times float64) int {
	source := rand.NewPCG(seed, 1)
	random := rand.New(source)
	draw := func(requests, rate float64) canary.Tally {
		return canary.Tally{Requests: requests, Bad: distuv.Binomial{N: requests, P: rate, Src: source}.Rand()}
	}
	trial := canary.Canary{Signals: []canary.Signal{{Name: "errors", Critical: true, Margin: 0.001}}}
	for look := 1; look <= canaryLooks; look++ {
		requests := canaryRate * canaryLookEach
		part := math.Round(requests * share * (1 + 0.1*random.NormFloat64()))
		trial.Signals[0].Periods = append(trial.Signals[0].Periods, canary.Period{
			Baseline: draw(requests-part, canaryErrors), Candidate: draw(part, canaryErrors*times)})
		if trial.Judge().Verdict == canary.Fail {
			return look
		}
	}
	return 0
}
