package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
)

// impactLookBack is the time that is looked at where none is named.
const impactLookBack = 7 * 24 * time.Hour

// impact answers what watching was worth, as JSON: parameters are the fields of
// an impact query, and from and to in milliseconds since the epoch. What there
// is not enough data for is null.
func (h *Hooks) impact(w http.ResponseWriter, r *http.Request) {
	q, window, err := h.impactQuestion(r)
	if err != nil {
		plainFailure(w, http.StatusBadRequest, err.Error())
		return
	}
	found, err := h.engine.Impact(r.Context(), q, window)
	if err != nil {
		status, reason := refusal(err)
		plainFailure(w, status, reason)
		return
	}
	reply(w, http.StatusOK, impactReport(found))
}

func (h *Hooks) impactQuestion(r *http.Request) (query.Impact, engine.Window, error) {
	values := r.URL.Query()
	window := engine.Window{To: h.engine.Now().UTC()}
	if err := milliseconds(values.Get("to"), &window.To); err != nil {
		return query.Impact{}, window, err
	}
	window.From = window.To.Add(-impactLookBack)
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
	told := shareReport{Count: s.Count, Of: s.Of, LeftOut: s.LeftOut}
	if s.Known() {
		told.Value, told.Between = &s.Interval.Estimate, &[2]float64{s.Interval.Lower, s.Interval.Upper}
	}
	return told
}

type timesReport struct {
	Median  *float64    `json:"medianSeconds"`
	Ninety  *float64    `json:"p90Seconds"`
	Between *[2]float64 `json:"medianBetweenSeconds"`
	Count   int         `json:"count"`
}

func reportTimes(t impact.Times) timesReport {
	told := timesReport{Count: t.Count}
	if t.Count > 0 {
		median, ninety := t.Median.Seconds(), t.NinetiethPercent.Seconds()
		told.Median, told.Ninety = &median, &ninety
	}
	if t.Bounded {
		told.Between = &[2]float64{t.Lower.Seconds(), t.Upper.Seconds()}
	}
	return told
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
	told := []prevented{}
	for _, one := range a.Report.Prevented {
		told = append(told, prevented{one.Ground, one.Service, one.At, one.Count, [2]float64{one.Interval.Lower, one.Interval.Upper}, one.Reason})
	}
	notices := a.Notices
	if notices == nil {
		notices = []string{}
	}
	var changes *shareReport // null where deploys are not known
	if a.DeploysUnknown == nil {
		known := reportShare(a.Report.ChangeFailure)
		changes = &known
	}
	return map[string]any{
		"service": a.Service, "from": a.From, "to": a.To,
		"precision": reportShare(a.Report.Precision), "recall": reportShare(a.Report.Recall), "changeFailureRate": changes,
		"detect": reportTimes(a.Report.Detect), "lead": reportTimes(a.Report.Lead), "resolve": reportTimes(a.Report.Resolve),
		"prevented": told, "notices": notices,
	}
}
