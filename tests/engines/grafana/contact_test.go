// Package grafana sends notifications with Grafana's own notifiers, as the
// shipped contact points configure them.
package grafana

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	alertinghttp "github.com/grafana/alerting/http"
	"github.com/grafana/alerting/images"
	"github.com/grafana/alerting/receivers"
	"github.com/grafana/alerting/receivers/pagerduty"
	"github.com/grafana/alerting/receivers/webhook"
	"github.com/grafana/alerting/templates"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

// settings are those of the shipped receiver of a type, variables replaced.
func settings(t *testing.T, kind string, pairs ...string) json.RawMessage {
	t.Helper()
	raw, err := os.ReadFile("../../../provisioning/engines/contact-points.yaml")
	require.NoError(t, err)
	var file struct {
		APIVersion    int `yaml:"apiVersion"`
		ContactPoints []struct {
			Name      string
			Receivers []struct {
				UID, Type string
				Settings  map[string]any
			}
		} `yaml:"contactPoints"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(strings.NewReplacer(pairs...).Replace(string(raw))), &file))
	require.Equal(t, 1, file.APIVersion)
	for _, point := range file.ContactPoints {
		for _, receiver := range point.Receivers {
			if receiver.Type == kind {
				found, err := json.Marshal(receiver.Settings)
				require.NoError(t, err)
				return found
			}
		}
	}
	t.Fatalf("no receiver of type %s", kind)
	return nil
}

func plain(_, value string) string { return value }

func notifying() context.Context {
	ctx := notify.WithGroupKey(context.Background(), "alertname")
	return notify.WithGroupLabels(ctx, model.LabelSet{"alertname": "Slow"})
}

func alertOf(ends time.Time) *types.Alert {
	return &types.Alert{Alert: model.Alert{
		Labels:      model.LabelSet{"alertname": "Slow", "service_name": "cart", "severity": "critical"},
		Annotations: model.LabelSet{"summary": "cart is unusually slow"},
		StartsAt:    time.Now().Add(-10 * time.Minute).Truncate(time.Second), EndsAt: ends,
	}}
}

func TestWebhook(t *testing.T) {
	grafana := stage.Start(t)
	send := func(token, secret string, alert *types.Alert) error {
		config, err := webhook.NewConfig(settings(t, "webhook", "http://localhost:3000", grafana.Grafana, "uid/foresight/", "uid/good/",
			"$FORESIGHT_GRAFANA_TOKEN", token, "$FORESIGHT_WEBHOOK_SECRET", secret), plain)
		require.NoError(t, err)
		client, err := alertinghttp.NewClient(nil)
		require.NoError(t, err)
		_, err = webhook.New(config, receivers.Metadata{}, templates.ForTests(t), client, &images.UnavailableProvider{}, log.NewNopLogger(), 1).Notify(notifying(), alert)
		return err
	}
	kept := func() (found []struct {
		Time, TimeEnd int64
		Text          string
		Tags          []string
	}) {
		request, err := http.NewRequest(http.MethodGet, grafana.Grafana+"/api/annotations?tags=alert", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+stage.Editor)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		require.NoError(t, json.NewDecoder(response.Body).Decode(&found))
		return found
	}
	firing := alertOf(time.Now().Add(time.Hour))
	require.Error(t, send(stage.Viewer, stage.WebhookSecret, firing), "a viewer must not write")
	require.Error(t, send("wrong", stage.WebhookSecret, firing))
	require.Error(t, send(stage.Editor, "another secret", firing))
	require.Empty(t, kept())

	require.NoError(t, send(stage.Editor, stage.WebhookSecret, firing))
	require.NoError(t, send(stage.Editor, stage.WebhookSecret, firing), "Grafana repeats itself")
	require.Len(t, kept(), 1)
	require.Equal(t, "cart is unusually slow", kept()[0].Text)
	require.Subset(t, kept()[0].Tags, []string{"alertname:Slow", "service:cart", "severity:critical"})

	resolved := *firing
	resolved.EndsAt = time.Now().Add(-time.Minute).Truncate(time.Second)
	require.NoError(t, send(stage.Editor, stage.WebhookSecret, &resolved))
	require.Len(t, kept(), 1)
	require.Equal(t, resolved.EndsAt.UnixMilli(), kept()[0].TimeEnd)
}

func TestPagerDuty(t *testing.T) {
	var event struct {
		RoutingKey  string `json:"routing_key"`
		EventAction string `json:"event_action"`
		Client      string
		Payload     struct{ Summary, Severity, Component, Class string }
	}
	pagers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		if json.Unmarshal(raw, &event) == nil {
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	defer pagers.Close()
	var fields map[string]any
	require.NoError(t, json.Unmarshal(settings(t, "pagerduty", "$PAGERDUTY_INTEGRATION_KEY", "k"), &fields))
	fields["url"] = pagers.URL
	raw, err := json.Marshal(fields)
	require.NoError(t, err)
	config, err := pagerduty.NewConfig(raw, plain)
	require.NoError(t, err)
	client, err := alertinghttp.NewClient(nil)
	require.NoError(t, err)
	_, err = pagerduty.New(config, receivers.Metadata{}, templates.ForTests(t), client, &images.UnavailableProvider{}, log.NewNopLogger()).
		Notify(notifying(), alertOf(time.Now().Add(time.Hour)))
	require.NoError(t, err)
	require.Equal(t, "k", event.RoutingKey)
	require.Equal(t, "trigger", event.EventAction)
	require.Equal(t, "critical", event.Payload.Severity)
	require.Equal(t, "cart", event.Payload.Component)
	require.Equal(t, "cart is unusually slow", event.Payload.Summary)
	require.Equal(t, "Foresight", event.Client)
}
