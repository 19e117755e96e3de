package enrich

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/incident"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// knowing is an engine that knows the cause, knows nothing, or hangs.
type knowing struct{ hangs, ignorant bool }

func (k knowing) wait(ctx context.Context) error {
	switch {
	case k.hangs:
		select {} // a store that does not even look at its context
	case k.ignorant:
		return errors.New("nothing is known")
	}
	return ctx.Err()
}

func (k knowing) FleetIncidents(ctx context.Context, _ query.Incidents, _ engine.Window) (engine.IncidentsAnswer, error) {
	return engine.IncidentsAnswer{At: noon.Add(-time.Hour), Step: time.Minute, Incidents: []incident.Incident{{
		ID: "payment", State: incident.Active, Start: 40, Deepest: "payment", Members: []incident.Member{{Service: "payment"}, {Service: "cart"}},
	}}}, k.wait(ctx)
}

func (k knowing) RootCause(ctx context.Context, q query.RootCause, _ engine.Window) (engine.RootCauseAnswer, error) {
	return engine.RootCauseAnswer{Service: q.Service, Result: cause.Result{Verdict: diff.Regressed, Suspects: []cause.Suspect{
		{Service: "payment", Confidence: 0.8, Reasons: []string{"SELECT is slower by 200 ms"}}}}}, k.wait(ctx)
}

func (k knowing) Changes(ctx context.Context, _ query.LedgerChanges, window engine.Window) (engine.LedgerAnswer, error) {
	return engine.LedgerAnswer{Changes: []engine.LedgerChange{{At: window.To.Add(-20 * time.Minute), Kind: "deploy", Service: "payment", Text: "payment 2.0 arrived"}}}, k.wait(ctx)
}

func (k knowing) Signal(ctx context.Context, service, kind string, _ engine.Window) (engine.Signal, error) {
	return engine.Signal{Kind: kind, Expr: service}, k.wait(ctx)
}

func (k knowing) Anomaly(ctx context.Context, _ query.Anomaly, _ engine.Window) (engine.AnomalyAnswer, error) {
	return engine.AnomalyAnswer{}, k.wait(ctx)
}

// book is Grafana's annotations, as all replicas see them.
type book struct {
	mu    sync.Mutex
	notes []annotation.Annotation
	fails error
}

func (b *book) Upsert(_ context.Context, note annotation.Annotation) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fails != nil {
		return false, b.fails
	}
	i := slices.IndexFunc(b.notes, func(one annotation.Annotation) bool {
		return one.ID == note.ID || slices.Contains(note.Earlier, one.ID)
	})
	if i < 0 {
		b.notes = append(b.notes, note)
		return true, nil
	}
	changed := !note.End.IsZero() && !note.End.Equal(b.notes[i].End)
	if changed {
		b.notes[i].End = note.End
	}
	return changed, nil
}

func (b *book) Read(_ context.Context, start, end time.Time) (found []annotation.Annotation, _ []string, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.notes {
		if !one.Start.Before(start) && !one.Start.After(end) {
			found = append(found, one)
		}
	}
	return found, nil, b.fails
}

// receiver takes messages, or refuses them.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	status int
}

