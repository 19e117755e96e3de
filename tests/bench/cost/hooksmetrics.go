package cost

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// rhythmServer is a metrics server with one series of a daily rhythm, and with
// counts of two versions of every service, of which the second has a tenth of
// the traffic.
func rhythmServer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	promQL := r.FormValue("query")
	switch {
	case strings.HasSuffix(r.URL.Path, "/__name__/values") && strings.Contains(r.FormValue("match[]"), "service_version"):
		_, _ = io.WriteString(w, `{"status":"success","data":["http_server_request_duration_seconds_bucket"]}`)
		return
	case !strings.HasSuffix(r.URL.Path, "/query_range"):
		_, _ = io.WriteString(w, `{"status":"success","data":[]}`)
		return
	}
	var result []any
	draw := func(labels map[string]string, factor float64) {
		result = append(result, map[string]any{"metric": labels, "values": rhythmic(r, factor)})
	}
	if !strings.Contains(promQL, "service_version") {
		draw(map[string]string{}, 1)
	}
	for version, share := range map[string]float64{"1": 0.9, "2": 0.1} {
		switch {
		case !strings.Contains(promQL, "service_version"), strings.Contains(promQL, "avg_over_time"):
		case strings.Contains(promQL, `"5.."`):
			draw(map[string]string{"service_version": version}, share*0.1)
		case strings.Contains(promQL, "_bucket"):
			for limit, part := range map[string]float64{"0.1": 50, "0.25": 90, "1": 99, "+Inf": 100} {
				draw(map[string]string{"service_version": version, "le": limit}, share*part)
			}
		default:
			draw(map[string]string{"service_version": version}, share*100)
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "matrix", "result": result}})
}

// rhythmic are the samples of a day's rhythm with noise, 100 on average.
func rhythmic(r *http.Request, factor float64) (values [][2]any) {
	at := func(name string) float64 { v, _ := strconv.ParseFloat(r.FormValue(name), 64); return v }
	for t, end, step := at("start"), at("end"), at("step"); t <= end && step > 0; t += step {
		minute := t / 60
		v := 100 - 30*math.Cos(2*math.Pi*minute/1440) + math.Sin(minute*1.7) + math.Sin(minute*2.9)
		values = append(values, [2]any{t, strconv.FormatFloat(v*factor, 'f', -1, 64)})
	}
	return values
}
