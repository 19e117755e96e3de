package traces

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/tests/bench/datasets"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("aa", "windows without a change, looked at many times each while they grow: how many raise a verdict? [-runs N] [-looks N] [-halves N]", aa)
}

type aaFigures struct {
	Looks          int     `json:"looks"`
	Synthetic      int     `json:"synthetic"` // windows
	SyntheticFalse int     `json:"synthetic_false"`
	SyntheticRate  float64 `json:"synthetic_rate"` // percent
	Real           int     `json:"real"`
	RealFalse      int     `json:"real_false"`
	RealRate       float64 `json:"real_rate"`
	SameTime       int     `json:"same_time"` // halves of the same real windows
	SameTimeFalse  int     `json:"same_time_false"`
	SameTimeRate   float64 `json:"same_time_rate"`
	// Found is what the false verdicts of real windows say.
	Found []string `json:"found"`
}

// aa compares growing windows with a baseline of the same system: a steady
// shop, and one whose durations rise and fall; and fault-free minutes of
// Nezha's two days (in some of which their makers' system had incidents of its
// own) with the other fault-free moments of the day. Halves of the same
// fault-free minutes, drawn at random, differ by chance alone.
func aa(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("aa", flag.ContinueOnError)
	runs := flags.Int("runs", 200, "synthetic windows")
	looks := flags.Int("looks", 60, "looks at each window")
	splits := flags.Int("halves", 5, "how often each real window is drawn into halves")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	figures := aaFigures{Looks: *looks, Found: []string{}, Synthetic: *runs}
	for run := range *runs {
		seed := uint64(run)
		shop := tracetest.Shop{Seed: seed, Traces: 400, PaymentFails: 0.02, Start: time.Date(2024, 1, 1, 0, 0, run*37, 0, time.UTC)}
		if run%2 == 1 {
			shop.Wave, shop.Period = 0.3, 15*time.Second
		}
		baseline := shop.Generate()
		shop.Seed, shop.Traces, shop.Start = seed+1_000_000, 600, shop.Start.Add(40*time.Second)
		figures.SyntheticFalse += int(runner.OneIf(everFound(baseline, shop.Generate(), *looks, false) != ""))
	}
	figures.SyntheticRate = 100 * float64(figures.SyntheticFalse) / float64(max(1, figures.Synthetic))
	for _, name := range []string{"2022-08-22", "2023-01-29"} {
		d, err := datasets.LoadDay(filepath.Join(o.Data, "nezha", name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range d.Faults {
			if window := d.Between(d.Quiet(i)); len(window) >= 20 {
				figures.Real++
				if found := everFound(thinned(d.Clean(i), 1000), window, *looks, false); found != "" {
					figures.RealFalse++
					figures.Found = append(figures.Found, fmt.Sprintf("%s, %d: %s", name, i, found))
				}
			}
			for half := range *splits {
				stable, canary := halves(d.Between(d.Quiet(i)), uint64(half))
				if min(len(stable), len(canary)) >= 20 {
					figures.SameTime++
					figures.SameTimeFalse += int(runner.OneIf(everFound(stable, canary, *looks, true) != ""))
				}
			}
		}
	}
	figures.RealRate = 100 * float64(figures.RealFalse) / float64(max(1, figures.Real))
	figures.SameTimeRate = 100 * float64(figures.SameTimeFalse) / float64(max(1, figures.SameTime))
	return figures, nil
}

// everFound looks at a window while it grows, and its baseline with it where
// both are of the same time. It is the first finding in words, empty for none.
func everFound(baseline, window []trace.Trace, looks int, together bool) string {
	for look := 1; look <= looks; look++ {
		before := baseline
		if together {
			before = baseline[:len(baseline)*look/looks]
		}
		if r := diff.Compare(before, window[:len(window)*look/looks], diff.Options{}); isFinding(r.Verdict) {
			return fmt.Sprintf("%s at look %d: %s", r.Verdict, look, r.Reason)
		}
	}
	return ""
}

// halves gives every trace to one of two sides at random, as a load balancer
// does between two versions.
func halves(traces []trace.Trace, seed uint64) (first, second []trace.Trace) {
	random := rand.New(rand.NewPCG(seed, seed))
	for _, one := range traces {
		if random.IntN(2) == 0 {
			first = append(first, one)
		} else {
			second = append(second, one)
		}
	}
	return first, second
}

// thinned keeps at most so many traces, evenly.
func thinned(traces []trace.Trace, most int) []trace.Trace {
	if len(traces) <= most {
		return traces
	}
	kept := make([]trace.Trace, most)
	for i := range kept {
		kept[i] = traces[i*len(traces)/most]
	}
	return kept
}
