package gate

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// grafana answers requests one after the other with steps; the last repeats.
type grafana struct {
	mu       sync.Mutex
	steps    []http.HandlerFunc
	requests []string
	bodies   []string
}

func (g *grafana) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	g.mu.Lock()
	g.requests = append(g.requests, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Authorization"))
	g.bodies = append(g.bodies, string(body))
	step := g.steps[0]
	if len(g.steps) > 1 {
		g.steps = g.steps[1:]
	}
	g.mu.Unlock()
	step(w, r)
}

func answers(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func says(verdict string, change ...func(map[string]any)) http.HandlerFunc {
	now := time.Now().UTC()
	signal := map[string]any{
		"name": "errors", "critical": true, "verdict": verdict, "evidence": 120.5, "threshold": 100,
		"baseline": map[string]any{"bad": 9, "requests": 9000}, "candidate": map[string]any{"bad": 30, "requests": 1000},
	}
	answer := map[string]any{
		"verdict": verdict, "reason": "errors is " + verdict, "score": 50, "service": "cart", "baseline": "1", "candidate": "2",
		"neededRequests": 500, "neededSeconds": 120, "window": map[string]any{"from": now.Add(-time.Hour), "to": now, "served": now},
		"id": "1", "metrics": []any{signal}, "resources": []any{map[string]any{"name": "memory", "full": false, "baseline": 0.5, "candidate": nil}},
		"warnings": []any{"a | b\n::error::no command"},
	}
	for _, one := range change {
		one(answer)
	}
	text, _ := json.Marshal(answer)
	return answers(http.StatusOK, "application/json", string(text))
}

func with(key string, value any) func(map[string]any) {
	return func(answer map[string]any) { answer[key] = value }
}

// judge runs the command against a Grafana.
func judge(t *testing.T, g *grafana, arguments ...string) (code int, stdout, stderr string) {
	t.Helper()
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return judgeAt(t, server.URL, arguments...)
}

func judgeAt(t *testing.T, address string, arguments ...string) (code int, stdout, stderr string) {
	t.Helper()
	env := map[string]string{
		"FORESIGHT_URL": address, "FORESIGHT_TOKEN": "secret\n", "FORESIGHT_SERVICE": "cart", "FORESIGHT_VERSION": "2",
		"FORESIGHT_INTERVAL": "10ms", "FORESIGHT_DEADLINE": "120ms", "FORESIGHT_TIMEOUT": "100ms", "FORESIGHT_TOLERATE": "60ms",
	}
	var out, err bytes.Buffer
	code = Main(t.Context(), arguments, func(name string) string { return env[name] }, &out, &err)
	return code, out.String(), err.String()
}

func TestOutcomes(t *testing.T) {
	login := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }
	breaks := func(w http.ResponseWriter, _ *http.Request) {
		connection, _, _ := w.(http.Hijacker).Hijack()
		_ = connection.Close()
	}
	hangs := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	waits := answers(http.StatusUnprocessableEntity, "application/json", `{"error":"versions 1 and 2 of cart do not serve at the same time"}`)
	down := answers(http.StatusBadGateway, "text/html", "<html>")
	for name, test := range map[string]struct {
		steps []http.HandlerFunc
		code  Outcome
		said  string
	}{
		"pass":                            {[]http.HandlerFunc{says("pass")}, Pass, "PASS: cart 2 against 1"},
		"fail":                            {[]http.HandlerFunc{says("fail")}, Fail, "errors is fail"},
		"undecided to the end":            {[]http.HandlerFunc{says("inconclusive")}, Inconclusive, "undecided after 120ms: errors is inconclusive"},
		"decided later":                   {[]http.HandlerFunc{waits, says("inconclusive"), down, breaks, says("pass")}, Pass, "PASS"},
		"fails later":                     {[]http.HandlerFunc{says("inconclusive"), says("fail")}, Fail, "FAIL"},
		"never served":                    {[]http.HandlerFunc{waits}, Inconclusive, "do not serve at the same time"},
		"down":                            {[]http.HandlerFunc{down}, Error, "HTTP 502"},
		"down after it was undecided":     {[]http.HandlerFunc{says("inconclusive"), down}, Error, "HTTP 502"},
		"hangs":                           {[]http.HandlerFunc{hangs}, Error, "did not answer"},
		"breaks the connection":           {[]http.HandlerFunc{breaks}, Error, "did not answer"},
		"login page by redirect":          {[]http.HandlerFunc{login}, Error, "redirects to"},
		"page":                            {[]http.HandlerFunc{answers(200, "text/html", "<html>pass</html>")}, Error, "not JSON"},
		"page that says it is JSON":       {[]http.HandlerFunc{answers(200, "application/json", "<html>")}, Error, "not JSON"},
		"JSON that says it is a page":     {[]http.HandlerFunc{answers(200, "text/html", `{"verdict":"pass"}`)}, Error, "not JSON"},
		"nothing":                         {[]http.HandlerFunc{answers(200, "application/json", "")}, Error, "not JSON"},
		"null":                            {[]http.HandlerFunc{answers(200, "application/json", "null")}, Error, "its verdict is"},
		"a list":                          {[]http.HandlerFunc{answers(200, "application/json", "[]")}, Error, "unexpected"},
		"bare pass":                       {[]http.HandlerFunc{answers(200, "application/json", `{"verdict":"pass"}`)}, Error, "on service"},
		"accepted":                        {[]http.HandlerFunc{answers(202, "application/json", `{"verdict":"pass"}`)}, Error, "HTTP 202"},
		"another verdict":                 {[]http.HandlerFunc{says("passed")}, Error, "its verdict is"},
		"another service":                 {[]http.HandlerFunc{says("pass", with("service", "orders"))}, Error, "on service"},
		"another version":                 {[]http.HandlerFunc{says("pass", with("candidate", "3"))}, Error, "on version"},
		"old":                             {[]http.HandlerFunc{says("pass", with("window", map[string]any{"to": "2026-01-01T00:00:00Z"}))}, Error, "too old"},
		"pass without evidence":           {[]http.HandlerFunc{says("pass", with("metrics", nil))}, Error, "without any evidence"},
		"pass over a failure":             {[]http.HandlerFunc{says("pass", with("metrics", []any{map[string]any{"name": "errors", "critical": true, "verdict": "fail"}}))}, Error, "although"},
		"wrong types":                     {[]http.HandlerFunc{says("pass", with("score", "high"))}, Error, "unexpected"},
		"endless":                         {[]http.HandlerFunc{answers(200, "application/json", `"`+strings.Repeat("x", maxBody)+`"`)}, Error, "larger than"},
		"bad token":                       {[]http.HandlerFunc{answers(401, "application/json", `{"message":"Invalid API key"}`)}, Error, "check the token"},
		"no role":                         {[]http.HandlerFunc{answers(403, "application/json", `{}`)}, Error, "the role Viewer"},
		"no such data source":             {[]http.HandlerFunc{answers(404, "application/json", `{"message":"Data source not found"}`)}, Error, "-datasource"},
		"422 of somebody else":            {[]http.HandlerFunc{answers(422, "text/html", `<html>`)}, Error, "HTTP 422"},
		"a permanent failure later":       {[]http.HandlerFunc{says("inconclusive"), login}, Error, "redirects to"},
		"pass, and a failure of the last": {[]http.HandlerFunc{down, says("pass")}, Pass, "PASS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := judge(t, &grafana{steps: test.steps})
			require.Equal(t, int(test.code), code, stdout+stderr)
			require.Contains(t, stdout, test.said)
			require.NotContains(t, stdout+stderr, "secret")
		})
	}
	t.Run("Grafana is not there", func(t *testing.T) {
		server := httptest.NewServer(nil)
		server.Close()
		code, stdout, _ := judgeAt(t, server.URL)
		require.Equal(t, int(Error), code)
		require.Contains(t, stdout, "did not answer")
	})
}

