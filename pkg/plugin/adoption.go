package plugin

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// adoptionPast is how far back the steps of adoption look.
const adoptionPast = 30 * 24 * time.Hour

// count is a number that the data tell; Problem is why they do not.
type count struct {
	N       int
	Problem string
}

// adopted are the facts by which the steps of docs/adopt.md are checked.
type adopted struct {
	metrics         *upstream.MetricsCapabilities // nil where they are not known
	traces          *upstream.TraceCapabilities
	journeys        int
	silent          []string // steps of journeys that no span metric has
	journeysProblem string
	alerts          count // that were posted to Foresight
	feedback        count
	acts            count // that playbooks proposed or sent
	announced       count // deploys that pipelines or people announced
	playbooks       playbook.Config
}

// steps says of each step of adoption whether it is done.
func (a adopted) steps() []upstreamHealth {
	step := func(phase int, name string, done bool, message, advice string) upstreamHealth {
		h := upstreamHealth{Name: fmt.Sprintf("Adoption, phase %d: %s", phase, name), OK: done}
		h.Message = h.Name + ": " + message
		if !done {
			h.Advice = []string{advice}
		}
		return h
	}
	counted := func(phase int, name string, c count, what, advice string) upstreamHealth {
		if c.Problem != "" {
			return step(phase, name, false, "not known: "+c.Problem, advice)
		}
		return step(phase, name, c.N > 0, fmt.Sprintf("%d %s in the last 30 days", c.N, what), advice)
	}
	spans := a.metrics != nil && a.metrics.SpanMetrics
	versions := a.metrics != nil && a.metrics.SpanVersions
	traced := a.traces != nil && a.traces.Freshness >= 0
	flows := fmt.Sprintf("%d journeys, all of whose steps occur", a.journeys)
	switch {
	case a.journeysProblem != "":
		flows = "not known: " + a.journeysProblem
	case len(a.silent) > 0:
		flows = "these steps did not occur in the last hour: " + strings.Join(a.silent, ", ")
	}
	automatic := automaticPatterns(a.playbooks)
	mode := a.playbooks.Mode
	if mode == "" {
		mode = playbook.Observe
	}
	return []upstreamHealth{
		step(1, "services send span metrics", spans, presence("span metrics", spans), "Enable span metrics in Tempo's metrics generator or the Collector."),
		step(1, "services send traces", traced, presence("traces of the last hour", traced), "Instrument the services of the critical flows with OpenTelemetry."),
		step(1, "versions are known", versions, presence("service_version in span metrics", versions), "Set service.version, and make it a dimension of span metrics."),
		step(1, "critical flows are described", a.journeys > 0 && len(a.silent) == 0 && a.journeysProblem == "", flows, "Describe the critical flows as journeys in the settings, with operations that occur."),
		counted(2, "alerts are reported", a.alerts, "alerts", "Send Grafana's alerts to hooks/alert, so that impact can measure them."),
		counted(2, "events are labelled", a.feedback, "labels", "Label events as real or false alarms; replay rules with impact before they page."),
		step(3, "playbooks recommend", mode != playbook.Observe || len(a.playbooks.Modes) > 0, "mode is "+string(mode), "Set playbooks.mode to recommend, and read what is recommended for some weeks."),
		counted(3, "recommendations were made", a.acts, "recommendations", "Send alerts to playbooks, and give grafanaToken the role Editor."),
		step(3, "a remediation is automatic", len(automatic) > 0 && len(a.playbooks.Services) > 0 && !a.playbooks.KillSwitch,
			fmt.Sprintf("%d patterns are automatic, for %d services", len(automatic), len(a.playbooks.Services)), "Set one pattern that has proved itself to auto, for named services."),
		counted(4, "deploys are announced", a.announced, "announced deploys", "Let pipelines post deploy markers: foresight-gate -marker does."),
	}
}

func automaticPatterns(c playbook.Config) (names []string) {
	for pattern, mode := range c.Modes {
		if mode == playbook.Auto {
			names = append(names, string(pattern))
		}
	}
	if c.Mode == playbook.Auto {
		names = append(names, "all others")
	}
	slices.Sort(names)
	return names
}

// adoption collects the facts that the probes do not know.
func (d *DataSource) adoption(ctx context.Context) adopted {
	a := adopted{journeys: len(d.settings.Journeys), playbooks: d.settings.Playbooks.Config}
	var group parallel.Group
	group.Go(func() error { a.silent, a.journeysProblem = d.silentSteps(ctx); return nil })
	group.Go(func() error { a.alerts = countOf(ctx, d.engine.Alerts); return nil })
	group.Go(func() error { a.feedback = countOf(ctx, d.engine.Feedback); return nil })
	group.Go(func() error { a.acts = countOf(ctx, d.engine.Acts); return nil })
	group.Go(func() error {
		for _, log := range d.engine.DeployLogs {
			found := countOf(ctx, log.Deploys)
			if a.announced.N += found.N; found.Problem != "" {
				a.announced.Problem = found.Problem
			}
		}
		if a.announced.N > 0 {
			a.announced.Problem = ""
		}
		return nil
	})
	if err := group.Wait(); err != nil { // a panic
		a.journeysProblem = err.Error()
	}
	return a
}

func countOf[T any](ctx context.Context, source annotation.Source[T]) count {
	if source == nil {
		return count{Problem: "annotations cannot be read: set grafanaToken"}
	}
	now := time.Now()
	found, _, err := source.Read(ctx, now.Add(-adoptionPast), now)
	if err != nil {
		return count{Problem: err.Error()}
	}
	return count{N: len(found)}
}

// silentSteps are the operations of journeys that no span metric had in the last
// hour.
func (d *DataSource) silentSteps(ctx context.Context) (silent []string, problem string) {
	if len(d.settings.Journeys) == 0 || d.engine.Metrics == nil {
		return nil, ""
	}
	to := time.Now()
	window := engine.Window{From: to.Add(-time.Hour), To: to}
	operations := map[string][]string{} // by service
	for _, j := range d.settings.Journeys {
		for _, s := range j.Steps {
			if s.TraceQL != "" {
				continue
			}
			if operations[s.Service] == nil {
				found, err := d.operationsOf(ctx, s.Service, window)
				if err != nil {
					return nil, err.Error()
				}
				operations[s.Service] = append(found, "")
			}
			if !slices.Contains(operations[s.Service], s.Operation) {
				silent = append(silent, j.Name+": "+s.Title())
			}
		}
	}
	return silent, ""
}

func (d *DataSource) operationsOf(ctx context.Context, service string, window engine.Window) ([]string, error) {
	var selectors []string
	for _, m := range wellknown.SpanCalls() {
		selectors = append(selectors, fmt.Sprintf("%s{%s=%s}", m.Calls, m.Label, strconv.Quote(service)))
	}
	found, _, err := d.engine.Metrics.LabelValues(ctx, "span_name", selectors, window.From, window.To)
	return found, err
}
