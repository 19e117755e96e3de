package control

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/foresight-observability/foresight/tests/lab/servers"
	"github.com/foresight-observability/foresight/tests/lab/shop"
)

func open(t *testing.T) (*shop.Shop, func(method, path string) (int, map[string]any)) {
	t.Helper()
	s, err := shop.New(shop.Options{
		Seed: 1, Rate: 15, Load: shop.Rhythm{Seed: 1},
		Telemetry: shop.Telemetry{
			Spans:   tracetest.NewSpanRecorder(),
			Metrics: func(shop.Identity) sdkmetric.Reader { return sdkmetric.NewManualReader() },
		},
	}, time.Now())
	require.NoError(t, err)
	handler := Handler(s, &servers.Set{})
	return s, func(method, path string) (int, map[string]any) {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
		var body any
		if recorder.Code != http.StatusMethodNotAllowed && recorder.Code != http.StatusNotFound {
			require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &body), recorder.Body.String())
		}
		object, _ := body.(map[string]any)
		return recorder.Code, object
	}
}

func TestDeployAndBreak(t *testing.T) {
	s, do := open(t)
	code, _ := do("POST", "/deploy?service=orders&version=2.0.0&share=0.3&fault=slow-query")
	require.Equal(t, http.StatusOK, code)
	state := s.State()
	require.Equal(t, "2.0.0", state.Services["orders"][1].Version)
	require.InDelta(t, 0.3, state.Services["orders"][1].Share, 1e-9)
	require.Equal(t, "2.0.0", state.Faults["slow-query"].Version)

	code, body := do("POST", "/fault?name=pool-exhaustion&severity=0.5&ramp=2m")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "2m0s", body["ramp"])
	_, body = do("GET", "/state")
	require.Contains(t, body["faults"], "pool-exhaustion")

	code, _ = do("DELETE", "/fault?name=pool-exhaustion")
	require.Equal(t, http.StatusOK, code)
	require.NotContains(t, s.State().Faults, "pool-exhaustion")
	code, _ = do("GET", "/faults")
	require.Equal(t, http.StatusOK, code)
}

func TestMistakesAreExplained(t *testing.T) {
	_, do := open(t)
	for request, message := range map[string]string{
		"POST /deploy?service=billing&version=2":       "no service",
		"POST /deploy?service=orders":                  "which version",
		"POST /deploy?service=orders&version=2&shar=1": "unknown parameter",
		"POST /fault?name=gremlins":                    "no fault",
		"POST /fault?name=slow-query&ramp=soon":        "not a duration",
		"POST /fault?name=slow-query&severity=much":    "not a number",
		"DELETE /fault?name=slow-query":                "not on",
	} {
		method, path, _ := strings.Cut(request, " ")
		code, body := do(method, path)
		require.Equal(t, http.StatusBadRequest, code, request)
		require.Contains(t, body["error"], message, request)
	}
	code, _ := do("GET", "/deploy")
	require.Equal(t, http.StatusMethodNotAllowed, code)
}