func receive(t *testing.T) *receiver {
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		raw, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.status == http.StatusOK {
			r.bodies = append(r.bodies, string(raw))
		}
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.bodies)
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func replica(t *testing.T, e Engine, now func() time.Time, kept *book, targets ...webhook.Target) *API {
	t.Helper()
	sender, err := webhook.New(targets, webhook.Secrets{Signing: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", RoutingKey: routingKey}, time.Now)
	require.NoError(t, err)
	config := Config{Engine: e, Sender: sender, Deadline: 300 * time.Millisecond, Now: now}
	if kept != nil {
		config.Annotations, config.Notified = kept, kept
	}
	return New(config)
}

func send(a *API, body []byte, to string) (int, string) {
	recorder := httptest.NewRecorder()
	a.Notify(recorder, httptest.NewRequest(http.MethodPost, "/hooks/enrich"+to, strings.NewReader(string(body))))
	return recorder.Code, recorder.Body.String()
}

func atNoon() time.Time { return noon }

func TestTheCauseReachesEveryReceiver(t *testing.T) {
	var all []webhook.Target
	receivers := map[webhook.Kind]*receiver{}
	for _, kind := range webhook.Kinds() {
		receivers[kind] = receive(t)
		all = append(all, webhook.Target{Name: string(kind), Kind: kind, URL: receivers[kind].URL, Private: true})
	}
	kept := &book{}
	a := replica(t, knowing{}, atNoon, kept, all...)
	status, reply := send(a, fixture(t, "grafana"), "")
	require.Equal(t, http.StatusOK, status, reply)
	require.Contains(t, reply, `"enriched":true`)
	for kind, r := range receivers {
		if !kind.Notifies() {
			require.Empty(t, r.got(), "%s takes events, not notifications", kind)
			continue
		}
		require.Len(t, r.got(), 1, kind)
		require.Contains(t, r.got()[0], "payment 2.0 arrived", kind)
		require.Contains(t, r.got()[0], "SELECT is slower by 200 ms", kind)
	}
	require.Len(t, kept.notes, 6)
	status, reply = send(a, fixture(t, "grafana"), "")
	require.Equal(t, http.StatusOK, status, reply)
	for kind, r := range receivers {
		require.LessOrEqual(t, len(r.got()), 1, "%s got it once, though the sender tried again", kind)
	}
	status, _ = send(a, fixture(t, "alertmanager"), "?to=slack&to=slack")
	require.Equal(t, http.StatusOK, status)
	require.Len(t, receivers[webhook.Slack].got(), 2)
	require.Len(t, receivers[webhook.Teams].got(), 1)
	status, reply = send(a, fixture(t, "grafana"), "?to=cloudEvents")
	require.Equal(t, http.StatusBadRequest, status, reply)
	require.Error(t, func() error {
		_, err := a.Sender.Send(t.Context(), "slack", webhook.Event{})
		return err
	}(), "no events to a receiver of notifications")
}

// TestNothingIsHeldUp: an engine that hangs, or knows nothing, costs the deadline
// at most, and the notification goes on as it came.
func TestNothingIsHeldUp(t *testing.T) {
	for name, e := range map[string]knowing{"hangs": {hangs: true}, "ignorant": {ignorant: true}} {
		plain := receive(t)
		a := replica(t, e, atNoon, &book{}, webhook.Target{Name: "any", Kind: webhook.Notification, URL: plain.URL, Private: true})
		begun := time.Now()
		status, reply := send(a, fixture(t, "grafana"), "")
		require.Equal(t, http.StatusOK, status, name+reply)
		require.Less(t, time.Since(begun), 3*time.Second)
		require.Equal(t, []string{string(fixture(t, "grafana"))}, plain.got(), name)
		require.Contains(t, reply, `"enriched":false`)
	}
	// What is over goes on at once: no cause is looked up.
	slack := receive(t)
	a := replica(t, knowing{hangs: true}, atNoon, nil, webhook.Target{Name: "any", Kind: webhook.Slack, URL: slack.URL, Private: true})
	a.Deadline = time.Hour
	over := strings.ReplaceAll(string(fixture(t, "grafana")), `"status":"firing"`, `"status":"resolved"`)
	status, reply := send(a, []byte(over), "")
	require.Equal(t, http.StatusOK, status, reply)
	require.Contains(t, slack.got()[0], "[RESOLVED:1]")
}

// TestReplicasSendOnce: any replica may get a retry.
func TestReplicasSendOnce(t *testing.T) {
	now := noon
	clock := func() time.Time { return now }
	slack, teams, kept := receive(t), receive(t), &book{}
	targets := []webhook.Target{{Name: "slack", Kind: webhook.Slack, URL: slack.URL, Private: true}, {Name: "teams", Kind: webhook.Teams, URL: teams.URL, Private: true}}
	first, second := replica(t, knowing{}, clock, kept, targets...), replica(t, knowing{}, clock, kept, targets...)
	teams.answer(http.StatusForbidden)
	status, reply := send(first, fixture(t, "grafana"), "")
	require.Equal(t, http.StatusServiceUnavailable, status, "the sender tries again: "+reply)
	require.Contains(t, reply, "403")
	require.NotContains(t, reply, teams.URL, "its address is a secret")

	teams.answer(http.StatusOK)
	now = now.Add(10 * time.Second)
	status, reply = send(second, fixture(t, "grafana"), "")
	require.Equal(t, http.StatusServiceUnavailable, status, "the other may still be sending: "+reply)
	require.Empty(t, teams.got())
	status, reply = send(first, fixture(t, "grafana"), "")
	require.Equal(t, http.StatusOK, status, "it knows that it failed: "+reply)
	require.Len(t, teams.got(), 1)

	now = now.Add(lease)
	status, reply = send(second, fixture(t, "grafana"), "")
	require.Equal(t, http.StatusOK, status, reply)
	require.Len(t, slack.got(), 1)
	require.Len(t, teams.got(), 1)

	// A replica that died while it sent: another one sends after the lease.
	kept.notes = []annotation.Annotation{noteOf("slack", messageOf(mustRead(t, "alertmanager")).id, "x", now)}
	now = now.Add(lease)
	status, reply = send(second, fixture(t, "alertmanager"), "?to=slack")
	require.Equal(t, http.StatusOK, status, reply)
	require.Len(t, slack.got(), 2)

	now = now.Add(4 * time.Hour)
	status, reply = send(second, fixture(t, "grafana"), "")
	require.Equal(t, http.StatusOK, status, reply)
	require.Len(t, slack.got(), 3, "a reminder after hours is none of the retries")

	// Annotations that cannot be written lose no page.
	kept.fails = errors.New("Grafana is closed")
	now = now.Add(time.Hour)
	for range 2 {
		status, reply = send(first, fixture(t, "grafana"), "?to=slack")
		require.Equal(t, http.StatusOK, status, reply)
	}
	require.Len(t, slack.got(), 4, "and this replica remembers")
}

func mustRead(t *testing.T, name string) notification {
	n, err := read(fixture(t, name))
	require.NoError(t, err)
	return n
}

// TestRequestsAtOnceSendOnce: the same notification, many times at the same moment.
func TestRequestsAtOnceSendOnce(t *testing.T) {
	slack, kept := receive(t), &book{}
	target := webhook.Target{Name: "slack", Kind: webhook.Slack, URL: slack.URL, Private: true}
	replicas := []*API{replica(t, knowing{}, atNoon, kept, target), replica(t, knowing{}, atNoon, kept, target)}
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() { send(replicas[i%2], fixture(t, "grafana"), "") })
	}
	group.Wait()
	require.Len(t, slack.got(), 1)
}

