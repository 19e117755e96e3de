// Package mutation measures the tests: it breaks the code in one place at a time
// and counts how often they notice.
package mutation

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/tests/bench/runner"
	"github.com/foresight-observability/foresight/tests/harness"
)

func init() {
	runner.Register("mutants", "deliberate faults in the domain packages that their tests do not notice [-packages LIST] [-each N] [-for DURATION] [-test DURATION]", mutants)
}

type mutationFigures struct {
	Mutants   int      `json:"mutants"`
	Invalid   int      `json:"invalid"` // do not compile: not counted
	Survived  int      `json:"survived"`
	Rate      float64  `json:"survived_rate"` // percent
	Survivors []string `json:"survivors"`
}

// mutants tries some faults of each package, the same ones every time.
func mutants(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	packages := flags.String("packages", "canary,sizing,stats,trace/diff,anomaly,forecast", "below pkg, separated by commas")
	each := flags.Int("each", 10, "mutants of each package")
	limit := flags.Duration("for", 20*time.Minute, "time for all of them")
	testLimit := flags.Duration("test", 3*time.Minute, "time for the tests of one")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	root, err := harness.Root()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), *limit)
	defer cancel()
	var figures mutationFigures
	for _, name := range strings.Split(*packages, ",") {
		faults, err := faultsIn(filepath.Join(root, "pkg", filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		random := rand.New(rand.NewPCG(14, 14))
		random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		for _, f := range faults[:min(*each, len(faults))] {
			if ctx.Err() != nil {
				break
			}
			result, err := try(ctx, root, "./pkg/"+name, f, *testLimit)
			if err != nil {
				return nil, err
			}
			switch result {
			case invalid:
				figures.Invalid++
				continue
			case unknown:
				continue // out of time
			case survived:
				figures.Survived++
				figures.Survivors = append(figures.Survivors, f.describe(root))
			}
			figures.Mutants++
			fmt.Fprintf(os.Stderr, "%s: %s\n", result, f.describe(root))
		}
	}
	figures.Rate = runner.Round(100 * float64(figures.Survived) / float64(max(1, figures.Mutants)))
	return figures, nil
}

type outcome string

const (
	killed   outcome = "noticed"
	survived outcome = "survived"
	invalid  outcome = "invalid"
	unknown  outcome = "unknown"
)

// try runs a package's tests with the fault in place of its file. The file
// itself stays as it is: Go's overlay shows the tests another one.
func try(ctx context.Context, root, path string, f fault, limit time.Duration) (outcome, error) {
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return unknown, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	mutant, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	listing, err := json.Marshal(map[string]map[string]string{"Replace": {f.file: mutant}})
	if err != nil {
		return unknown, err
	}
	if err := os.WriteFile(mutant, f.mutant(), 0o600); err != nil {
		return unknown, err
	}
	if err := os.WriteFile(overlay, listing, 0o600); err != nil {
		return unknown, err
	}
	test := exec.CommandContext(ctx, "go", "test", "-short", "-failfast", "-vet=off", "-overlay="+overlay, "-timeout="+limit.String(), path)
	test.Dir = root
	output, err := test.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return unknown, nil
	case err == nil:
		return survived, nil
	case bytes.Contains(output, []byte("[build failed]")):
		return invalid, nil
	}
	return killed, nil
}
