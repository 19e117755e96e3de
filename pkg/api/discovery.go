package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/foresight-observability/foresight/pkg/engine"
)

// What can be asked: prometheus-adapter and the query builders of dashboards
// look here before they ask.

const (
	defaultDiscovery = time.Hour
	// mostListed bounds a list of series.
	mostListed = 2000
)

// series lists the derived series that match any of the selectors, each with
// its parameters' defaults.
func (h *Hooks) series(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	if len(r.Form["match[]"]) == 0 {
		badData(w, errors.New("match[] is missing: name the series to list"))
		return
	}
	h.list(w, r, func(found []map[string]string) any { return found })
}

func (h *Hooks) labels(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	h.list(w, r, func(found []map[string]string) any {
		names := map[string]bool{}
		for _, one := range found {
			for name := range one {
				names[name] = true
			}
		}
		return slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(names))))
	})
}

func (h *Hooks) labelValues(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	name := r.PathValue("name")
	h.list(w, r, func(found []map[string]string) any {
		values := map[string]bool{}
		for _, one := range found {
			if one[name] != "" {
				values[one[name]] = true
			}
		}
		return slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(values))))
	})
}

func (h *Hooks) list(w http.ResponseWriter, r *http.Request, shape func([]map[string]string) any) {
	now := h.engine.Now()
	end, errEnd := moment("end", r.Form.Get("end"), now)
	start, errStart := moment("start", r.Form.Get("start"), end.Add(-defaultDiscovery))
	selectors, errMatch := h.promQL.parser.ParseMetricSelectors(r.Form["match[]"])
	if err := errors.Join(errStart, errEnd, errMatch); err != nil {
		badData(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.settings.Timeout)
	defer cancel()
	services, err := h.engine.MeasuredServices(ctx, engine.Window{From: start, To: end})
	if err != nil {
		status, reason := refusal(err)
		prometheusFailure(w, status, reason)
		return
	}
	found := h.askable(services, selectors)
	answer := promAnswer{Status: "success"}
	if len(found) > mostListed {
		found, answer.Warnings = found[:mostListed], []string{fmt.Sprintf("only the first %d of %d series are listed", mostListed, len(found))}
	}
	answer.Data = shape(found)
	reply(w, http.StatusOK, answer)
}

// askable are the label sets that can be asked for: of every service that has
// metrics under well-known names, and of every series of the settings.
func (h *Hooks) askable(services []string, selectors [][]*labels.Matcher) []map[string]string {
	found := []map[string]string{}
	add := func(d derived, subject map[string]string, parameters ...parameter) {
		one := maps.Clone(subject)
		one[labels.MetricName] = d.name
		for _, p := range slices.Concat(parameters, d.parameters) {
			if one[p.name] == "" && p.fallback != "" {
				one[p.name] = p.fallback
			}
		}
		if selected(one, selectors) {
			found = append(found, one)
		}
	}
	for _, d := range catalogue {
		if len(d.subjects) == 0 {
			add(d, map[string]string{})
		}
		needsThreshold := slices.Contains(d.parameters, threshold)
		for _, form := range d.subjects {
			if form[0].name == "series" {
				for _, s := range h.settings.Series {
					if !needsThreshold || s.Threshold != nil {
						add(d, map[string]string{"series": s.Name})
					}
				}
			} else if !needsThreshold {
				for _, service := range services {
					add(d, map[string]string{"service": service}, form...)
				}
			}
		}
	}
	return found
}

// selected tells whether any of the selectors matches; all do where there is
// none.
func selected(one map[string]string, selectors [][]*labels.Matcher) bool {
	return len(selectors) == 0 || slices.ContainsFunc(selectors, func(matchers []*labels.Matcher) bool {
		return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(one[m.Name]) })
	})
}
