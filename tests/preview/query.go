package preview

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// asked is the body of /api/ds/query.
type queried struct {
	From    string            `json:"from"`
	To      string            `json:"to"`
	Queries []json.RawMessage `json:"queries"`
}

// model is what Grafana reads of a query; the rest is the data source's.
type model struct {
	RefID         string  `json:"refId"`
	QueryType     string  `json:"queryType"`
	IntervalMS    float64 `json:"intervalMs"`
	MaxDataPoints int64   `json:"maxDataPoints"`
	DataSource    struct {
		UID string `json:"uid"`
	} `json:"datasource"`
}

func (h *Host) query(w http.ResponseWriter, r *http.Request) {
	uid, queries, err := read(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	source, known := h.sources.find(w, uid)
	if !known {
		return
	}
	response, err := source.Plugin.Query(r.Context(), &backend.QueryDataRequest{PluginContext: source.Context, Queries: queries})
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	status := http.StatusOK
	for _, one := range response.Responses {
		if one.Error != nil {
			status = http.StatusBadRequest // the body names the query
		}
	}
	answer(w, status, response)
}

// read decodes the queries and whom they are for: as in Grafana, one data
// source in one request.
func read(r *http.Request) (uid string, queries []backend.DataQuery, err error) {
	var body queried
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return "", nil, err
	}
	from, err := milliseconds(body.From)
	if err != nil {
		return "", nil, fmt.Errorf("from: %w", err)
	}
	to, err := milliseconds(body.To)
	if err != nil {
		return "", nil, fmt.Errorf("to: %w", err)
	}
	for _, raw := range body.Queries {
		var query model
		if err := json.Unmarshal(raw, &query); err != nil {
			return "", nil, err
		}
		uid = query.DataSource.UID
		queries = append(queries, backend.DataQuery{
			RefID: query.RefID, QueryType: query.QueryType, JSON: raw,
			TimeRange:     backend.TimeRange{From: from, To: to},
			Interval:      time.Duration(query.IntervalMS * float64(time.Millisecond)),
			MaxDataPoints: query.MaxDataPoints,
		})
	}
	return uid, queries, nil
}

func milliseconds(text string) (time.Time, error) {
	since, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(since), err
}
