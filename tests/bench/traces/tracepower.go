package traces

import (
	"flag"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("trace-power", "how many traces find a statement that takes twice as long, and how often is the answer that they are too few? [-runs N]", tracePower)
}

type tracePowerFigures struct {
	Traces int `json:"traces"` // of the candidate
	// Percent of the runs.
	Power                 float64 `json:"power"`
	InsufficientChanged   float64 `json:"insufficient_changed"`
	InsufficientUnchanged float64 `json:"insufficient_unchanged"`
}

// tracePower compares a baseline of 400 traces with candidates of growing size,
// once with a statement that takes twice as long and once without a change.
func tracePower(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("trace-power", flag.ContinueOnError)
	runs := flags.Int("runs", 200, "runs of each size")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	var rows []tracePowerFigures
	for _, size := range []int{15, 30, 50, 80, 120, 200, 400} {
		row := tracePowerFigures{Traces: size}
		for run := range *runs {
			shop := tracetest.Shop{Seed: uint64(run), Traces: 400, PaymentFails: 0.02, Start: time.Date(2024, 1, 1, 0, 0, run*37, 0, time.UTC)}
			baseline := shop.Generate()
			shop.Seed, shop.Traces, shop.Start = uint64(run)+1_000_000, size, shop.Start.Add(40*time.Second)
			unchanged := diff.Compare(baseline, shop.Generate(), diff.Options{})
			shop.SlowQuery = 2
			changed := diff.Compare(baseline, shop.Generate(), diff.Options{})
			row.Power += runner.OneIf(changed.Verdict == diff.Regressed)
			row.InsufficientChanged += runner.OneIf(changed.Verdict == diff.Insufficient)
			row.InsufficientUnchanged += runner.OneIf(unchanged.Verdict == diff.Insufficient)
		}
		for _, share := range []*float64{&row.Power, &row.InsufficientChanged, &row.InsufficientUnchanged} {
			*share = 100 * *share / float64(*runs)
		}
		rows = append(rows, row)
	}
	return rows, nil
}
