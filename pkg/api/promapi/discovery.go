package promapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/engine"
)

// prometheus-adapter and the query builders of dashboards list the series before
// they query them.

const (
	defaultWindow = time.Hour
	// maxListed bounds a list of series.
	maxListed = 2000
	// maxMatches bounds the selectors that every series is compared with.
	maxMatches = 100
)

// ListSeries lists the derived series that match any of the selectors, each with
// its parameters' defaults.
func (a *API) ListSeries(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	if len(r.Form["match[]"]) == 0 {
		badData(w, errors.New("match[] is missing: name the series to list"))
		return
	}
	a.list(w, r, func(all []map[string]string) any { return all })
}

// Labels lists the names of the labels of the derived series.
func (a *API) Labels(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	a.list(w, r, func(all []map[string]string) any {
		names := map[string]bool{}
		for _, labels := range all {
			for name := range labels {
				names[name] = true
			}
		}
		return slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(names))))
	})
}

// LabelValues lists the values of a label of the derived series.
func (a *API) LabelValues(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	name := r.PathValue("name")
	a.list(w, r, func(all []map[string]string) any {
		values := map[string]bool{}
		for _, one := range all {
			if one[name] != "" {
				values[one[name]] = true
			}
		}
		return slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(values))))
	})
}

func (a *API) list(w http.ResponseWriter, r *http.Request, shape func([]map[string]string) any) {
	if n := len(r.Form["match[]"]); n > maxMatches {
		badData(w, fmt.Errorf("match[] is given %d times; at most %d are allowed", n, maxMatches))
		return
	}
	now := a.Now()
	end, errEnd := parseTime("end", r.Form.Get("end"), now)
	start, errStart := parseTime("start", r.Form.Get("start"), end.Add(-defaultWindow))
	selectors, errMatch := a.parser.ParseMetricSelectors(r.Form["match[]"])
	if err := errors.Join(errStart, errEnd, errMatch); err != nil {
		badData(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.Timeout)
	defer cancel()
	services, err := a.Engine.MeasuredServices(ctx, engine.Window{From: start, To: end})
	if err != nil {
		fail(w, err)
		return
	}
	all := a.available(services, selectors)
	listed := envelope{Status: "success"}
	if len(all) > maxListed {
		all, listed.Warnings = all[:maxListed], []string{fmt.Sprintf("only the first %d of %d series are listed", maxListed, len(all))}
	}
	listed.Data = shape(all)
	respond.JSON(w, http.StatusOK, listed)
}

// available are the label sets that can be queried: of every service that has
// metrics under well-known names, and of every series of the settings.
func (a *API) available(services []string, selectors [][]*labels.Matcher) []map[string]string {
	all := []map[string]string{}
	add := func(m metric, subject map[string]string, parameters ...parameter) {
		one := maps.Clone(subject)
		one[model.MetricNameLabel] = m.name
		for _, p := range slices.Concat(parameters, m.parameters) {
			if one[p.name] == "" && p.fallback != "" {
				one[p.name] = p.fallback
			}
		}
		if selected(one, selectors) {
			all = append(all, one)
		}
	}
	for _, m := range catalog {
		if len(m.subjects) == 0 {
			add(m, map[string]string{})
		}
		needsThreshold := slices.Contains(m.parameters, threshold)
		for _, form := range m.subjects {
			if form[0].name == "series" {
				for _, s := range a.Series {
					if !needsThreshold || s.Threshold != nil {
						add(m, map[string]string{"series": s.Name})
					}
				}
			} else if !needsThreshold {
				for _, service := range services {
					add(m, map[string]string{"service": service}, form...)
				}
			}
		}
	}
	return all
}

// selected tells whether any of the selectors matches; all do where there is
// none.
func selected(one map[string]string, selectors [][]*labels.Matcher) bool {
	return len(selectors) == 0 || slices.ContainsFunc(selectors, func(matchers []*labels.Matcher) bool {
		return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(one[m.Name]) })
	})
}
