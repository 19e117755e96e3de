// Command lab runs a real Prometheus, a real Tempo and a shop that can be
// broken. When all is ready it prints one line of JSON with the addresses and
// serves until it is interrupted or its standard input is closed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(o)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()

	began := time.Now()
	log := func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "lab %6.1fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	binaries, err := build(ctx, o, log)
	if err != nil || o.buildOnly {
		return err
	}

	// A parent that dies closes our standard input: the lab never outlives it.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	l, err := startLab(ctx, o, binaries, log)
	defer l.stop()
	if err != nil {
		return err
	}
	line, err := json.Marshal(l.addresses)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	log("ready")
	return l.serve(ctx)
}
