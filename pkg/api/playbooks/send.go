package playbooks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/playbook"
)

// carryOut writes a recommendation down, and sends it where it is ready. It is
// written down before it is sent: whoever finds it there already, another
// replica or an earlier try, does not send it again.
func (a *API) carryOut(ctx context.Context, r playbook.Recommendation, now time.Time) error {
	audit(ctx, "A playbook recommends", r)
	switch r.State {
	case playbook.Proposed:
		if a.Annotations == nil {
			return nil
		}
		_, err := a.Annotations.Upsert(ctx, record(r, now, "Proposed"))
		if err != nil {
			backend.Logger.FromContext(ctx).Warn("A recommendation was not recorded", "id", r.ID, "error", err)
			return fmt.Errorf("it was not recorded: %w. %s", err, respond.SendAgain)
		}
		return nil
	case playbook.Ready:
		return a.dispatch(ctx, r, now)
	}
	return nil
}

func (a *API) dispatch(ctx context.Context, r playbook.Recommendation, now time.Time) error {
	if a.Sender == nil || a.Settings.Webhook == "" {
		return errors.New("no webhook is configured for playbooks (playbooks.webhook)")
	}
	written, err := a.Annotations.Upsert(ctx, record(r, now, "Sent to automation:"))
	if err != nil {
		audit(ctx, "A playbook was not sent", r, "error", err)
		return fmt.Errorf("it was not recorded, and so not sent: %w", err)
	}
	if !written {
		return errors.New("it was sent by another replica or request")
	}
	// What is written down as sent is sent, also when its asker has left.
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), webhook.SendTimeout)
	defer cancel()
	id, err := a.Sender.Send(sending, a.Settings.Webhook, webhook.Event{
		Source: a.Source, Type: fmt.Sprintf("foresight.playbook.%s.v1", r.Action), Subject: r.Target.Service, Time: now,
		Summary: fmt.Sprintf("%s: %s of %s", r.Pattern, r.Action, r.Target.Service), Data: r, Key: r.ID,
	})
	if err != nil {
		audit(ctx, "A playbook was not delivered", r, "webhook", a.Settings.Webhook, "event", id, "error", err)
		return err
	}
	audit(ctx, "A playbook was sent", r, "webhook", a.Settings.Webhook, "event", id)
	return nil
}

// settle writes down what came of a past action, once it is known.
func (a *API) settle(ctx context.Context, past playbook.Past, now time.Time) error {
	if past.Outcome == playbook.Pending || a.Annotations == nil {
		return nil
	}
	logger := backend.Logger.FromContext(ctx)
	text := fmt.Sprintf("%s of %s helped: its cause is no longer present.", past.Pattern, past.Service)
	if past.Outcome == playbook.Failed {
		text = fmt.Sprintf("%s of %s did not help: undo it, and investigate.", past.Pattern, past.Service)
	}
	logger.Info("A playbook has an outcome", "id", past.ID, "playbook", past.Pattern, "service", past.Service, "outcome", past.Outcome)
	tags := annotation.Outcome{ID: past.ID, Outcome: string(past.Outcome), Playbook: string(past.Pattern), Service: past.Service}.Tags()
	_, err := a.Annotations.Upsert(ctx, annotation.Annotation{ID: annotation.ID(tags[0], past.ID), Start: now, Text: text, Tags: tags})
	if err != nil {
		logger.Warn("The outcome of a playbook was not recorded", "id", past.ID, "error", err)
		return fmt.Errorf("its outcome was not recorded: %w. %s", err, respond.SendAgain)
	}
	return nil
}
