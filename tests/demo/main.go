// Command demo tells the story that Foresight is for, on a real Prometheus and
// a real Tempo: a slow query ships in a deploy, and within seconds the data
// source names the service, the query, and what it costs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/foresight-observability/foresight/tests/harness"
)

type options struct {
	once, stage bool
	port        int
}

func main() {
	var o options
	flag.BoolVar(&o.once, "once", false, "end after the story, without a page")
	flag.BoolVar(&o.stage, "stage", false, "bring the incident about, without telling or judging it")
	flag.IntVar(&o.port, "port", 0, "port of the page, 0 for a free one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	fmt.Println("Starting the plugin, a Prometheus, a Tempo and the shop …")
	var flags []string
	if o.stage {
		flags = []string{"-rate", "5"} // a browser takes its share of the machine
	}
	lab, err := harness.StartLab(ctx, os.Stderr, flags...)
	if err != nil {
		return err
	}
	defer lab.Stop()
	log := io.Writer(os.Stderr)
	if o.stage {
		log = io.Discard // whoever tests provokes errors, and the plugin logs each
	}
	plugin, err := harness.StartPlugin(ctx, log)
	if err != nil {
		return err
	}
	defer plugin.Stop()

	s := story{
		timeline: timeline{out: os.Stdout, begun: time.Now()},
		lab:      lab,
		source:   harness.DataSource{Plugin: plugin, Context: harness.PluginContext(lab.Settings(), nil)},
	}
	if o.once {
		return s.tell(ctx)
	}
	look, err := open(plugin, lab, o.port)
	if err != nil {
		return err
	}
	defer look.stop()
	fmt.Printf("Look at %s (%s).\n", look.address, look.what)
	tell := s.tell
	if o.stage {
		tell = s.setStage
	}
	if err := tell(ctx); err != nil {
		return err
	}
	fmt.Printf(`
Everything keeps running; interrupt to end it.
  look at     %s (%s)
  Prometheus  %s
  Tempo       %s
  the shop    %s/state
Point a Foresight data source at the first two (provisioning/ shows how), or
break the shop in another way: tests/lab/README.md lists its faults.
`, look.address, look.what, lab.Prometheus, lab.Tempo, lab.Control)
	<-ctx.Done()
	return nil
}
