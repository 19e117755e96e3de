package chaos

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// lostHour passes an answer on without the samples of the last hour.
func lostHour(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	r.Header.Set("Accept-Encoding", "identity")
	whole := httptest.NewRecorder()
	pass.ServeHTTP(whole, r)
	var answer struct {
		Status string `json:"status"`
		Data   struct {
			Type   string            `json:"resultType"`
			Result []json.RawMessage `json:"result"`
		} `json:"data"`
	}
	body := whole.Body.Bytes()
	if json.Unmarshal(body, &answer) == nil && answer.Data.Type == "matrix" {
		kept := []json.RawMessage{}
		for _, series := range answer.Data.Result {
			if old := before(series, time.Now().Add(-time.Hour)); old != nil {
				kept = append(kept, old)
			}
		}
		answer.Data.Result = kept
		body, _ = json.Marshal(answer)
	}
	w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
	w.WriteHeader(whole.Code)
	_, _ = w.Write(body)
}

// before is a series with what it had before an instant; nil for nothing.
func before(series json.RawMessage, end time.Time) json.RawMessage {
	var whole map[string]json.RawMessage
	if json.Unmarshal(series, &whole) != nil {
		return nil
	}
	left := 0
	for _, kind := range []string{"values", "histograms"} {
		var points, kept [][2]json.RawMessage
		if json.Unmarshal(whole[kind], &points) != nil {
			continue
		}
		for _, point := range points {
			var at float64
			if json.Unmarshal(point[0], &at) == nil && at < float64(end.Unix()) {
				kept = append(kept, point)
			}
		}
		left += len(kept)
		if whole[kind], _ = json.Marshal(kept); len(kept) == 0 {
			delete(whole, kind)
		}
	}
	if left == 0 {
		return nil
	}
	rest, _ := json.Marshal(whole)
	return rest
}

// lostTraces answers as a Tempo does that knows no trace.
func lostTraces(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	body := ""
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/api/search"):
		body = `{"traces":[],"metrics":{}}`
	case strings.Contains(path, "/values"):
		body = `{"tagValues":[],"metrics":{}}`
	case strings.Contains(path, "/api/metrics/"):
		body = `{"series":[],"metrics":{}}`
	case strings.Contains(path, "/traces/"):
		http.NotFound(w, r)
		return
	default:
		pass.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
}
