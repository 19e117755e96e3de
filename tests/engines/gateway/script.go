package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// scene is one way in which a metrics server behaves towards the service cart.
// Its name is the uid of the data source over it.
type scene struct {
	name string
	// value is the metric at a time, so long before now; NaN where there is no
	// sample.
	value func(at time.Time, age time.Duration) float64
	serve http.HandlerFunc // in place of values
	// canary is what its version 2 does; empty for what version 1 does.
	canary string
}

var scenes = []scene{
	{name: "good", value: steady},
	{name: "undecided", value: steady, canary: "few"},
	{name: "over", value: steady, canary: "over"},
	{name: "collapsed", canary: "failing", value: func(at time.Time, age time.Duration) float64 {
		if age < 10*time.Minute {
			return 1
		}
		return load(at)
	}},
	{name: "missing", value: func(time.Time, time.Duration) float64 { return math.NaN() }},
	{name: "stale", value: func(at time.Time, age time.Duration) float64 {
		if age < 12*time.Minute {
			return math.NaN()
		}
		return load(at)
	}},
	{name: "prone", value: func(at time.Time, age time.Duration) float64 {
		if age < 12*time.Minute || at.Minute()%3 > 0 {
			return math.Inf(1) // a division by zero, in the notation of Prometheus
		}
		return load(at)
	}},
	{name: "young", value: func(at time.Time, age time.Duration) float64 {
		if age > 5*time.Minute {
			return math.NaN()
		}
		return load(at)
	}},
	{name: "failing", serve: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, `{"status":"error","errorType":"internal","error":"disk full"}`)
	}},
	{name: "page", serve: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html><title>Login</title></html>")
	}},
	{name: "slow", serve: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	{name: "restarting", serve: func(w http.ResponseWriter, _ *http.Request) {
		if hijacker, ok := w.(http.Hijacker); ok {
			if connection, _, err := hijacker.Hijack(); err == nil {
				_ = connection.Close()
			}
		}
	}},
}

// load has a daily rhythm, noise, and 60 at the least.
func load(at time.Time) float64 {
	minute := float64(at.Unix() / 60)
	return 100 - 30*math.Cos(2*math.Pi*minute/1440) + math.Sin(minute*1.7) + math.Sin(minute*2.9)
}

// server serves Prometheus' API: one series for whatever is asked.
func (s scene) server() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/query_range", func(w http.ResponseWriter, r *http.Request) {
		if s.serve != nil {
			s.serve(w, r)
			return
		}
		result := s.matrix(r)
		if promQL := r.FormValue("query"); strings.Contains(promQL, "service_version") && !strings.Contains(promQL, "avg_over_time") {
			result = s.versions(r, promQL)
		}
		answer(w, map[string]any{"resultType": "matrix", "result": result})
	})
	mux.HandleFunc("/api/v1/label/service_name/values", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, []string{"cart"})
	})
	mux.HandleFunc("/api/v1/label/__name__/values", func(w http.ResponseWriter, r *http.Request) {
		names := []string{}
		if strings.Contains(r.FormValue("match[]"), `service_name="cart"`) {
			names = append(names, "http_server_request_duration_seconds_count")
			if strings.Contains(r.FormValue("match[]"), `service_version="2"`) {
				names = append(names, "http_server_request_duration_seconds_bucket")
			}
		}
		answer(w, names)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { answer(w, []any{}) })
	return mux
}

func steady(at time.Time, _ time.Duration) float64 { return load(at) }

func (s scene) matrix(r *http.Request) []any { return s.drawn(r, map[string]string{}, s.value) }

// drawn is the one series of a value at the instants that are asked for; none
// without samples.
func (s scene) drawn(r *http.Request, labels map[string]string, value func(at time.Time, age time.Duration) float64) []any {
	start, end, step := seconds(r, "start"), seconds(r, "end"), seconds(r, "step")
	now := time.Now()
	var values [][2]any
	for at := start; at <= end && step > 0; at += step {
		t := time.Unix(int64(at), 0)
		if v := value(t, now.Sub(t)); !math.IsNaN(v) {
			values = append(values, [2]any{at, strconv.FormatFloat(v, 'f', -1, 64)})
		}
	}
	if values == nil {
		return []any{}
	}
	return []any{map[string]any{"metric": labels, "values": values}}
}

func seconds(r *http.Request, name string) float64 {
	v, _ := strconv.ParseFloat(r.FormValue(name), 64)
	return v
}

func answer(w http.ResponseWriter, data any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data})
}
