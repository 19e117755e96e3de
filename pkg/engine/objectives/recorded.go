package objectives

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/slo"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// The series that Sloth and Pyrra (with generic rules) record of each objective.
const (
	slothTarget = "slo:objective:ratio"
	slothDays   = "slo:time_period:days"
	slothErrors = "slo:sli_error:ratio_rate"
	pyrraTarget = "pyrra_objective"
	pyrraWindow = "pyrra_window" // seconds
	pyrraErrors = "pyrra_errors:rate5m"
	pyrraTotal  = "pyrra_requests:rate5m"
)

// recorders are what records objectives: the series of targets and of windows, and
// how both make a setting.
var recorders = []struct {
	target, window string
	setting        func(target sample, windows []sample) Setting
}{{slothTarget, slothDays, slothSetting}, {pyrraTarget, pyrraWindow, pyrraSetting}}

// recorded finds the objectives of which Sloth and Pyrra record series.
func (a Analyst) recorded(ctx context.Context, window core.Window, basis *core.Provenance) ([]Setting, error) {
	from, to := core.Hourly(core.Window{From: window.To.Add(-time.Hour), To: window.To})
	names, _, err := a.Metrics.LabelValues(ctx, "__name__", []string{fmt.Sprintf(`{__name__=~"%s|%s"}`, slothTarget, pyrraTarget)}, from, to)
	if err != nil {
		return nil, err
	}
	var found []Setting
	for _, recorder := range recorders {
		if !slices.Contains(names, recorder.target) {
			continue
		}
		targets, err := a.instant(ctx, recorder.target, window, basis)
		if err != nil {
			return nil, err
		}
		windows, err := a.instant(ctx, recorder.window, window, basis)
		if err != nil {
			return nil, err
		}
		for _, one := range targets {
			found = append(found, recorder.setting(one, windows))
		}
	}
	slices.SortFunc(found, func(x, y Setting) int { return cmp.Or(cmp.Compare(x.Service, y.Service), cmp.Compare(x.Name, y.Name)) })
	return found, nil
}

// sample is a series with its last value.
type sample struct {
	labels series.Labels
	value  float64
}

// instant are the values of a metric at the end of the window.
func (a Analyst) instant(ctx context.Context, metric string, window core.Window, basis *core.Provenance) (found []sample, err error) {
	at := core.Floor(a.Present(window), time.Minute)
	set, err := a.Metrics.QueryRange(ctx, metric, upstream.Range{Start: at, End: at, Step: time.Minute})
	if err != nil {
		return nil, err
	}
	basis.AddQuery("%s [at %s]", metric, core.FormatTime(at))
	basis.AddNotice(set.Warnings...)
	for _, one := range set.Series {
		for _, value := range slices.Backward(one.Values) {
			if !math.IsNaN(value) {
				labels := maps.Clone(one.Labels)
				delete(labels, "__name__")
				found = append(found, sample{labels, value})
				break
			}
		}
	}
	return found, nil
}

// valueAt is the value of the sample with the same labels; fallback for none.
func valueAt(samples []sample, labels series.Labels, fallback float64) float64 {
	for _, one := range samples {
		if maps.Equal(one.labels, labels) {
			return one.value
		}
	}
	return fallback
}

const defaultDays = 30

// average is that of a recorded series over each step.
func average(selector string) string { return "avg_over_time(" + selector + "[$__interval])" }

func slothSetting(one sample, days []sample) Setting {
	selector := func(over time.Duration) string {
		return fmt.Sprintf("%s%s{sloth_id=%q}", slothErrors, query.Duration(over), one.labels["sloth_id"])
	}
	return Setting{
		Name: one.labels["sloth_slo"], Service: one.labels["sloth_service"], Target: one.value,
		Window: time.Duration(valueAt(days, one.labels, defaultDays) * 24 * float64(time.Hour)),
		Errors: average(selector(5 * time.Minute)), Source: "Sloth", burn: selector,
	}
}

func pyrraSetting(one sample, windows []sample) Setting {
	var matchers []string
	for _, name := range slices.Sorted(maps.Keys(one.labels)) {
		matchers = append(matchers, name+"="+strconv.Quote(one.labels[name]))
	}
	selector := "{" + strings.Join(matchers, ", ") + "}"
	name := one.labels["slo"]
	if namespace := one.labels["namespace"]; namespace != "" {
		name = namespace + "/" + name
	}
	return Setting{
		Name: name, Service: cmp.Or(one.labels["service_name"], one.labels["service"]), Target: one.value,
		Window: time.Duration(valueAt(windows, one.labels, (defaultDays*24*time.Hour).Seconds())) * time.Second,
		Errors: average(pyrraErrors + selector), Total: average(pyrraTotal + selector), Source: "Pyrra",
		burn: func(over time.Duration) string {
			return fmt.Sprintf("avg_over_time(%[1]s%[3]s[%[4]s]) / avg_over_time(%[2]s%[3]s[%[4]s])", pyrraErrors, pyrraTotal, selector, query.Duration(over))
		},
	}
}

// found joins the objectives of the settings with those recorded: those that are
// alike are one. A recorded one that contradicts another is kept, with why it has no
// answer.
func (a Analyst) found(ctx context.Context, window core.Window, basis *core.Provenance) (all []Setting, problems []string, err error) {
	recorded, err := a.recorded(ctx, window, basis)
	if err != nil {
		return nil, nil, err
	}
	known := map[[2]string]int{}
	for _, s := range slices.Concat(a.Settings, recorded) {
		key := [2]string{s.Service, s.Name}
		i, twice := known[key]
		problem := core.Problem(s.Objective().Validate())
		switch {
		case !twice:
			known[key] = len(all)
			all, problems = append(all, s), append(problems, problem)
		case all[i].Objective() != s.Objective():
			problems[i] = core.Problem(slo.Check([]slo.Objective{all[i].Objective(), s.Objective()}))
		}
	}
	return all, problems, nil
}