func TestRequiredTraffic(t *testing.T) {
	more := says("pass", with("metrics", []any{map[string]any{"name": "errors", "candidate": map[string]any{"requests": 2500}}}))
	code, stdout, stderr := judge(t, &grafana{steps: []http.HandlerFunc{says("pass"), more}}, "-min-requests", "2000")
	require.Equal(t, int(Pass), code, stdout)
	require.Contains(t, stderr, "served 1000 of the 2000 requests")

	code, stdout, _ = judge(t, &grafana{steps: []http.HandlerFunc{says("pass")}}, "-min-requests", "2000")
	require.Equal(t, int(Inconclusive), code)
	require.Contains(t, stdout, "served 1000 of the 2000 requests")
}

func TestMarker(t *testing.T) {
	saved := answers(http.StatusOK, "application/json", `{"kept":1,"known":0}`)
	busy := answers(http.StatusServiceUnavailable, "application/json", `{"error":"Grafana is restarting"}`)
	g := &grafana{steps: []http.HandlerFunc{busy, saved, says("pass")}}
	code, stdout, _ := judge(t, g, "-marker", "-environment", "production", "-datasource", "a/b")
	require.Equal(t, int(Pass), code, stdout)
	require.Contains(t, stdout, "Deploy marker: posted")
	require.Len(t, g.requests, 3)
	require.Equal(t, "POST /api/datasources/uid/a%2Fb/resources/hooks/deploy Bearer secret", g.requests[1])
	require.JSONEq(t, `{"service":"cart","version":"2","environment":"production"}`, g.bodies[1])
	require.Equal(t, "GET /api/datasources/uid/a%2Fb/resources/verdict?candidate=2&service=cart Bearer secret", g.requests[2])

	for name, step := range map[string]http.HandlerFunc{
		"not saved":    answers(http.StatusOK, "application/json", `{"kept":0,"known":0,"problems":["element 1: no service"]}`),
		"page":         answers(http.StatusOK, "text/html", "<html>"),
		"empty object": answers(http.StatusOK, "application/json", "{}"),
		"viewer":       answers(http.StatusForbidden, "application/json", `{"error":"this writes"}`),
		"no token":     answers(http.StatusNotImplemented, "application/json", `{"error":"set grafanaToken"}`),
	} {
		t.Run(name, func(t *testing.T) {
			g := &grafana{steps: []http.HandlerFunc{step}}
			code, stdout, _ := judge(t, g, "-marker")
			require.Equal(t, int(Error), code)
			require.Contains(t, stdout, "the deploy marker was not posted")
			for _, request := range g.requests {
				require.True(t, strings.HasPrefix(request, "POST"), "nothing is judged without its marker")
			}
		})
	}
}

