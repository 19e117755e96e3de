package engines

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/api/promapi"
	"github.com/foresight-observability/foresight/pkg/api/respond"
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

// Recommendations answers the sizes of a service as JSON: parameters are the
// fields of a sizing query. Where there is no size at all it is refused.
func (a *API) Recommendations(w http.ResponseWriter, r *http.Request) {
	q, err := sizingOf(r)
	if err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	answered, err := a.Engine.Sizing(r.Context(), q, promapi.RuleWindow(a.Now()))
	if err != nil {
		respond.Failure(w, err)
		return
	}
	if !slices.ContainsFunc(answered.Recommendations, func(one sizing.Recommendation) bool { return one.Problem == "" }) {
		var reasons []string
		for _, one := range answered.Recommendations {
			reasons = append(reasons, fmt.Sprintf("%s: %s", one.Sizing, one.Problem))
		}
		respond.Error(w, http.StatusUnprocessableEntity, strings.Join(append(reasons, answered.Notices...), "; "))
		return
	}
	respond.JSON(w, http.StatusOK, sizesReportOf(answered))
}

// sizingOf reads the query off a request's address.
func sizingOf(r *http.Request) (query.Sizing, error) {
	return queryOf[query.Sizing](r, query.TypeSizing, "quantile", "use", "minReplicas", "maxReplicas", "databaseConnections", "reservedConnections")
}

// queryOf reads a query off a request's address; numbers are the fields that are
// no texts.
func queryOf[Q query.Query](r *http.Request, of query.Type, numbers ...string) (q Q, err error) {
	fields := map[string]any{}
	for name, given := range r.URL.Query() {
		fields[name] = given[0]
		if slices.Contains(numbers, name) {
			number, err := strconv.ParseFloat(given[0], 64)
			if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
				return q, fmt.Errorf("%s is %.40q: write a number", name, given[0])
			}
			fields[name] = number
		}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return q, err
	}
	parsed, err := query.Parse(string(of), raw)
	if err != nil {
		return q, err
	}
	return parsed.(Q), nil
}

func sizesReportOf(answered engine.SizingAnswer) sizesReport {
	report := sizesReport{Service: answered.Service, At: answered.At, Warnings: append([]string{}, answered.Notices...)}
	for _, one := range answered.Recommendations {
		size := sizeReport{
			Setting: one.Sizing, Subject: one.Subject, Unit: one.Unit, Value: finite(one.Value), Current: finite(one.Current),
			Lower: finite(one.Lower), Upper: finite(one.Upper), Reason: one.Reason, Basis: numbersOf(one.Basis), Settings: numbersOf(one.Settings),
			Constraint: one.Constraint, Revert: one.Revert, Problem: one.Problem,
		}
		if one.Problem == "" {
			size.ValidUntil = new(answered.At.Add(one.ValidFor))
		}
		for _, p := range one.Patches {
			size.Patches = append(size.Patches, sizePatch(p))
		}
		report.Recommendations = append(report.Recommendations, size)
	}
	return report
}

func numbersOf(all []sizing.Quantity) []sizeNumber {
	var numbers []sizeNumber
	for _, one := range all {
		numbers = append(numbers, sizeNumber{one.Name, finite(one.Value), one.Unit})
	}
	return numbers
}
