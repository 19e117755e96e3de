// Command demo tells the story that Foresight is for, on a real Prometheus and
// a real Tempo: a slow query ships in a deploy, and within seconds the data
// source names the service, the query, and what it costs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/foresight-observability/foresight/tests/harness"
)

func main() {
	once := flag.Bool("once", false, "end after the story")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *once); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, once bool) error {
	fmt.Println("Starting the plugin, a Prometheus, a Tempo and the shop …")
	lab, err := harness.StartLab(ctx, os.Stderr)
	if err != nil {
		return err
	}
	defer lab.Stop()
	plugin, err := harness.StartPlugin(ctx, os.Stderr)
	if err != nil {
		return err
	}
	defer plugin.Stop()

	s := story{
		timeline: timeline{out: os.Stdout, begun: time.Now()},
		lab:      lab,
		source:   harness.DataSource{Plugin: plugin, Context: harness.PluginContext(lab.Settings(), nil)},
	}
	if err := s.tell(ctx); err != nil {
		return err
	}
	if once {
		return nil
	}
	fmt.Printf(`
Everything keeps running; interrupt to end it.
  Prometheus  %s
  Tempo       %s
  the shop    %s/state
Point a Foresight data source at the first two (provisioning/ shows how), or
break the shop in another way: tests/lab/README.md lists its faults.
`, lab.Prometheus, lab.Tempo, lab.Control)
	<-ctx.Done()
	return nil
}