func TestDryRun(t *testing.T) {
	for _, verdict := range []string{"pass", "fail"} {
		g := &grafana{steps: []http.HandlerFunc{says(verdict)}}
		report := filepath.Join(t.TempDir(), "junit.xml")
		code, stdout, _ := judge(t, g, "-marker", "-dry-run", "-junit", report)
		require.Zero(t, code)
		require.Len(t, g.requests, 1, "no marker")
		require.Contains(t, stdout, map[string]string{"pass": "would be 0", "fail": "would be 1"}[verdict])
		text, err := os.ReadFile(report)
		require.NoError(t, err)
		require.Contains(t, string(text), `failures="0" errors="0"`)
	}
}

func TestReports(t *testing.T) {
	for verdict, want := range map[string][3]int{"pass": {}, "fail": {2, 0, 0}, "inconclusive": {0, 2, 0}} {
		t.Run(verdict, func(t *testing.T) {
			folder := t.TempDir()
			junit, summary := filepath.Join(folder, "junit.xml"), filepath.Join(folder, "gate.md")
			_, stdout, _ := judge(t, &grafana{steps: []http.HandlerFunc{says(verdict)}}, "-junit", junit, "-summary", summary)
			require.Contains(t, stdout, "errors (critical)")
			require.Contains(t, stdout, "0.1 % of 9000")
			require.Contains(t, stdout, "not known")
			require.NotContains(t, stdout, "\n::error", "no command to the pipeline")

			text, err := os.ReadFile(junit)
			require.NoError(t, err)
			var found suites
			require.NoError(t, xml.Unmarshal(text, &found))
			require.Len(t, found.Suites[0].Cases, 2)
			require.Equal(t, want, [3]int{found.Suites[0].Failures, found.Suites[0].Errors, found.Suites[0].Skipped})

			text, err = os.ReadFile(summary)
			require.NoError(t, err)
			require.Contains(t, string(text), "### Foresight: "+verdict+", cart 2 against 1")
			require.Contains(t, string(text), "| errors (critical) | "+verdict+" | 0.1 % of 9000 | 3 % of 1000 |")
			require.Contains(t, string(text), `a \| b ::error::`)
		})
	}
}

