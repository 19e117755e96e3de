//go:build integration

package integration

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

const goodSeries = `{"status":"success","data":{"resultType":"matrix","result":[]}}`

// server answers every request alike, until the test ends.
func server(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

func text(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hang answers only when the asker has gone, which the server notices once the
// request is read.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// flood sends 200 MB of what might be JSON.
func flood(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	chunk := []byte(`{"status":"success","data":{"resultType":"matrix","result":[` + strings.Repeat(`{"metric":{},"values":[]},`, 40_000))
	for sent := 0; sent < 200<<20; sent += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// bomb sends a small body that unpacks to 1 GB.
func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	packer := gzip.NewWriter(w)
	zeros := make([]byte, 1<<20)
	for range 1 << 10 {
		if _, err := packer.Write(zeros); err != nil {
			return
		}
	}
	_ = packer.Close()
}

// encoded answers in an encoding that nobody asked for, or twice in one.
func encoded(name, packed string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", name)
		var inner bytes.Buffer
		if packer, err := flate.NewWriter(&inner, flate.BestSpeed); err == nil {
			_, _ = packer.Write(bytes.Repeat([]byte("[{"), 1<<20))
			_ = packer.Close()
		}
		if packed == "gzip" {
			packer := gzip.NewWriter(w)
			_, _ = packer.Write(inner.Bytes())
			_ = packer.Close()
			return
		}
		_, _ = w.Write(inner.Bytes())
	}
}

// manyLabels is one series, or one trace, of a million labels that never ends.
func manyLabels(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{`)
	for i := range 1_000_000 {
		if _, err := fmt.Fprintf(w, `"label_%d":"%d",`, i, i); err != nil {
			return
		}
	}
}

// truncated promises more than it sends.
func truncated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "100000")
	_, _ = io.WriteString(w, goodSeries[:30])
}

func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	return "http://" + listener.Addr().String()
}

// TestMisbehavingUpstreams asks about metrics and traces in one request, once
// with each of the two upstreams broken in every way. The broken one's query
// fails with a clear downstream error within the deadline; the other's query
// answers.
func TestMisbehavingUpstreams(t *testing.T) {
	p := startedPlugin(t)
	for name, test := range map[string]struct {
		answer http.HandlerFunc // nil: nothing listens
		want   string           // part of the message
	}{
		"nothing listens":   {nil, "cannot be reached"},
		"wrong credentials": {text(401, "text/plain", "who are you?"), "denied access"},
		"server error":      {text(500, "text/plain", "disk full"), "disk full"},
		"too many requests": {text(429, "text/plain", "slow down"), "slow down"},
		"a web page":        {text(200, "text/html", "<html><title>Login</title></html>"), "Login"},
		"garbage":           {text(200, "application/json", "\x00\x01{{{"), "invalid answer"},
		"truncated":         {truncated, ""},
		"hangs":             {hang, "did not answer"},
		"200 MB":            {flood, "too much"},
		"a gzip bomb":       {bomb, "too much"},
		"gzip in gzip":      {encoded("gzip", "gzip"), ""},
		"deflate unasked":   {encoded("deflate", "deflate"), ""},
		"brotli unasked":    {encoded("br", ""), ""},
		"deeply nested":     {text(200, "application/json", strings.Repeat(`{"data":[`, 1<<20)), ""},
		"a million labels":  {manyLabels, ""},
	} {
		for _, broken := range []string{"prometheus", "traces"} {
			t.Run(broken+"/"+name, func(t *testing.T) {
				t.Parallel()
				timeout := "1m" // a slow machine takes its time over 200 MB
				if name == "hangs" {
					timeout = "3s"
				}
				bad := ""
				if test.answer == nil {
					bad = closedPort(t)
				} else {
					bad = server(t, test.answer)
				}
				urls := map[string]string{
					"prometheus": server(t, text(200, "application/json", goodSeries)),
					"traces":     server(t, text(200, "application/json", `{"tagValues":[]}`)),
				}
				urls[broken] = bad
				source := harness.DataSource{Plugin: p, Context: harness.PluginContext(map[string]any{
					"prometheus": map[string]any{"url": urls["prometheus"]},
					"traces":     map[string]any{"url": urls["traces"]},
					"limits":     map[string]any{"timeout": timeout},
				}, nil)}

				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
				defer cancel()
				to := time.Now()
				answers, err := source.AskAll(ctx,
					harness.Query("prometheus", to.Add(-time.Hour), to, map[string]any{"queryType": "anomaly", "expr": "up"}),
					harness.Query("traces", to.Add(-time.Hour), to, map[string]any{"queryType": "services"}),
				)
				require.NoError(t, err)
				require.Len(t, answers, 2)
				for refID, answer := range answers {
					if refID != broken {
						require.NoError(t, answer.Error, "the other upstream's query still answers")
						continue
					}
					require.Error(t, answer.Error)
					require.Contains(t, answer.Error.Error(), test.want)
					require.Equal(t, backend.ErrorSourceDownstream, answer.ErrorSource, answer.Error)
				}

				health, err := p.Health(ctx, source.Context)
				require.NoError(t, err)
				require.Equal(t, backend.HealthStatusError, health.Status, health.Message)
			})
		}
	}
}

func TestUnusableSettings(t *testing.T) {
	p := startedPlugin(t)
	for name, test := range map[string]struct {
		settings map[string]any
		want     []string
	}{
		"a list where text belongs": {map[string]any{"prometheus": map[string]any{"url": []any{9090}}}, []string{"prometheus.url", "must be text", "a list"}},
		"not a URL":                 {map[string]any{"prometheus": map[string]any{"url": "prometheus:9090"}}, []string{"http://"}},
		"an unknown mode":           {map[string]any{"traces": map[string]any{"mode": "proxy", "url": "http://t"}}, []string{"traces.mode", "direct or grafana"}},
		"itself":                    {map[string]any{"prometheus": map[string]any{"mode": "grafana", "uid": "foresight"}, "grafana": map[string]any{"url": "http://g"}}, []string{"itself"}},
		"several at once":           {map[string]any{"limits": map[string]any{"timeout": "soon", "maxSeries": -1}}, []string{"limits.timeout", "limits.maxSeries"}},
	} {
		t.Run(name, func(t *testing.T) {
			source := harness.DataSource{Plugin: p, Context: harness.PluginContext(test.settings, nil)}
			health, err := p.Health(t.Context(), source.Context)
			require.NoError(t, err)
			require.Equal(t, backend.HealthStatusError, health.Status)
			to := time.Now()
			answers, err := source.AskAll(t.Context(),
				harness.Query("A", to.Add(-time.Hour), to, map[string]any{"queryType": "anomaly", "expr": "up"}),
				harness.Query("B", to.Add(-time.Hour), to, map[string]any{"queryType": "services"}),
			)
			require.NoError(t, err)
			for _, part := range test.want {
				require.Contains(t, health.Message, part)
				for _, refID := range []string{"A", "B"} {
					require.ErrorContains(t, answers[refID].Error, part)
					require.Equal(t, backend.ErrorSourceDownstream, answers[refID].ErrorSource)
				}
			}
		})
	}
}

func TestNothingConfigured(t *testing.T) {
	source := harness.DataSource{Plugin: startedPlugin(t), Context: harness.PluginContext(nil, nil)}
	to := time.Now()
	_, err := source.Ask(t.Context(), to.Add(-time.Hour), to, map[string]any{"queryType": "anomaly", "expr": "up"})
	require.ErrorContains(t, err, "no metrics server is configured")
	_, err = source.Ask(t.Context(), to.Add(-time.Hour), to, map[string]any{"queryType": "traceDiff", "service": "orders"})
	require.ErrorContains(t, err, "no trace store is configured")
}
