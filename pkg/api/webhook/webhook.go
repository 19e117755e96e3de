// Package webhook sends events to the few targets that a data source is
// configured with: CloudEvents 1.0 in their structured form, signed after
// Standard Webhooks, so that a receiver knows from whom an event is, and, by its
// id, whether it has seen it; and change events to PagerDuty.
package webhook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/foresight-observability/foresight/pkg/telemetry"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

const (
	// maxAttempts are made, with pauses of firstPause and double each time between
	// them.
	maxAttempts = 3
	firstPause  = time.Second
	// maxPause is the longest that a receiver may ask for: somebody waits for the
	// outcome.
	maxPause = 10 * time.Second
	// timeout is for one attempt.
	timeout = 5 * time.Second
	// readAtMost is how much of a receiver's answer is of interest.
	readAtMost = 4 << 10
)

// Kind is the form in which a target takes events.
type Kind string

// The kinds of targets.
const (
	CloudEvents      Kind = "cloudEvents"
	PagerDutyChanges Kind = "pagerDutyChanges"

	// The kinds below take notifications of alerts, and no events.

	Slack      Kind = "slack"
	Teams      Kind = "teams" // Microsoft Teams
	PagerDuty  Kind = "pagerDuty"
	Discord    Kind = "discord"
	GrafanaIRM Kind = "grafanaIrm"
	// Notification is the notification as it came, with what was found, signed.
	Notification Kind = "notification"
)

// Kinds are all kinds, the default first.
func Kinds() []Kind {
	return []Kind{CloudEvents, PagerDutyChanges, Slack, Teams, PagerDuty, Discord, GrafanaIRM, Notification}
}

// Notifies tells whether targets of the kind take notifications.
func (k Kind) Notifies() bool {
	return k != "" && k != CloudEvents && k != PagerDutyChanges
}

// signed tells whether what targets of the kind get is signed.
func (k Kind) signed() bool { return k == "" || k == CloudEvents || k == Notification }

func (k Kind) ofPagerDuty() bool { return k == PagerDutyChanges || k == PagerDuty }

// Target is where events may be sent.
type Target struct {
	Name string
	Kind Kind   // CloudEvents where it is empty
	URL  string // may be empty for PagerDuty, whose address is known
	// Private allows an address inside the own network or machine.
	Private bool
}

// Secrets are what targets know a sender by.
type Secrets struct {
	Signing    string // base64, as "whsec_…": for CloudEvents
	RoutingKey string // of an integration of PagerDuty
}

// Event is what is told to targets.
type Event struct {
	Source  string // who says it
	Type    string // what, as foresight.predicted_demand.v1
	Subject string // of whom
	Time    time.Time
	Summary string // in a sentence, for people
	Data    any
	// Key names the event where its data may differ from look to look; empty where
	// it is all that it says.
	Key string
}

// Sender sends events to its targets and nowhere else.
type Sender struct {
	targets    map[string]Target
	signer     *standardwebhooks.Webhook
	routingKey string
	clients    map[bool]*http.Client // by whether private addresses are allowed
	now        func() time.Time
	wait       func(time.Duration) time.Duration // how long a pause really takes
	timeout    time.Duration                     // of one attempt
}

