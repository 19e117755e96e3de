package deploys

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// finestDeployStep is how exactly the arrival of a version is known.
	finestDeployStep = 5 * time.Second
	// deployPoints bounds the resolution over long windows.
	deployPoints = 720
	// spansToArrive keeps one stray span, say of a developer's laptop, from
	// being taken for a deploy.
	spansToArrive = 3
)

// Answer lists the versions seen, oldest arrival first.
type Answer struct {
	core.Provenance
	Deploys []Deploy
	// TraceVersions and measured are the versions that served, as traces and as span
	// metrics show it.
	TraceVersions, MetricVersions []Deploy
	// Unavailable says which of the sources could not be asked.
	Unavailable []string
}

// Deploy is one version of one service inside the window.
type Deploy struct {
	Service, Version    string
	Previous            string // the version it arrived after; empty where none was seen
	FirstSeen, LastSeen time.Time
	// Arrived tells a deploy from the versions with which the service, or its
	// traces, began inside the window.
	Arrived bool
	// At is the instant of the deploy, as Source knows it; where it was announced
	// that may be before its first span, or after.
	At     time.Time
	Source Source
	// Note is the announcement's own text, or the metric that changed.
	Note string
	// InTraces says that spans carry the version, so that its traces can be
	// found.
	InTraces bool
	// Share is the version's share of the service's spans in the last tenth of
	// the window, 0–1.
	Share float64
	// Served are the times in which the version served, as far as they are known.
	Served []ServingPeriod
}

// Detector finds deploys.
type Detector struct {
	core.Sources
	// Logs are the places where deploys are announced, the most trusted first.
	Logs []Log
	// IgnoreVersions says that a new service.version in traces is no deploy.
	IgnoreVersions bool
}

// Find returns which versions of a service sent spans inside the window,
// and when each arrived: as it was announced, else as its first span, else as
// metrics of images and builds tell.
func (e Detector) Find(ctx context.Context, q query.Deploys, window core.Window) (Answer, error) {
	answer := Answer{}
	if e.Traces == nil && e.Metrics == nil && len(e.Logs) == 0 {
		return answer, core.ErrNoTraces
	}
	grid := deployGrid(window, e.Now())
	var counts upstream.SeriesSet
	var announced, built []Deploy
	var heard, measured core.Provenance
	group, groupContext := parallel.WithContext(ctx)
	group.Go(func() (err error) {
		if e.Traces != nil {
			counts, err = e.Traces.SpanCounts(groupContext, q.Service, grid)
		}
		return err
	})
	besides, cancel := context.WithTimeout(groupContext, core.SideTimeout)
	defer cancel()
	group.Go(func() error {
		announced = e.announced(besides, q.Service, grid.Start, grid.End, &heard)
		return nil
	})
	group.Go(func() error { built, answer.MetricVersions = e.builds(besides, q.Service, grid, &measured); return nil })
	if err := group.Wait(); err != nil {
		return answer, err
	}
	answer.AddQuery("span counts by service and version of %s [%s to %s, step %s]", orEvery(q.Service), core.FormatTime(grid.Start), core.FormatTime(grid.End), grid.Step)
	answer.Queries = append(answer.Queries, measured.Queries...)
	answer.Unavailable = slices.Concat(counts.Warnings, heard.Notices, measured.Notices)
	answer.AddNotice(answer.Unavailable...)
	seen := deploysFrom(counts.Series)
	answer.TraceVersions = slices.Clone(seen)
	for i := range seen {
		seen[i].Arrived = seen[i].Arrived && !e.IgnoreVersions
	}
	answer.Deploys = mergeDeploys(seen, append(announced, built...))
	if len(answer.Deploys) == 0 {
		answer.AddNotice(fmt.Sprintf("No spans of %s between %s and %s.", orEvery(q.Service), core.FormatTime(window.From), core.FormatTime(window.To)))
	}
	return answer, nil
}

func orEvery(service string) string {
	if service == "" {
		return "any service"
	}
	return service
}

func deployGrid(window core.Window, now time.Time) upstream.Range {
	to := window.To
	if to.After(now) {
		to = now
	}
	least := max(to.Sub(window.From)/deployPoints, finestDeployStep)
	step := least
	for _, candidate := range []time.Duration{5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second} {
		if candidate >= least {
			step = candidate
			break
		}
	}
	if step > 30*time.Second {
		step = core.StepFor(step)
	}
	end := core.Floor(to, step)
	start := core.Floor(window.From, step)
	if start.After(end) {
		start = end
	}
	return upstream.Range{Start: start, End: end, Step: step}
}

// deploysFrom reads arrivals off span counts, one series for each service and
// version, oldest arrival first.
func deploysFrom(counts []series.Series) []Deploy {
	byService := map[string][]series.Series{}
	for _, version := range counts {
		service := version.Labels["service_name"]
		byService[service] = append(byService[service], version)
	}
	var deploys []Deploy
	for service, versions := range byService {
		deploys = append(deploys, deploysOf(service, versions)...)
	}
	slices.SortFunc(deploys, func(a, b Deploy) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Version, b.Version))
	})
	return deploys
}

func deploysOf(service string, versions []series.Series) []Deploy {
	var total float64
	var deploys []Deploy
	recent := map[string]float64{}
	all, served := totalsOf(versions), servingTimesOf(versions)
	previous := map[string]string{}
	for _, counts := range versions {
		version := counts.Labels["service_version"]
		first, last, spans := activity(counts.Values)
		if spans < spansToArrive {
			continue
		}
		for _, count := range counts.Values[len(counts.Values)-tenth(counts.Len()):] {
			recent[version] += core.Count(count)
			total += core.Count(count)
		}
		deploys = append(deploys, Deploy{
			Service: service, Version: version,
			FirstSeen: counts.Time(first), LastSeen: counts.Time(last),
			At: counts.Time(first), Source: FromVersion, InTraces: version != "", Served: servingPeriods(counts, all),
		})
		if before, found := served.before(first); found {
			previous[version] = before
		}
	}
	slices.SortFunc(deploys, func(a, b Deploy) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.Version, b.Version))
	})
	for i := range deploys {
		if i > 0 {
			deploys[i].Previous = deploys[i-1].Version
			if before, found := previous[deploys[i].Version]; found {
				deploys[i].Previous = before
			}
			// Spans without a version are of hosts that do not tell it: no deploy.
			deploys[i].Arrived = deploys[i].FirstSeen.After(deploys[0].FirstSeen) && deploys[i].Version != ""
		}
		if total > 0 {
			deploys[i].Share = recent[deploys[i].Version] / total
		}
	}
	return deploys
}

// activity is the first and last step with spans, and the number of spans.
func activity(counts []float64) (first, last int, spans float64) {
	first = -1
	for i, count := range counts {
		if count > 0 {
			if first < 0 {
				first = i
			}
			last = i
			spans += count
		}
	}
	return max(first, 0), last, spans
}

func tenth(n int) int { return max(n/10, min(n, 1)) }
