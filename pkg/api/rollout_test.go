package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
)

func TestRolloutRoute(t *testing.T) {
	from, to := enginetest.Midnight, enginetest.Midnight.Add(8*time.Hour)
	var all []enginetest.Scraped
	for code, perSecond := range map[string]float64{"200": 99, "500": 1} {
		all = append(all, enginetest.Scraped{
			Labels: enginetest.Named("http_server_request_duration_seconds_count", "service_name", "cart", "service_version", "7", "http_response_status_code", code),
			From:   from, To: to, Every: 30 * time.Second, Value: enginetest.Counter(from, perSecond),
		})
	}
	e := &engine.Engine{Metrics: enginetest.NewPromServer(all...), Now: func() time.Time { return to }, Limits: engine.Limits{MaxSeries: 50}}
	h := New(e, Settings{CallerRate: 1000, Timeout: 2 * time.Minute})
	t.Cleanup(h.Close)
	mux := http.NewServeMux()
	h.Register(mux)
	ask := func(pairs ...string) (int, string) {
		recorder := httptest.NewRecorder()
		mux.ServeHTTP(recorder, get("/rollout", pairs...))
		require.Equal(t, "application/json", recorder.Header().Get("Content-Type"))
		return recorder.Code, recorder.Body.String()
	}
	status, body := ask("service", "cart", "ratio", "5", "maxHarmed", "5000")
	require.Equal(t, http.StatusOK, status, body)
	var found struct {
		InTime, HarmedAtMost float64
		Argo, Flagger        string
		Steps                []struct{ Weight, PauseSeconds, Power float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(body), &found))
	require.GreaterOrEqual(t, found.InTime, 0.94)
	require.InDelta(t, 0.01, found.Steps[0].Weight, 1e-9)
	require.Contains(t, found.Argo, "- setWeight: 1\n")
	require.Contains(t, found.Flagger, "stepWeights: [1, 2, 5, 10, 25, 50]")

	status, body = ask("service", "cart", "maxHarmed", "1")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "requests be harmed in place of 1")
	status, _ = ask("service", "cart", "ratio", "many")
	require.Equal(t, http.StatusBadRequest, status)
	status, _ = ask("service", "nobody")
	require.Equal(t, http.StatusUnprocessableEntity, status)
}
