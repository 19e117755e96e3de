package cost

import (
	"context"
	"flag"
	"os"
	"time"

	"github.com/foresight-observability/foresight/tests/attack"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("attack", "abuse by 50 clients while alert rules are evaluated: survival, missed and late rules, memory", attackLoad)
}

func attackLoad(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("attack", flag.ContinueOnError)
	seconds := flags.Int("seconds", 60, "how long to attack")
	clients := flags.Int("clients", 50, "clients at once")
	rules := flags.Int("rules", 1000, "evaluations of rules per minute")
	only := flags.String("only", "", "the name of one attack")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	return attack.Run(context.Background(), attack.Options{
		Duration: time.Duration(*seconds) * time.Second, Clients: *clients, RulesPerMinute: *rules, Only: *only, Log: os.Stderr,
	})
}
