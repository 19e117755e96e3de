package hooks

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/hooks/webhook"
)

const signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestSend(t *testing.T) {
	var got []byte
	var headers http.Header
	answer := http.StatusAccepted
	automation := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers = r.Header
		got, _, _ = body(w, r)
		w.WriteHeader(answer)
	}))
	defer automation.Close()
	sender, err := webhook.New([]webhook.Target{{Name: "warm", URL: automation.URL, Private: true}}, signing, time.Now)
	require.NoError(t, err)
	handler := testHooks(t, func(s *Settings) { s.Sender, s.UID = sender, "u" })
	const path, good = "/hooks/send", `{"webhook":"warm","query":"sum(foresight_predicted_demand{series=\"good\"})"}`

	status, reply := tell(t, handler, "Editor", path, good, nil)
	require.Equal(t, http.StatusOK, status, reply)
	verifier, err := standardwebhooks.NewWebhook(signing)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(got, headers))
	var event struct {
		ID, Type, Subject, Source string
		Data                      struct {
			Value    float64
			Query    string
			Warnings []string
		}
	}
	require.NoError(t, json.Unmarshal(got, &event))
	require.Equal(t, "foresight.predicted_demand.v1", event.Type)
	require.Equal(t, "good", event.Subject)
	require.Equal(t, "/foresight/u", event.Source)
	require.InDelta(t, 132, event.Data.Value, 6)
	require.NotEmpty(t, event.Data.Warnings)
	require.JSONEq(t, `{"id":"`+event.ID+`"}`, reply)

	_, again := tell(t, handler, "Editor", path, good, nil)
	require.Equal(t, reply, again, "the same number of the same minute is the same event")

	got = nil
	for content, want := range map[string]int{
		`{}`: 400, `x`: 400, `{"webhook":"other","query":"foresight_up"}`: 400,
		`{"webhook":"warm","query":"foresight_predicted_demand{series=\"stale\"}"}`: 422,
		`{"webhook":"warm","query":"foresight_anomaly_score{series=\"two\"}"}`:      422,
		`{"webhook":"warm","query":"vector(1)"}`:                                    422,
		`{"webhook":"warm","query":"up"}`:                                           422,
		`{"webhook":"warm","query":"foresight_up{"}`:                                422,
	} {
		status, reply := tell(t, handler, "Admin", path, content, nil)
		require.Equal(t, want, status, content+reply)
	}
	status, _ = tell(t, handler, "Viewer", path, good, nil)
	require.Equal(t, http.StatusForbidden, status)
	require.Nil(t, got, "nothing of that was sent")

	answer = http.StatusForbidden
	status, reply = tell(t, handler, "Editor", path, good, nil)
	require.Equal(t, http.StatusBadGateway, status)
	require.NotContains(t, reply, signing)
	status, _ = tell(t, testHooks(t), "Editor", path, good, nil)
	require.Equal(t, http.StatusNotImplemented, status, "off unless configured")
}