// TestATargetThatIsBusy: a bounded number of attempts, then an error for the sender.
func TestATargetThatIsBusy(t *testing.T) {
	slack := receive(t)
	slack.answer(http.StatusTooManyRequests)
	a := replica(t, knowing{}, atNoon, nil, webhook.Target{Name: "slack", Kind: webhook.Slack, URL: slack.URL, Private: true})
	begun := time.Now()
	status, reply := send(a, fixture(t, "grafana"), "")
	require.Equal(t, http.StatusServiceUnavailable, status, reply)
	require.Contains(t, reply, "after 3 of 3 attempts")
	require.Less(t, time.Since(begun), sendTime)
	slack.answer(http.StatusOK)
	status, _ = send(a, fixture(t, "grafana"), "")
	require.Equal(t, http.StatusOK, status)
	require.Len(t, slack.got(), 1)
}

func TestManyAlertsArePassedOn(t *testing.T) {
	slack := receive(t)
	a := replica(t, knowing{}, atNoon, nil, webhook.Target{Name: "slack", Kind: webhook.Slack, URL: slack.URL, Private: true})
	status, reply := send(a, manyAlerts(500), "")
	require.Equal(t, http.StatusOK, status, reply)
	require.Contains(t, slack.got()[0], "490 more alerts")
	status, reply = send(a, []byte(strings.Repeat("x", maxBody+1)), "")
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	require.Contains(t, reply, "max_alerts")
	a.WebhookSecret = "secret"
	status, _ = send(a, manyAlerts(1), "")
	require.Equal(t, http.StatusForbidden, status, "it is not signed")
	status, _ = send(replica(t, knowing{}, atNoon, nil), manyAlerts(1), "")
	require.Equal(t, http.StatusNotImplemented, status)
}

func TestMemoryForDeliveriesIsBounded(t *testing.T) {
	l := &ledger{now: atNoon, known: map[string]delivery{}}
	for i := range maxKnown + 100 {
		l.begin(t.Context(), "x", strings.Repeat("y", i%7)+time.Duration(i).String(), "")
	}
	require.LessOrEqual(t, len(l.known), maxKnown)
}
