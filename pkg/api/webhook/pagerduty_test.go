package webhook

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const routingKey = "0123456789abcdef0123456789abcdef"

func TestPagerDutyTakesChangeEvents(t *testing.T) {
	there := &receiver{statuses: []int{500, 429, 202}}
	server := httptest.NewServer(there)
	defer server.Close()
	s, err := New([]Target{{Name: "changes", Kind: PagerDutyChanges, URL: server.URL, Private: true}}, Secrets{RoutingKey: routingKey}, time.Now)
	require.NoError(t, err)
	s.wait = func(time.Duration) time.Duration { return 0 }
	require.Equal(t, []string{"changes"}, s.Named(PagerDutyChanges))
	require.Empty(t, s.Named(CloudEvents))

	deploy := event
	deploy.Summary = strings.Repeat("é", 2000)
	_, err = s.Send(context.Background(), "changes", deploy)
	require.NoError(t, err)
	require.Len(t, there.bodies, 3, "it is tried again as webhooks are")
	require.Equal(t, "application/json", there.headers[2].Get("Content-Type"))
	require.Empty(t, there.headers[2].Get("webhook-signature"))
	var got struct {
		RoutingKey string `json:"routing_key"`
		Payload    struct {
			Summary, Source, Timestamp string
			CustomDetails              map[string]any `json:"custom_details"`
		}
	}
	require.NoError(t, json.Unmarshal(there.bodies[2], &got))
	require.Equal(t, routingKey, got.RoutingKey)
	require.Len(t, []rune(got.Payload.Summary), longestSummary)
	require.Equal(t, "foresight", got.Payload.Source)
	require.Equal(t, "2026-03-02T12:00:00Z", got.Payload.Timestamp)
	require.Equal(t, map[string]any{"value": 412.5}, got.Payload.CustomDetails)

	there.statuses = []int{400}
	_, err = s.Send(context.Background(), "changes", event)
	require.Error(t, err)
	require.NotContains(t, err.Error(), routingKey)
}

func TestSettingsOfPagerDuty(t *testing.T) {
	target := Target{Name: "changes", Kind: PagerDutyChanges}
	s, err := New([]Target{target}, Secrets{RoutingKey: routingKey}, time.Now)
	require.NoError(t, err, "neither an address nor a signing secret is needed")
	require.Equal(t, pagerDutyChangesURL, s.targets["changes"].URL)
	for _, key := range []string{"", "$PAGERDUTY_ROUTING_KEY", routingKey + "0"} {
		_, err := New([]Target{target}, Secrets{Signing: secret, RoutingKey: key}, time.Now)
		require.ErrorContains(t, err, "pagerDutyRoutingKey")
	}
	_, err = New([]Target{target, target}, Secrets{RoutingKey: routingKey}, time.Now)
	require.ErrorContains(t, err, "two targets")
	_, err = New([]Target{target, {Name: "warm", URL: "https://example.com"}}, Secrets{RoutingKey: routingKey}, time.Now)
	require.ErrorContains(t, err, "signingSecret", "the others are signed all the same")
}