// New makes a sender; nil without targets. The error says which setting is
// wrong, and never repeats a secret.
func New(targets []Target, secrets Secrets, now func() time.Time) (*Sender, error) {
	if len(targets) == 0 {
		return nil, nil
	}
	s := &Sender{targets: map[string]Target{}, routingKey: secrets.RoutingKey, now: now, timeout: timeout, wait: func(pause time.Duration) time.Duration { return pause },
		clients: map[bool]*http.Client{true: client(true), false: client(false)}}
	for _, target := range targets {
		if err := s.admit(target, secrets.Signing); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// admit checks a target and adds it.
func (s *Sender) admit(target Target, signing string) (err error) {
	if target.Kind.ofPagerDuty() {
		if len(s.routingKey) != routingKeyLength {
			return fmt.Errorf("secureJsonData.pagerDutyRoutingKey must be an integration key of PagerDuty, %d characters: the webhook %.60q needs it", routingKeyLength, target.Name)
		}
		address := pagerDutyChangesURL
		if target.Kind == PagerDuty {
			address = pagerDutyURL
		}
		target.URL = cmp.Or(target.URL, address)
	}
	if target.Kind.signed() {
		if s.signer, err = standardwebhooks.NewWebhook(signing); err != nil || len(signing) < 24 {
			return errors.New(`secureJsonData.signingSecret must be "whsec_" and at least 18 bytes in base64: webhooks are always signed`)
		}
	}
	address, err := url.Parse(target.URL)
	switch {
	case target.Name == "":
		return errors.New("webhooks: a target has no name")
	case s.targets[target.Name].Name != "":
		return fmt.Errorf("webhooks: there are two targets %.60q", target.Name)
	case err != nil || address.Scheme != "https" && address.Scheme != "http" || address.Hostname() == "":
		return fmt.Errorf("webhooks: the url of %.60q must be that of a server, with http:// or https://", target.Name)
	case address.Scheme == "http" && !target.Private:
		return fmt.Errorf("webhooks: the url of %.60q must be https://; http:// is for targets with private: true", target.Name)
	case address.User != nil:
		return fmt.Errorf("webhooks: the url of %.60q holds a user or password; the signature is what a receiver checks", target.Name)
	}
	s.targets[target.Name] = target
	return nil
}

// Named are the names of the targets of a kind.
func (s *Sender) Named(kind Kind) (names []string) {
	for name, target := range s.targets {
		if target.Kind == kind {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// UnknownTargetError says that there is no target of that name.
type UnknownTargetError struct{ Name string }

func (e *UnknownTargetError) Error() string {
	return fmt.Sprintf("there is no webhook %.60q in the data source's settings (webhooks)", e.Name)
}

// Send delivers an event to a target and returns the event's id, which is the
// same for the same event. It tries again where a receiver may recover: after
// network errors, 429 and 5xx, and not before the receiver's Retry-After, if that
// is no longer than maxPause.
func (s *Sender) Send(ctx context.Context, name string, event Event) (id string, err error) {
	target, ok := s.targets[name]
	if !ok {
		return "", &UnknownTargetError{name}
	}
	if target.Kind.Notifies() {
		return "", fmt.Errorf("the webhook %.60q is of the kind %s, which takes notifications of alerts and no events", name, target.Kind)
	}
	defer func() { telemetry.Delivered(err) }()
	id, err = event.ID()
	if err != nil {
		return "", err
	}
	encode := event.cloudEvent
	if target.Kind == PagerDutyChanges {
		encode = func(string) ([]byte, error) { return event.change(s.routingKey) }
	}
	body, err := encode(id)
	if err != nil {
		return "", err
	}
	return id, s.deliver(ctx, target, id, Body{Content: body})
}

// Body is what is sent.
type Body struct {
	Content []byte
	// Type is its media type; empty for JSON.
	Type string
}

// Notify delivers a notification, which is written already as the kind of the
// target wants it, as Send delivers events. The id is the same when the same is
// sent again.
func (s *Sender) Notify(ctx context.Context, name, id string, body Body) (err error) {
	target, ok := s.targets[name]
	if !ok {
		return &UnknownTargetError{name}
	}
	defer func() { telemetry.Delivered(err) }()
	return s.deliver(ctx, target, id, body)
}

// Targets are those that take notifications, sorted by name.
func (s *Sender) Targets() (found []Target) {
	if s == nil {
		return nil
	}
	for _, target := range s.targets {
		if target.Kind.Notifies() {
			found = append(found, target)
		}
	}
	slices.SortFunc(found, func(a, b Target) int { return cmp.Compare(a.Name, b.Name) })
	return found
}

// RoutingKey is that of PagerDuty.
func (s *Sender) RoutingKey() string { return s.routingKey }

// deliver tries until an event is delivered, or another attempt does not help.
func (s *Sender) deliver(ctx context.Context, target Target, id string, body Body) error {
	attempts := 0
	var failure error
	pauses := &pauses{ExponentialBackOff: &backoff.ExponentialBackOff{InitialInterval: firstPause, Multiplier: 2, MaxInterval: maxPause}, wait: s.wait}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		attempts++
		again, named, err := s.attempt(ctx, target, id, body)
		failure, pauses.named = err, named
		if err != nil && (!again || named > maxPause) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(maxAttempts))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("the webhook %q was not delivered in time: %w", target.Name, ctx.Err())
	}
	return fmt.Errorf("the webhook %q was not delivered after %d of %d attempts: %w", target.Name, attempts, maxAttempts, failure)
}

// pauses double, and are no shorter than the receiver wants.
type pauses struct {
	*backoff.ExponentialBackOff
	named time.Duration
	wait  func(time.Duration) time.Duration
}

// NextBackOff implements backoff.BackOff.
func (p *pauses) NextBackOff() time.Duration {
	return p.wait(max(p.ExponentialBackOff.NextBackOff(), p.named))
}

// ID is made of all that the event says, or of its key.
func (e Event) ID() (string, error) {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return "", fmt.Errorf("the event cannot be written as JSON: %w", err)
	}
	parts := []string{e.Source, e.Type, e.Subject, strconv.FormatInt(e.Time.Unix(), 10), string(data)}
	if e.Key != "" {
		parts = []string{e.Source, e.Type, e.Subject, e.Key}
	}
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return "evt_" + hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

func (e Event) cloudEvent(id string) ([]byte, error) {
	return json.Marshal(map[string]any{
		"specversion": "1.0", "id": id, "source": e.Source, "type": e.Type, "subject": e.Subject,
		"time": e.Time.UTC().Format(time.RFC3339), "datacontenttype": "application/json", "data": e.Data,
	})
}

// attempt sends once, and tells whether another attempt may help, and how long
// the receiver wants to be left alone before it.
func (s *Sender) attempt(ctx context.Context, target Target, id string, body Body) (again bool, named time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.URL, bytes.NewReader(body.Content))
	if err != nil {
		return false, 0, errors.New("its url cannot be used")
	}
	request.Header.Set("User-Agent", "Foresight")
	request.Header.Set("Content-Type", cmp.Or(body.Type, "application/json")) // others know a sender by the body, or by the URL
	if target.Kind.signed() {
		now := s.now()
		signature, err := s.signer.Sign(id, now, body.Content)
		if err != nil {
			return false, 0, errors.New("it cannot be signed")
		}
		if target.Kind != Notification {
			request.Header.Set("Content-Type", "application/cloudevents+json")
		}
		request.Header.Set(standardwebhooks.HeaderWebhookID, id)
		request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
		request.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	}
	response, err := s.clients[target.Private].Do(request)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return true, 0, fmt.Errorf("the receiver did not answer within %s", s.timeout)
		}
		return !errors.Is(err, errPrivate), 0, reasonOf(err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, readAtMost)
	if response.StatusCode/100 == 2 {
		return false, 0, nil
	}
	err = fmt.Errorf("the receiver answered %s", response.Status)
	if named, _ = transport.RetryAfter(response.Header); named > maxPause {
		err = fmt.Errorf("%w and asks for a retry after %s", err, named)
	}
	return response.StatusCode == http.StatusTooManyRequests || response.StatusCode/100 == 5, named, err
}

// reasonOf is an error without the URL, whose path or query may be a secret.
func reasonOf(err error) error {
	var inside *url.Error
	if errors.As(err, &inside) {
		return inside.Err
	}
	return err
}
