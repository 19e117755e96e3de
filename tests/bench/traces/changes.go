package traces

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace/changes"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("changes", "several deploys at once: which is to blame (-data DIR, or -generate DIR; tests/bench/datasets/changes.md)", runChanges)
}

type changesFigures struct {
	First    float64 `json:"hr1"`
	Three    float64 `json:"hr3"`
	MeanRank float64 `json:"mar"`
	Cases    int     `json:"cases"`
}

// changesCase is a case as it lies in a file (datasets/changes.md).
type changesCase struct {
	Releases []changesRelease `json:"releases"`
	Pods     []changesPod     `json:"pods"`
	Edges    []changesEdge    `json:"edges"`
	Guilty   string           `json:"guilty"`
}

type changesRelease struct {
	Service string `json:"service"`
	Minute  int    `json:"minute"`
}

type changesFlow struct {
	Requests []float64 `json:"requests"`
	Errors   []float64 `json:"errors"`
	Latency  []float64 `json:"latency_ms"`
}

type changesPod struct {
	Service string `json:"service"`
	Pod     string `json:"pod"`
	Version string `json:"version"`
	changesFlow
}

type changesEdge struct {
	From        string `json:"from"`
	FromVersion string `json:"from_version"`
	To          string `json:"to"`
	changesFlow
}

func (f changesFlow) flow() changes.Flow { return changes.Flow(f) }

// question is the case without its answer.
func (c changesCase) question() (queried changes.Case) {
	for _, r := range c.Releases {
		queried.Releases = append(queried.Releases, changes.Release(r))
	}
	for _, p := range c.Pods {
		queried.Pods = append(queried.Pods, changes.Pod{Service: p.Service, New: p.Version == "new", Flow: p.flow()})
	}
	for _, e := range c.Edges {
		queried.Edges = append(queried.Edges, changes.Edge{From: e.From, FromNew: e.FromVersion == "new", To: e.To, Flow: e.flow()})
	}
	return queried
}

func runChanges(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("changes", flag.ContinueOnError)
	generate := flags.String("generate", "", "write cases into this folder")
	count := flags.Int("cases", 200, "how many to generate")
	seed := flags.Uint64("seed", 1, "of the generator")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	if *generate != "" {
		return nil, writeChanges(*generate, *count, *seed)
	}
	files, err := filepath.Glob(filepath.Join(o.Data, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no case (*.json) in %s: write some with -generate DIR, then name the folder with -data DIR", o.Data)
	}
	var figures changesFigures
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var c changesCase
		if err := json.Unmarshal(raw, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		rank := slices.IndexFunc(changes.Rank(c.question()), func(s changes.Suspect) bool { return s.Service == c.Guilty })
		if rank < 0 {
			return nil, fmt.Errorf("%s: the guilty service %q is none of the releases", file, c.Guilty)
		}
		figures.Cases++
		figures.First += runner.OneIf(rank == 0)
		figures.Three += runner.OneIf(rank < 3)
		figures.MeanRank += float64(rank + 1)
	}
	n := float64(figures.Cases)
	figures.First, figures.Three, figures.MeanRank = runner.Round(figures.First/n), runner.Round(figures.Three/n), runner.Round(figures.MeanRank/n)
	return figures, nil
}

func writeChanges(folder string, count int, seed uint64) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for i := range count {
		raw, err := json.Marshal(generateChanges(seed, uint64(i)))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("case-%03d.json", i)), raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}