func TestWhatCannotBeReportedDoesNotPass(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "no", "such", "folder.xml")
	code, _, stderr := judge(t, &grafana{steps: []http.HandlerFunc{says("pass")}}, "-junit", missing)
	require.Equal(t, int(Error), code)
	require.Contains(t, stderr, "folder.xml")
	code, _, _ = judge(t, &grafana{steps: []http.HandlerFunc{says("fail")}}, "-junit", missing)
	require.Equal(t, int(Fail), code)
}

func TestOptions(t *testing.T) {
	good := map[string]string{"FORESIGHT_URL": "https://grafana.example.com/sub/", "FORESIGHT_TOKEN": "t", "FORESIGHT_SERVICE": "cart", "FORESIGHT_VERSION": "2"}
	c, err := Parse([]string{"-service", "orders"}, func(name string) string { return good[name] }, io.Discard)
	require.NoError(t, err)
	require.Equal(t, "orders", c.Service, "arguments go before the environment")
	require.Equal(t, "https://grafana.example.com/sub/api/datasources/uid/foresight/resources/", newClient(c).base)

	for name, test := range map[string]struct {
		env       map[string]string
		arguments []string
		said      string
	}{
		"no url":          {env: map[string]string{"FORESIGHT_URL": ""}, said: "-url is missing"},
		"url of a file":   {env: map[string]string{"FORESIGHT_URL": "file:///etc/passwd"}, said: "write an address"},
		"no token":        {env: map[string]string{"FORESIGHT_TOKEN": ""}, said: "the token is missing"},
		"two tokens":      {env: map[string]string{"FORESIGHT_TOKEN": "a\nb"}, said: "more than one line"},
		"no token file":   {arguments: []string{"-token-file", "/none"}, said: "cannot be read"},
		"no service":      {env: map[string]string{"FORESIGHT_SERVICE": ""}, said: "-service"},
		"no version":      {env: map[string]string{"FORESIGHT_VERSION": ""}, said: "another version"},
		"against itself":  {arguments: []string{"-baseline", "2"}, said: "both"},
		"duration":        {env: map[string]string{"FORESIGHT_DEADLINE": "long"}, said: "FORESIGHT_DEADLINE"},
		"negative":        {arguments: []string{"-min-requests", "-1"}, said: "-min-requests"},
		"not a number":    {arguments: []string{"-min-requests", "NaN"}, said: "-min-requests"},
		"busy loop":       {arguments: []string{"-interval", "0s"}, said: "above 0"},
		"unknown option":  {arguments: []string{"-mistake"}, said: "-mistake"},
		"stray arguments": {arguments: []string{"cart"}, said: "not an option"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			code := Main(t.Context(), test.arguments, func(name string) string {
				if value, ok := test.env[name]; ok {
					return value
				}
				return good[name]
			}, io.Discard, &stderr)
			require.Equal(t, int(Error), code)
			require.Contains(t, stderr.String(), test.said)
		})
	}
	require.Zero(t, Main(t.Context(), []string{"-h"}, func(string) string { return "" }, io.Discard, io.Discard))
}

func TestTokenFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("from-file\n"), 0o600))
	g := &grafana{steps: []http.HandlerFunc{says("pass")}}
	code, _, _ := judge(t, g, "-token-file", file)
	require.Zero(t, code)
	require.True(t, strings.HasSuffix(g.requests[0], "Bearer from-file"))
}
