package api

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/sizing"
)

// sizeReport is a recommendation as engines and pipelines read it; what is not
// known is null.
type sizeReport struct {
	Setting    sizing.Sizing `json:"setting"`
	Subject    string        `json:"subject,omitempty"`
	Unit       string        `json:"unit"`
	Value      *float64      `json:"value"`
	Current    *float64      `json:"current"`
	Lower      *float64      `json:"lower"`
	Upper      *float64      `json:"upper"`
	Reason     string        `json:"reason,omitempty"`
	Basis      []sizeNumber  `json:"basis,omitempty"`
	Settings   []sizeNumber  `json:"settings,omitempty"`
	Constraint string        `json:"constraint,omitempty"`
	ValidUntil *time.Time    `json:"validUntil"`
	Patches    []sizePatch   `json:"patches,omitempty"`
	Revert     string        `json:"revert,omitempty"`
	Problem    string        `json:"problem,omitempty"`
}

type sizeNumber struct {
	Name  string   `json:"name"`
	Value *float64 `json:"value"`
	Unit  string   `json:"unit,omitempty"`
}

type sizePatch struct {
	Kind       string `json:"kind"`
	APIVersion string `json:"apiVersion"`
	Path       string `json:"path,omitempty"`
	Text       string `json:"text"`
}

type sizesReport struct {
	Service         string       `json:"service"`
	At              time.Time    `json:"at"`
	Recommendations []sizeReport `json:"recommendations"`
	Warnings        []string     `json:"warnings"`
}

// recommendations answers the sizes of a service as JSON: parameters are the
// fields of a sizing query. Where there is no size at all it is refused.
func (h *Hooks) recommendations(w http.ResponseWriter, r *http.Request) {
	asked, err := sizingOf(r)
	if err != nil {
		plainFailure(w, http.StatusBadRequest, err.Error())
		return
	}
	found, err := h.engine.Sizing(r.Context(), asked, at(h.engine.Now().Truncate(finestStep).UTC()))
	if err != nil {
		status, reason := refusal(err)
		plainFailure(w, status, reason)
		return
	}
	if !slices.ContainsFunc(found.Recommendations, func(one sizing.Recommendation) bool { return one.Problem == "" }) {
		var reasons []string
		for _, one := range found.Recommendations {
			reasons = append(reasons, fmt.Sprintf("%s: %s", one.Sizing, one.Problem))
		}
		plainFailure(w, http.StatusUnprocessableEntity, strings.Join(append(reasons, found.Notices...), "; "))
		return
	}
	reply(w, http.StatusOK, sizesReportOf(found))
}

// sizingOf reads the query off a request's address.
func sizingOf(r *http.Request) (query.Sizing, error) {
	fields := map[string]any{}
	for name, given := range r.URL.Query() {
		fields[name] = given[0]
		switch name {
		case "quantile", "use", "minReplicas", "maxReplicas", "databaseConnections", "reservedConnections":
			number, err := strconv.ParseFloat(given[0], 64)
			if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
				return query.Sizing{}, fmt.Errorf("%s is %.40q: write a number", name, given[0])
			}
			fields[name] = number
		}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return query.Sizing{}, err
	}
	parsed, err := query.Parse(string(query.TypeSizing), raw)
	if err != nil {
		return query.Sizing{}, err
	}
	return parsed.(query.Sizing), nil
}

func sizesReportOf(found engine.SizingAnswer) sizesReport {
	report := sizesReport{Service: found.Service, At: found.At, Warnings: append([]string{}, found.Notices...)}
	for _, one := range found.Recommendations {
		told := sizeReport{
			Setting: one.Sizing, Subject: one.Subject, Unit: one.Unit, Value: known(one.Value), Current: known(one.Current),
			Lower: known(one.Lower), Upper: known(one.Upper), Reason: one.Reason, Basis: numbersOf(one.Basis), Settings: numbersOf(one.Settings),
			Constraint: one.Constraint, Revert: one.Revert, Problem: one.Problem,
		}
		if one.Problem == "" {
			told.ValidUntil = new(found.At.Add(one.ValidFor))
		}
		for _, p := range one.Patches {
			told.Patches = append(told.Patches, sizePatch(p))
		}
		report.Recommendations = append(report.Recommendations, told)
	}
	return report
}

func numbersOf(all []sizing.Quantity) []sizeNumber {
	var told []sizeNumber
	for _, one := range all {
		told = append(told, sizeNumber{one.Name, known(one.Value), one.Unit})
	}
	return told
}

// known is a number, or null where it is not finite.
func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
