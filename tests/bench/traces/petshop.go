package traces

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace/propagation"
	"github.com/foresight-observability/foresight/tests/bench/datasets"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("petshop", "root causes from metrics alone, on a scenario of PetShop (-data FOLDER) [-list]", petshop)
}

// petshopFigures are in percent: of the issues of a signal, those with the root
// cause in the first place or the first three, be they suspects or, where the
// service in question is not clearly abnormal, leads; and of quiet times, those
// for which suspects were named.
type petshopFigures struct {
	LatencyFirst      float64 `json:"latency_first"`
	LatencyThree      float64 `json:"latency_three"`
	AvailabilityFirst float64 `json:"availability_first"`
	AvailabilityThree float64 `json:"availability_three"`
	QuietFalse        float64 `json:"quiet_false"`
	Named             float64 `json:"named"` // percent of the issues in which the service was clearly abnormal
	Issues            int     `json:"issues"`
	Quiet             int     `json:"quiet"`
}

const (
	petshopStep   = 300 // seconds
	petshopWindow = 5   // steps of an issue's metrics, of which two lie before it
	petshopRecent = 2
)

func petshop(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("petshop", flag.ContinueOnError)
	list := flags.Bool("list", false, "print each issue")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	folder := o.Data
	if filepath.Base(folder) == "data" {
		folder = filepath.Join(folder, "petshop", "high_traffic")
	}
	shop, err := datasets.LoadPetShop(folder)
	if err != nil {
		return nil, err
	}
	var figures petshopFigures
	latency, failures := 0, 0
	for _, issue := range shop.Issues {
		past := len(shop.Quiet.Times)
		// The step in which the issue began is abnormal in part.
		before := 0
		for before < len(issue.Metrics.Times) && issue.Metrics.Times[before]+petshopStep <= issue.At+petshopStep/5 {
			before++
		}
		r := propagation.Explain(issue.Metrics.After(shop.Quiet), shop.Calls, propagation.Question{
			Service: issue.Service, Signal: issue.Signal, Recent: past, From: past + before,
		})
		place := slices.IndexFunc(r.Suspects, func(s propagation.Suspect) bool { return s.Service == issue.RootCause })
		if r.Verdict == propagation.Abnormal {
			figures.Named++
		}
		if *list {
			fmt.Printf("%-16s %-8s %-8s %5.1f  place %d of %s\n", issue.Name, issue.Signal, r.Verdict, r.Deviation, place, issue.RootCause)
			for _, s := range r.Suspects[:min(4, len(r.Suspects))] {
				fmt.Printf("    %4.0f %% %-50.50s %.4g -> %.4g (%.1f) %d\n", 100*s.Share, s.Service, s.Before, s.Now, s.Deviation, s.Onset-past)
			}
		}
		first, three := runner.OneIf(place == 0), runner.OneIf(place >= 0 && place < 3)
		if issue.Signal == propagation.Latency {
			latency++
			figures.LatencyFirst, figures.LatencyThree = figures.LatencyFirst+first, figures.LatencyThree+three
		} else {
			failures++
			figures.AvailabilityFirst, figures.AvailabilityThree = figures.AvailabilityFirst+first, figures.AvailabilityThree+three
		}
	}
	figures.Issues = len(shop.Issues)
	figures.Named *= 100 / float64(max(1, figures.Issues))
	for _, share := range []*float64{&figures.LatencyFirst, &figures.LatencyThree} {
		*share *= 100 / float64(max(1, latency))
	}
	for _, share := range []*float64{&figures.AvailabilityFirst, &figures.AvailabilityThree} {
		*share *= 100 / float64(max(1, failures))
	}
	figures.quiet(shop, *list)
	return figures, nil
}

// quiet asks about times without issues, the second half of them, each with all
// that lies before it as the past.
func (f *petshopFigures) quiet(shop *datasets.PetShop, list bool) {
	service := shop.Issues[0].Service
	for from := len(shop.Quiet.Times) / 2; from+petshopWindow <= len(shop.Quiet.Times); from += petshopWindow {
		window := shop.Quiet.Between(from, from+petshopWindow)
		services := window.After(shop.Quiet.Between(0, from))
		for _, signal := range []propagation.Signal{propagation.Latency, propagation.Failures} {
			r := propagation.Explain(services, shop.Calls, propagation.Question{Service: service, Signal: signal, Recent: from, From: from + petshopRecent})
			f.Quiet++
			if r.Verdict == propagation.Abnormal {
				f.QuietFalse++
				if list {
					fmt.Printf("quiet %d %s %.1f %+v\n", from, signal, r.Deviation, r.Suspects[:min(2, len(r.Suspects))])
				}
			}
		}
	}
	f.QuietFalse *= 100 / float64(max(1, f.Quiet))
}
