//go:build integration

package chaos

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFaultsComeAndGo: each fault does what it says to a plain request, and
// nothing is left of it.
func TestFaultsComeAndGo(t *testing.T) {
	whole := strings.Repeat("0123456789", 20_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, whole) }))
	t.Cleanup(server.Close)
	for _, fault := range Faults {
		if fault.Loses {
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			p, err := NewProxy(server.URL + "/below")
			require.NoError(t, err)
			defer p.Close()
			require.True(t, strings.HasSuffix(p.URL(), "/below"))
			method := http.MethodGet
			if fault.Of == Grafana { // of what is written
				method = http.MethodPost
			}
			client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
			get := func(patience time.Duration) string {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				request, err := http.NewRequestWithContext(ctx, method, p.URL(), nil)
				require.NoError(t, err)
				response, err := client.Do(request)
				if err != nil {
					return err.Error()
				}
				defer func() { _ = response.Body.Close() }()
				body, err := io.ReadAll(response.Body)
				if err != nil || response.StatusCode != http.StatusOK {
					return response.Status
				}
				return string(body)
			}
			require.Equal(t, whole, get(time.Minute))
			require.NoError(t, p.Break(fault))
			var right int
			for range 2 {
				if get(2*time.Second) == whole {
					right++
				}
			}
			switch fault.Effect {
			case Fatal:
				require.Zero(t, right)
			case Harmless:
				require.Equal(t, 2, right)
			default:
				require.Less(t, right, 2)
			}
			require.NoError(t, p.Mend())
			deadline := time.Now().Add(time.Minute)
			for get(10*time.Second) != whole {
				require.True(t, time.Now().Before(deadline), "it does not come back")
			}
		})
	}
}

// TestLostData: what a store lost is gone from its answers, and nothing else.
func TestLostData(t *testing.T) {
	now := time.Now().Unix()
	pass := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[%d,"1"],[%d,"2"]]},{"metric":{},"values":[[%d,"3"]]}]}}`, now-7200, now-60, now-60)
	})
	recorder := httptest.NewRecorder()
	lostHour(recorder, httptest.NewRequest(http.MethodGet, "/api/v1/query_range", nil), pass)
	require.JSONEq(t, fmt.Sprintf(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[%d,"1"]]}]}}`, now-7200), recorder.Body.String())

	recorder = httptest.NewRecorder()
	lostTraces(recorder, httptest.NewRequest(http.MethodGet, "/api/v2/traces/1", nil), pass)
	require.Equal(t, http.StatusNotFound, recorder.Code)
}

// TestJudging: what must never be is found.
func TestJudging(t *testing.T) {
	whole := reply{facts: facts{"verdict": "regressed", "score": "97.5", "other": "1"}}
	q := Question{Name: "q", Needs: []string{Tempo}}
	for name, test := range map[string]struct {
		got  reply
		want Outcome
	}{
		"the same":                {whole, Right},
		"the same, with a notice": {reply{facts: whole.facts, notices: []string{"Tempo failed"}}, Noticed},
		"less":                    {reply{facts: facts{"verdict": "insufficient", "score": "null"}, notices: []string{"Tempo failed"}}, Less},
		"less, and silent":        {reply{facts: facts{"verdict": "insufficient", "score": "null"}}, Wrong},
		"another verdict":         {reply{facts: facts{"verdict": "no_change"}, notices: []string{"Tempo failed"}}, Wrong},
		"zero":                    {reply{facts: facts{"score": "0"}, notices: []string{"Tempo failed"}}, Wrong},
		"NaN":                     {reply{facts: facts{"score": "NaN"}, notices: []string{"Tempo failed"}}, Wrong},
		"more":                    {reply{facts: facts{"further": "1"}, notices: []string{"Tempo failed"}}, Wrong},
		"an error":                {reply{failure: "Tempo failed", blamed: true}, Refused},
		"an error of nobody":      {reply{failure: "failed", blamed: true}, Wrong},
		"an error of ours":        {reply{failure: "Tempo failed"}, Wrong},
		"too late":                {reply{facts: whole.facts, took: 3 * Timeout}, Wrong},
	} {
		outcome, reason := q.judge(test.got, whole, Tempo)
		require.Equal(t, test.want, outcome, "%s: %s", name, reason)
	}
	outcome, _ := trouble{upstream: Upstream{Name: Tempo}, loses: true}.judge(q, reply{facts: facts{"score": "0", "other": "2"}, notices: []string{"no traces"}}, whole)
	require.Equal(t, Wrong, outcome, "zero is no number like others")
	outcome, _ = trouble{upstream: Upstream{Name: Tempo}, loses: true}.judge(q, reply{facts: facts{"other": "2"}, notices: []string{"no traces"}}, whole)
	require.Equal(t, Less, outcome)
	for failure, want := range map[string]Outcome{"HTTP 422: there are no recent samples": Refused, "HTTP 500: there are no recent samples": Wrong} {
		outcome, _ = trouble{upstream: Upstream{Name: Tempo}, loses: true}.judge(q, reply{failure: failure}, whole)
		require.Equal(t, want, outcome, failure)
	}
}
