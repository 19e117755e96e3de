// Command foresight-gate waits in a pipeline for Foresight's verdict on a new
// version of a service. docs/gate.md describes it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/foresight-observability/foresight/pkg/gate"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return gate.Main(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
}
