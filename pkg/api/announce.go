package api

import (
	"context"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/pkg/api/webhook"
)

const (
	// mostAnnouncing bounds the announcements that are under way.
	mostAnnouncing = 8
	// announceWithin is enough for all attempts.
	announceWithin = 30 * time.Second
)

// announce tells PagerDuty of a deploy, so that it stands beside the incidents
// of the service. Pipelines do not wait for it, and its failure is no failure
// of the marker, which is kept by then.
func (h *Hooks) announce(ctx context.Context, d deployed) {
	if h.settings.Sender == nil {
		return
	}
	event := webhook.Event{
		Source: h.source(), Type: "foresight.deploy.v1", Subject: d.Service, Time: d.Time, Summary: d.summary(),
		Data: map[string]string{"service": d.Service, "version": d.Version, "environment": d.Environment},
	}
	logger := backend.Logger.FromContext(ctx)
	for _, name := range h.settings.Sender.Named(webhook.PagerDutyChanges) {
		select {
		case h.announcing <- struct{}{}:
		default:
			logger.Warn("A deploy was not announced: too many are under way", "webhook", name, "service", d.Service, "version", d.Version)
			continue
		}
		go func() {
			defer func() { <-h.announcing }()
			ctx, cancel := context.WithTimeout(h.lifetime, announceWithin)
			defer cancel()
			if _, err := h.settings.Sender.Send(ctx, name, event); err != nil {
				logger.Warn("A deploy was not announced", "webhook", name, "service", d.Service, "version", d.Version, "error", err)
			}
		}()
	}
}
