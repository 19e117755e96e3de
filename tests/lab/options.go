package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/tests/lab/servers"
)

// The servers by the names of -servers.
const (
	prometheus = "prometheus"
	tempo      = "tempo"
	jaeger     = "jaeger"
	mimir      = "mimir"
	mimirSplit = "mimir-split"
	tempoSplit = "tempo-split"
)

var known = []string{prometheus, tempo, jaeger, mimir, mimirSplit, tempoSplit}

// options are the lab's flags.
type options struct {
	seed      uint64
	rate      float64
	history   time.Duration
	cache     string
	data      string
	source    string
	servers   []string
	buildOnly bool
	shop      bool

	prometheusPort, tempoPort, otlpPort, jaegerPort, controlPort int
}

func parseOptions(arguments []string) (options, error) {
	var o options
	var history, serverNames string
	flags := flag.NewFlagSet("lab", flag.ContinueOnError)
	flags.Uint64Var(&o.seed, "seed", 1, "seed of all randomness")
	flags.Float64Var(&o.rate, "rate", 15, "requests per second at the mean of day and week")
	flags.StringVar(&history, "history", "14d", "metric history written before Prometheus starts, 0 for none")
	flags.StringVar(&o.cache, "cache", "", "directory that keeps the built servers (default: the user's cache)")
	flags.StringVar(&o.data, "data", "", "directory for the servers' data, kept afterwards (default: a temporary one, removed)")
	flags.StringVar(&o.source, "source", "", "directory with one Go module per server (default: where the lab was compiled)")
	flags.StringVar(&serverNames, "servers", "prometheus,tempo", "servers to run, of "+strings.Join(known, ", "))
	flags.BoolVar(&o.buildOnly, "build-only", false, "build the servers into the cache and end")
	flags.BoolVar(&o.shop, "shop", true, "run the shop; false for bare servers")
	flags.IntVar(&o.prometheusPort, "prometheus-port", 0, "port of Prometheus, 0 for a free one")
	flags.IntVar(&o.tempoPort, "tempo-port", 0, "port of Tempo's HTTP API, 0 for a free one")
	flags.IntVar(&o.otlpPort, "otlp-port", 0, "port of Tempo's OTLP receiver over HTTP, 0 for a free one")
	flags.IntVar(&o.jaegerPort, "jaeger-port", 0, "port of Jaeger's query API, 0 for a free one")
	flags.IntVar(&o.controlPort, "control-port", 0, "port of the control API, 0 for a free one")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}

	var err error
	if o.history, err = parseDays(history); err != nil {
		return o, fmt.Errorf("-history: %w", err)
	}
	if o.rate <= 0 || o.rate > 1000 {
		return o, fmt.Errorf("-rate %g: give between 0 and 1000 requests per second", o.rate)
	}
	o.servers = strings.Split(serverNames, ",")
	for _, name := range o.servers {
		if !slices.Contains(known, name) {
			return o, fmt.Errorf("-servers: there is no server %q, only %s", name, strings.Join(known, ", "))
		}
	}
	if (o.runs(mimir) || o.runs(mimirSplit)) && !o.runs(prometheus) {
		return o, errors.New("-servers: Mimir gets its metrics from prometheus; name that too")
	}
	if o.cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return o, fmt.Errorf("find the user's cache directory (or give -cache): %w", err)
		}
		o.cache = filepath.Join(user, "foresight", "lab")
	}
	if o.source == "" {
		o.source, err = servers.SourceDirectory()
	}
	return o, err
}

func (o options) runs(server string) bool { return slices.Contains(o.servers, server) }

// parseDays reads a duration that may be given in days, as in 14d.
func parseDays(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil {
			return 0, fmt.Errorf("%q is not a number of days", text)
		}
		return notNegative(time.Duration(n * 24 * float64(time.Hour)))
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, err
	}
	return notNegative(d)
}

func notNegative(d time.Duration) (time.Duration, error) {
	if d < 0 {
		return 0, errors.New("a span of time cannot be negative")
	}
	return d, nil
}
