package webhook

import (
	"context"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/pkg/internal/parallel"
)

const (
	// maxAnnouncements bounds the announcements that are under way.
	maxAnnouncements = 8
	// SendTimeout is enough for all attempts to deliver one event.
	SendTimeout = 30 * time.Second
)

// Announcer sends change events to PagerDuty in the background, so that they
// stand beside the incidents of a service. Pipelines do not wait for it, and its
// failure is no failure of the request, whose annotation is saved by then.
type Announcer struct {
	sender   *Sender       // nil where no webhooks are configured
	slots    chan struct{} // one for each announcement under way
	lifetime context.Context
	cancel   context.CancelFunc
}

// NewAnnouncer makes an announcer; sender may be nil.
func NewAnnouncer(sender *Sender) *Announcer {
	lifetime, cancel := context.WithCancel(context.Background())
	return &Announcer{sender: sender, slots: make(chan struct{}, maxAnnouncements), lifetime: lifetime, cancel: cancel}
}

// Close ends the announcements under way.
func (a *Announcer) Close() { a.cancel() }

// Announce sends an event to every PagerDuty target.
func (a *Announcer) Announce(ctx context.Context, event Event) {
	if a.sender == nil {
		return
	}
	logger := backend.Logger.FromContext(ctx)
	for _, name := range a.sender.Named(PagerDutyChanges) {
		select {
		case a.slots <- struct{}{}:
		default:
			logger.Warn("A deploy was not announced: too many announcements are under way", "webhook", name, "subject", event.Subject, "summary", event.Summary)
			continue
		}
		parallel.Go(func() {
			defer func() { <-a.slots }()
			ctx, cancel := context.WithTimeout(a.lifetime, SendTimeout)
			defer cancel()
			if _, err := a.sender.Send(ctx, name, event); err != nil {
				logger.Warn("A deploy was not announced", "webhook", name, "subject", event.Subject, "summary", event.Summary, "error", err)
			}
		})
	}
}
