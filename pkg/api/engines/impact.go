package engines

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
)

// defaultImpactRange is the time range where none is named.
const defaultImpactRange = 7 * 24 * time.Hour

// Impact answers how alerting performed, as JSON: parameters are the fields of an
// impact query, and from and to in milliseconds since the epoch. What there
// is not enough data for is null.
func (a *API) Impact(w http.ResponseWriter, r *http.Request) {
	q, window, err := a.impactQuery(r)
	if err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	answered, err := a.Engine.Impact(r.Context(), q, window)
	if err != nil {
		respond.Failure(w, err)
		return
	}
	respond.JSON(w, http.StatusOK, impactReport(answered))
}

func (a *API) impactQuery(r *http.Request) (query.Impact, engine.Window, error) {
	values := r.URL.Query()
	window := engine.Window{To: a.Now().UTC()}
	if err := milliseconds(values.Get("to"), &window.To); err != nil {
		return query.Impact{}, window, err
	}
	window.From = window.To.Add(-defaultImpactRange)
	if err := milliseconds(values.Get("from"), &window.From); err != nil {
		return query.Impact{}, window, err
	}
	fields := map[string]any{}
	for name, given := range values {
		fields[name] = given[0]
	}
	delete(fields, "from")
	delete(fields, "to")
	if text := values.Get("perReplica"); text != "" {
		number, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return query.Impact{}, window, fmt.Errorf("perReplica is %.40q; write a number", text)
		}
		fields["perReplica"] = number
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return query.Impact{}, window, err
	}
	parsed, err := query.Parse(string(query.TypeImpact), raw)
	if err != nil {
		return query.Impact{}, window, err
	}
	return parsed.(query.Impact), window, nil
}

func milliseconds(text string, into *time.Time) error {
	if text == "" {
		return nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("from and to are milliseconds since the epoch, not %.40q", text)
	}
	*into = time.UnixMilli(number).UTC()
	return nil
}

type shareReport struct {
	Value   *float64    `json:"value"`
	Between *[2]float64 `json:"between"`
	Count   int         `json:"count"`
	Of      int         `json:"of"`
	LeftOut int         `json:"leftOut"`
}

func reportShare(s impact.Share) shareReport {
	report := shareReport{Count: s.Count, Of: s.Of, LeftOut: s.LeftOut}
	if s.Known() {
		report.Value, report.Between = &s.Interval.Estimate, &[2]float64{s.Interval.Lower, s.Interval.Upper}
	}
	return report
}

type timesReport struct {
	Median  *float64    `json:"medianSeconds"`
	Ninety  *float64    `json:"p90Seconds"`
	Between *[2]float64 `json:"medianBetweenSeconds"`
	Count   int         `json:"count"`
}

func reportTimes(t impact.Times) timesReport {
	report := timesReport{Count: t.Count}
	if t.Count > 0 {
		median, ninety := t.Median.Seconds(), t.NinetiethPercent.Seconds()
		report.Median, report.Ninety = &median, &ninety
	}
	if t.Bounded {
		report.Between = &[2]float64{t.Lower.Seconds(), t.Upper.Seconds()}
	}
	return report
}

func impactReport(a engine.ImpactAnswer) map[string]any {
	type prevented struct {
		Ground  impact.Ground `json:"ground"`
		Service string        `json:"service"`
		Time    time.Time     `json:"time"`
		Count   float64       `json:"count"`
		Between [2]float64    `json:"between"`
		Reason  string        `json:"reason"`
	}
	all := []prevented{}
	for _, one := range a.Report.Prevented {
		all = append(all, prevented{one.Ground, one.Service, one.At, one.Count, [2]float64{one.Interval.Lower, one.Interval.Upper}, one.Reason})
	}
	notices := a.Notices
	if notices == nil {
		notices = []string{}
	}
	var changes *shareReport // null where deploys are unknown
	if a.DeploysUnknown == nil {
		known := reportShare(a.Report.ChangeFailure)
		changes = &known
	}
	return map[string]any{
		"service": a.Service, "from": a.From, "to": a.To,
		"precision": reportShare(a.Report.Precision), "recall": reportShare(a.Report.Recall), "changeFailureRate": changes,
		"detect": reportTimes(a.Report.Detect), "lead": reportTimes(a.Report.Lead), "resolve": reportTimes(a.Report.Resolve),
		"prevented": all, "notices": notices,
	}
}
