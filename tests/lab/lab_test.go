package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/lab/servers"
)

// TestLab runs everything for real. It builds nothing: where the servers are
// not in the cache yet, FORESIGHT_LAB=build asks for it.
func TestLab(t *testing.T) {
	o, err := parseOptions([]string{"-history", "2h", "-rate", "40"})
	require.NoError(t, err)
	builder := servers.Builder{Source: o.source, Cache: o.cache}
	if os.Getenv("FORESIGHT_LAB") != "build" && !(builder.Cached(servers.Prometheus) && builder.Cached(servers.Tempo)) {
		t.Skip("the servers are not built yet: run `go run . -build-only`, or set FORESIGHT_LAB=build")
	}
	if testing.Short() {
		t.Skip("starts real servers")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	binaries, err := build(ctx, o, t.Logf)
	require.NoError(t, err)
	l, err := startLab(ctx, o, binaries, t.Logf)
	defer l.stop()
	require.NoError(t, err)
	a := l.addresses

	t.Run("a deploy arrives in Tempo", func(t *testing.T) {
		eventually(t, func() string {
			var found struct{ Traces []any }
			get(t, a.Tempo+"/api/search?q="+url.QueryEscape(`{resource.service.version="1.9.4"}`), &found)
			if len(found.Traces) == 0 {
				return "no trace of the first version"
			}
			return ""
		})
		post(t, a.Control+"/deploy?service=orders&version=2.0.0&fault=slow-query")
		query := `{resource.service.name="orders" && resource.service.version="2.0.0" && name="SELECT orders"} | select(span.db.query.text)`
		eventually(t, func() string {
			var found struct {
				Traces []struct {
					SpanSet struct {
						Spans []struct {
							Attributes []struct{ Value struct{ StringValue string } }
						}
					}
				}
			}
			get(t, a.Tempo+"/api/search?q="+url.QueryEscape(query), &found)
			if len(found.Traces) == 0 {
				return "no trace found"
			}
			for _, attribute := range found.Traces[0].SpanSet.Spans[0].Attributes {
				if bytes.HasPrefix([]byte(attribute.Value.StringValue), []byte("SELECT id, status, total_cents, created_at FROM orders WHERE customer_id = ")) {
					return ""
				}
			}
			return "the statement is not there"
		})
	})
	t.Run("TraceQL metrics distinguish the versions", func(t *testing.T) {
		query := `{resource.service.name="orders" && name="SELECT orders"} | avg_over_time(duration) by (resource.service.version)`
		eventually(t, func() string {
			var answer struct{ Series []any }
			get(t, a.Tempo+"/api/metrics/query_range?since=2m&step=10s&q="+url.QueryEscape(query), &answer)
			if len(answer.Series) != 2 {
				return fmt.Sprintf("%d series", len(answer.Series))
			}
			return ""
		})
	})
	t.Run("live metrics carry on the series of the history", func(t *testing.T) {
		for _, series := range []string{
			`http_server_request_duration_seconds_count{service_name="web",http_route="/",http_response_status_code="200"}`,
			`db_client_operation_duration_seconds_bucket{service_name="catalog",db_collection_name="inventory",db_operation_name="SELECT",le="0.01"}`,
			`db_client_connection_count{service_name="catalog",db_client_connection_state="used"}`,
			`process_cpu_utilization_ratio{service_name="web"}`,
			`rpc_server_duration_milliseconds{rpc_method="GetProducts",rpc_grpc_status_code="0"}`,
			`traces_spanmetrics_calls_total{service="web",span_name="GET /",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_UNSET"}`,
			`traces_spanmetrics_latency_bucket{service="web",span_name="GET /",le="+Inf",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_UNSET"}`,
		} {
			eventually(t, func() string {
				if n := instant(t, a.Prometheus, "count(last_over_time("+series+"[2h]))"); n != 1 {
					return fmt.Sprintf("%s: %g series in two hours", series, n)
				}
				// The history's last samples are five seconds apart: only live
				// ones are this young.
				if n := instant(t, a.Prometheus, "count(last_over_time("+series+"[6s]))"); n != 1 {
					return series + ": nothing live yet"
				}
				return ""
			})
		}
	})
	t.Run("a killed server stays away until it is started, and no other ends", func(t *testing.T) {
		post(t, a.Control+"/servers?name=tempo&do=kill")
		_, err := http.Get(a.Tempo + "/ready")
		require.Error(t, err)
		post(t, a.Control+"/servers?name=prometheus&do=pause")
		impatient := http.Client{Timeout: 300 * time.Millisecond}
		_, err = impatient.Get(a.Prometheus + "/-/ready")
		require.ErrorContains(t, err, "Timeout")
		post(t, a.Control+"/servers?name=prometheus&do=resume")
		post(t, a.Control+"/servers?name=tempo&do=start")
		for _, ready := range []string{a.Tempo + "/ready", a.Prometheus + "/-/ready"} {
			response, err := http.Get(ready)
			require.NoError(t, err)
			response.Body.Close()
			require.Equal(t, http.StatusOK, response.StatusCode, ready)
		}
		for path, problem := range map[string]string{
			"/servers?name=tempo&do=start": "runs already", "/servers?name=mysql&do=kill": "no server",
			"/servers?name=tempo&do=burn": `burn`,
		} {
			response, err := http.Post(a.Control+path, "", nil)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			response.Body.Close()
			require.Equal(t, http.StatusBadRequest, response.StatusCode)
			require.Contains(t, string(body), problem)
		}
		require.Empty(t, l.failed)
	})
}

func eventually(t *testing.T, problem func() string) {
	t.Helper()
	last := ""
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		if last = problem(); last == "" {
			return
		}
	}
	t.Fatal(last)
}

// instant evaluates an expression that gives one number; 0 for none.
func instant(t *testing.T, prometheus, expression string) float64 {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	get(t, prometheus+"/api/v1/query?query="+url.QueryEscape(expression), &answer)
	if len(answer.Data.Result) == 0 {
		return 0
	}
	value, err := strconv.ParseFloat(answer.Data.Result[0].Value[1].(string), 64)
	require.NoError(t, err)
	return value
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	response, err := http.Get(url)
	decode(t, response, err, into)
}

func post(t *testing.T, url string) {
	t.Helper()
	response, err := http.Post(url, "", nil)
	decode(t, response, err, new(any))
}

func decode(t *testing.T, response *http.Response, err error, into any) {
	t.Helper()
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, string(body))
	require.NoError(t, json.Unmarshal(body, into), string(body))
}
