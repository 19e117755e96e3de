// Package traces measures trace diffs and root causes on recorded faults.
package traces

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/tests/bench/datasets"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("nezha", "injected faults of Nezha's data: is the right service first? [-window 30s|60s|180s] [-against clean|faults]", nezha)
}

type nezhaFigures struct {
	Count        int            `json:"n"`
	First        float64        `json:"first"` // percent of the faults
	Three        float64        `json:"three"`
	Five         float64        `json:"five"`
	FalseRate    float64        `json:"false_rate"` // percent of the fault-free minutes
	QuietWindows int            `json:"quiet_windows"`
	MedianTraces float64        `json:"median_traces"` // of a fault's window
	Verdicts     map[string]int `json:"verdicts"`
}

// nezhaOptions are the arguments of every benchmark on a day's folder.
func nezhaOptions(name string, o runner.Options) (*datasets.Day, time.Duration, string, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	window := flags.Duration("window", 60*time.Second, "how long after the injection")
	against := flags.String("against", "clean", "baseline: clean (fault-free moments of the day) or faults (minutes of other services' faults)")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, 0, "", err
	}
	folder := o.Data
	if filepath.Base(folder) == "data" {
		folder = filepath.Join(folder, "nezha", "2022-08-22")
	}
	d, err := datasets.LoadDay(folder)
	return d, *window, *against, err
}

// verdictOf is how a method answers: the services it suspects, likeliest first,
// and whether it raises an alarm at all.
type verdictOf func(baseline, candidate []trace.Trace) (services []string, alarm bool, verdict string)

func foresight(baseline, candidate []trace.Trace) (services []string, alarm bool, verdict string) {
	result := diff.Compare(baseline, candidate, diff.Options{})
	for _, suspect := range result.Suspects {
		if !slices.Contains(services, suspect.Service) {
			services = append(services, suspect.Service)
		}
	}
	for _, lead := range result.Hints {
		if !slices.Contains(services, lead.Service) {
			services = append(services, lead.Service)
		}
	}
	return services, isFinding(result.Verdict), string(result.Verdict)
}

func isFinding(verdict diff.Verdict) bool {
	return verdict == diff.Regressed || verdict == diff.Improved || verdict == diff.Changed
}

func nezha(o runner.Options) (any, error) {
	d, window, against, err := nezhaOptions("nezha", o)
	if err != nil {
		return nil, err
	}
	return measure(d, window, against, foresight)
}

// measure asks a method about every fault of the day, and about every
// fault-free minute before one.
func measure(d *datasets.Day, window time.Duration, against string, method verdictOf) (nezhaFigures, error) {
	figures := nezhaFigures{Verdicts: map[string]int{}}
	var sizes []float64
	falseAlarms := 0
	for i, fault := range d.Faults {
		candidate, own := d.Between(fault.At, fault.At+int64(window)), d.Between(d.Quiet(i))
		var baseline []trace.Trace
		switch against {
		case "clean":
			baseline = append(d.Clean(i), own...)
		case "faults":
			baseline = d.Others(i)
		default:
			return figures, fmt.Errorf("-against %s: choose clean or faults", against)
		}
		if len(candidate) > 0 { // some minutes are absent from the data
			services, _, verdict := method(baseline, candidate)
			place := slices.Index(services, fault.Service)
			figures.Count++
			figures.First += runner.OneIf(place == 0)
			figures.Three += runner.OneIf(place >= 0 && place < 3)
			figures.Five += runner.OneIf(place >= 0 && place < 5)
			figures.Verdicts[verdict]++
			sizes = append(sizes, float64(len(candidate)))
		}
		if len(own) >= 20 {
			_, alarm, _ := method(d.Clean(i), own)
			figures.QuietWindows++
			falseAlarms += int(runner.OneIf(alarm))
		}
	}
	if figures.Count == 0 {
		return figures, fmt.Errorf("no fault has traces")
	}
	slices.Sort(sizes)
	figures.MedianTraces = sizes[len(sizes)/2]
	for _, share := range []*float64{&figures.First, &figures.Three, &figures.Five} {
		*share = 100 * *share / float64(figures.Count)
	}
	figures.FalseRate = 100 * float64(falseAlarms) / float64(max(1, figures.QuietWindows))
	return figures, nil
}
