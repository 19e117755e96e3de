package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
)

const signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestSend(t *testing.T) {
	var got []byte
	var headers http.Header
	answer := http.StatusAccepted
	automation := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers = r.Header
		got, _, _ = respond.Body(w, r)
		w.WriteHeader(answer)
	}))
	defer automation.Close()
	sender, err := webhook.New([]webhook.Target{{Name: "warm", URL: automation.URL, Private: true}}, webhook.Secrets{Signing: signing}, time.Now)
	require.NoError(t, err)
	handler := testHooks(t, func(s *Settings) { s.Sender, s.UID = sender, "u" })
	const path, good = "/hooks/send", `{"webhook":"warm","query":"sum(foresight_predicted_demand{series=~\"good|ended\"})"}`

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
	require.Empty(t, event.Subject, "of two series")
	require.Equal(t, "/foresight/u", event.Source)
	require.InDelta(t, 264, event.Data.Value, 12)
	require.Greater(t, len(event.Data.Warnings), 1, "in an order that does not change")
	require.JSONEq(t, `{"id":"`+event.ID+`"}`, reply)

	for range 10 {
		_, again := tell(t, handler, "Editor", path, good, nil)
		require.Equal(t, reply, again, "the same number of the same minute is the same event")
	}

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

func TestAnnotate(t *testing.T) {
	book := &notebook{}
	handler := testHooks(t, func(s *Settings) { s.Annotations = book })
	const path, good = "/hooks/annotate", `{"query":"foresight_predicted_demand{series=\"good\"}"}`
	for _, want := range []string{`{"kept":1,"known":0}`, `{"kept":0,"known":1}`} {
		status, reply := tell(t, handler, "Editor", path, good, nil)
		require.Equal(t, http.StatusOK, status, reply)
		require.JSONEq(t, want, reply)
	}
	require.Len(t, book.notes, 1)
	require.Equal(t, noon, book.notes[0].Start)
	require.Equal(t, []string{"foresight", "predicted_demand", "series:good"}, book.notes[0].Tags)
	require.Regexp(t, `^predicted demand of good: 13\d.* \(n=\d+, model`, book.notes[0].Text)

	for content, want := range map[string]int{
		`{}`: 400, `x`: 400, `{"query":"foresight_predicted_demand{series=\"stale\"}"}`: 422, `{"query":"vector(1)"}`: 422,
	} {
		status, reply := tell(t, handler, "Admin", path, content, nil)
		require.Equal(t, want, status, content+reply)
	}
	status, _ := tell(t, handler, "Viewer", path, good, nil)
	require.Equal(t, http.StatusForbidden, status)
	status, _ = tell(t, testHooks(t), "Editor", path, good, nil)
	require.Equal(t, http.StatusNotImplemented, status)
	require.Len(t, book.notes, 1, "nothing of that was written")
}

// TestVerdictsAreWrittenDown: what was decided stands beside the deploy, with
// its reason; what was not decided leaves no mark.
func TestVerdictsAreWrittenDown(t *testing.T) {
	for name, reported := range map[string]string{"sound": "1", "failing": "-1", "not begun": ""} {
		book := &notebook{}
		handler := rollouts[name].canary.hooks(t, func(s *Settings) { s.Annotations = book })
		status, reply := tell(t, handler, "Editor", "/hooks/annotate",
			`{"query":"foresight_canary_verdict{service=\"orders\",baseline=\"1\",candidate=\"2\"}"}`, nil)
		if reported == "" {
			require.Equal(t, http.StatusUnprocessableEntity, status, reply)
			require.Empty(t, book.notes)
			continue
		}
		require.Equal(t, http.StatusOK, status, reply)
		require.Contains(t, book.notes[0].Text, "canary verdict of orders: "+reported+" (")
		require.Contains(t, book.notes[0].Text, rollouts[name].verdict+": version 2 against 1")
		require.Contains(t, book.notes[0].Text, rollouts[name].reason)
		require.Equal(t, []string{"foresight", "canary_verdict", "service:orders"}, book.notes[0].Tags)
	}
}

func TestNewDeploysAreAnnounced(t *testing.T) {
	const routingKey = "0123456789abcdef0123456789abcdef"
	got := make(chan []byte, 10)
	pagers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _, _ := respond.Body(w, r)
		got <- raw
		w.WriteHeader(http.StatusAccepted)
	}))
	defer pagers.Close()
	sender, err := webhook.New([]webhook.Target{{Name: "changes", Kind: webhook.PagerDutyChanges, URL: pagers.URL, Private: true}},
		webhook.Secrets{RoutingKey: routingKey}, time.Now)
	require.NoError(t, err)
	book := &notebook{}
	handler := testHooks(t, func(s *Settings) { s.Annotations, s.DeployTag, s.Sender, s.UID = book, "deploy", sender, "u" })
	for _, version := range []string{"1", "1", "2"} { // the second is a retry
		status, reply := tell(t, handler, "Editor", deployPath, `{"service":"cart","version":"`+version+`","time":"2026-03-02T11:30:00Z"}`, nil)
		require.Equal(t, http.StatusOK, status, reply)
	}
	reported := map[string]bool{}
	for range 2 {
		var change struct {
			RoutingKey string `json:"routing_key"`
			Payload    struct {
				Summary, Source, Timestamp string
				CustomDetails              map[string]string `json:"custom_details"`
			}
		}
		require.NoError(t, json.Unmarshal(<-got, &change))
		require.Equal(t, routingKey, change.RoutingKey)
		require.Equal(t, "/foresight/u", change.Payload.Source)
		require.Equal(t, "2026-03-02T11:30:00Z", change.Payload.Timestamp)
		require.Equal(t, "cart", change.Payload.CustomDetails["service"])
		reported[change.Payload.Summary] = true
	}
	require.Equal(t, map[string]bool{"cart 1": true, "cart 2": true}, reported)

	pagers.Close()
	status, reply := tell(t, handler, "Editor", deployPath, `{"service":"cart","version":"3"}`, nil)
	require.Equal(t, http.StatusOK, status, "a marker is kept though PagerDuty is gone: "+reply)
	require.Empty(t, got, "a retry announces nothing")
}
