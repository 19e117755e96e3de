// Command bench measures accuracy and speed.
//
//	go run ./tests/bench NAME [-data DIR] [-json]
//	go run ./tests/bench all
//
// With -json it prints one JSON object with the figures.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	// Each package registers its benchmarks.
	_ "github.com/foresight-observability/foresight/tests/bench/accuracy"
	_ "github.com/foresight-observability/foresight/tests/bench/canary"
	_ "github.com/foresight-observability/foresight/tests/bench/cost"
	_ "github.com/foresight-observability/foresight/tests/bench/fleet"
	_ "github.com/foresight-observability/foresight/tests/bench/mutation"
	"github.com/foresight-observability/foresight/tests/bench/runner"
	_ "github.com/foresight-observability/foresight/tests/bench/traces"
	"github.com/foresight-observability/foresight/tests/harness"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 || arguments[0] == "-h" || arguments[0] == "--help" {
		fmt.Println("usage: go run ./tests/bench NAME [-data DIR] [-json]")
		for _, name := range slices.Sorted(maps.Keys(runner.Benchmarks)) {
			fmt.Printf("  %-18s %s\n", name, runner.Benchmarks[name].About)
		}
		return nil
	}
	name := arguments[0]
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	data := flags.String("data", "", "folder of other people's data (default: ../shared/data beside the repository)")
	asJSON := flags.Bool("json", false, "print one JSON object")
	common, rest := split(arguments[1:])
	if err := flags.Parse(common); err != nil {
		return err
	}
	if *data == "" {
		root, err := harness.Root()
		if err != nil {
			return err
		}
		*data = filepath.Join(root, "..", "shared", "data")
	}
	o := runner.Options{Data: *data, Rest: rest}
	if name != "all" {
		return measure(name, o, *asJSON)
	}
	for _, name := range slices.Sorted(maps.Keys(runner.Benchmarks)) {
		if err := measure(name, o, *asJSON); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", name, err)
		}
	}
	return nil
}

// split parts the common flags from those that only one benchmark knows.
func split(arguments []string) (common, rest []string) {
	for i := 0; i < len(arguments); i++ {
		switch arguments[i] {
		case "-json", "--json":
			common = append(common, arguments[i])
		case "-data", "--data":
			common = append(common, arguments[i])
			if i+1 < len(arguments) {
				i++
				common = append(common, arguments[i])
			}
		default:
			rest = append(rest, arguments[i])
		}
	}
	return common, rest
}

func measure(name string, o runner.Options, asJSON bool) error {
	b, known := runner.Benchmarks[name]
	if !known {
		return fmt.Errorf("there is no benchmark %q; without arguments the list is printed", name)
	}
	begun := time.Now()
	figures, err := b.Run(o)
	if err != nil {
		return err
	}
	if figures == nil {
		return nil // it has written what it has to say
	}
	line, err := json.Marshal(figures)
	if err != nil {
		return err
	}
	if asJSON {
		fmt.Println(string(line))
		return nil
	}
	fmt.Printf("%s (%s)\n", name, time.Since(begun).Round(time.Millisecond))
	var table map[string]any
	if err := json.Unmarshal(line, &table); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		fmt.Printf("  %-28s %v\n", key, table[key])
	}
	return nil
}
