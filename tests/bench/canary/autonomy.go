package canary

import (
	"flag"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("autonomy", "simulated playbooks whose record is looked at after every outcome: how many below the bar are promoted to auto, and how soon good ones are [-runs N] [-outcomes N]", autonomy)
}

// autonomyFigures are shares of playbooks in percent.
type autonomyFigures struct {
	Runs     int `json:"runs"`
	Outcomes int `json:"outcomes"`
	// Wrong are those promoted at any look although they are right as often as the
	// bar and no more, the hardest case; Below those that are right 3 points less.
	Wrong float64 `json:"wrongly_promoted"`
	Below float64 `json:"below_bar_promoted"`
	// Plain is Wrong where the limit of Wilson alone decides, at least 20 outcomes.
	Plain float64 `json:"wrongly_promoted_by_wilson_alone"`
	// Good are those promoted that are right in 99 % of cases, and Median after how
	// many outcomes.
	Good   float64 `json:"good_promoted"`
	Median int     `json:"good_promoted_after"`
}

func autonomy(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("autonomy", flag.ContinueOnError)
	runs := flags.Int("runs", 2000, "playbooks of each kind")
	outcomes := flags.Int("outcomes", 500, "of each playbook")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	const bar = 0.95
	figures := autonomyFigures{Runs: *runs, Outcomes: *outcomes}
	share := func(n int) float64 { return 100 * float64(n) / float64(*runs) }
	at, plain := promotions(bar, bar, *runs, *outcomes)
	figures.Wrong, figures.Plain = share(len(at)), share(plain)
	at, _ = promotions(bar-0.03, bar, *runs, *outcomes)
	figures.Below = share(len(at))
	at, _ = promotions(0.99, bar, *runs, *outcomes)
	if figures.Good = share(len(at)); len(at) > 0 {
		var after []float64
		for _, n := range at {
			after = append(after, float64(n))
		}
		figures.Median = int(stats.Median(after))
	}
	return figures, nil
}

// promotions are the numbers of outcomes after which playbooks that are right so
// often were first promoted, and how many the limit of Wilson alone would have
// promoted.
func promotions(right, bar float64, runs, outcomes int) (at []int, plain int) {
	for run := range runs {
		random := rand.New(rand.NewPCG(uint64(run), 19))
		var record []playbook.Past
		promoted, byWilson := 0, false
		for n := 1; n <= outcomes && (promoted == 0 || !byWilson); n++ {
			outcome := playbook.Verified
			if random.Float64() >= right {
				outcome = playbook.Failed
			}
			record = append(record, playbook.Past{ID: strconv.Itoa(n), Pattern: playbook.RetryStorm, At: time.Unix(int64(n), 0), Outcome: outcome})
			judged := playbook.JudgeRecord(playbook.RetryStorm, record, bar)
			byWilson = byWilson || n >= 20 && judged.Lower > bar
			if judged.Earned && promoted == 0 {
				promoted = n
			}
		}
		if byWilson {
			plain++
		}
		if promoted > 0 {
			at = append(at, promoted)
		}
	}
	return at, plain
}
