package traces

import (
	"fmt"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/tests/bench/datasets"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("rca", "compare spans of your own: -baseline FILES -candidate FILES (OTLP JSON or Nezha CSV, gzip too)", rca)
}

type rcaFigures struct {
	Verdict   string       `json:"verdict"`
	Reason    string       `json:"reason"`
	Suspects  []rcaSuspect `json:"suspects"`
	Leads     []rcaLead    `json:"leads"` // nothing proven
	Baseline  int          `json:"baseline_traces"`
	Candidate int          `json:"candidate_traces"`
	Needed    int          `json:"needed_traces"`
	Notices   []string     `json:"notices"`
}

type rcaSuspect struct {
	Service   string  `json:"service"`
	Operation string  `json:"operation"`
	Kind      string  `json:"kind"`
	Share     float64 `json:"share"`
	Evidence  float64 `json:"evidence"` // adjusted p-value, valid at any time
	Effect    float64 `json:"effect"`
	Lower     float64 `json:"lower"`
	Upper     float64 `json:"upper"`
}

type rcaLead struct {
	Service   string  `json:"service"`
	Operation string  `json:"operation"`
	Kind      string  `json:"kind"`
	Evidence  float64 `json:"evidence"` // p-value, not adjusted for the number of services
}

func rca(o runner.Options) (any, error) {
	files := map[string][]string{}
	side := ""
	for _, argument := range o.Rest {
		switch name := strings.TrimLeft(argument, "-"); {
		case name != argument && (name == "baseline" || name == "candidate"):
			side = name
		case side == "" || name != argument:
			return nil, fmt.Errorf("%q is not understood: -baseline FILES -candidate FILES", argument)
		default:
			files[side] = append(files[side], strings.Split(argument, ",")...)
		}
	}
	if len(files["baseline"]) == 0 || len(files["candidate"]) == 0 {
		return nil, fmt.Errorf("name both sides: -baseline FILES -candidate FILES")
	}
	baseline, err := datasets.ReadSpans(files["baseline"])
	if err != nil {
		return nil, err
	}
	candidate, err := datasets.ReadSpans(files["candidate"])
	if err != nil {
		return nil, err
	}
	result := diff.Compare(baseline, candidate, diff.Options{})
	figures := rcaFigures{
		Verdict: string(result.Verdict), Reason: result.Reason, Suspects: []rcaSuspect{}, Leads: []rcaLead{},
		Baseline: result.Baseline.Traces, Candidate: result.Candidate.Traces,
		Needed: result.NeededTraces, Notices: append([]string{}, result.Notices...),
	}
	for _, s := range result.Suspects {
		figures.Suspects = append(figures.Suspects, rcaSuspect{
			Service: s.Service, Operation: s.Operation, Kind: string(s.Kind), Share: s.Share,
			Evidence: s.Finding.PValue, Effect: s.Finding.Effect, Lower: s.Finding.Lower, Upper: s.Finding.Upper,
		})
	}
	for _, l := range result.Hints {
		figures.Leads = append(figures.Leads, rcaLead{l.Service, l.Operation, string(l.Kind), l.PValue})
	}
	return figures, nil
}
