package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/playbooks"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// slowVersion is a trace store with orders 1, and orders 2 with a slow query
// since ten minutes before noon. cured says that 2 is gone again.
type slowVersion struct {
	upstream.Traces
	cured bool
}

var slowSince = noon.Add(-10 * time.Minute)

func (slowVersion) Search(_ context.Context, filter upstream.TraceFilter) (upstream.TraceSet, error) {
	shop := tracetest.Shop{Seed: 1, Traces: 300, Version: filter.Version, Start: filter.Start.Add(time.Second)}
	if filter.Version == "2" {
		shop.Seed, shop.SlowQuery = 2, 8
	}
	return upstream.TraceSet{Traces: shop.Generate()}, nil
}

func (s slowVersion) SpanCounts(_ context.Context, _ string, window upstream.Range) (upstream.SeriesSet, error) {
	count := func(version string, serves func(time.Time) bool) series.Series {
		one := series.Series{Labels: series.Labels{"service_name": "orders", "service_version": version}, Start: window.Start, Step: window.Step}
		for i := range window.Points() {
			value := 0.0
			if serves(window.Start.Add(time.Duration(i) * window.Step)) {
				value = 50
			}
			one.Values = append(one.Values, value)
		}
		return one
	}
	newer := func(at time.Time) bool {
		return !at.Before(slowSince) && (!s.cured || !at.After(noon.Add(-4*time.Minute)))
	}
	return upstream.SeriesSet{Series: []series.Series{
		count("1", func(at time.Time) bool { return !newer(at) }), count("2", newer),
	}}, nil
}

// tenServices are at rest.
type tenServices struct{ upstream.Metrics }

func (tenServices) LabelValues(context.Context, string, []string, time.Time, time.Time) ([]string, []string, error) {
	return nil, nil, nil
}

func (tenServices) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	if promQL != "sum by (service_name) (rate(http_server_request_duration_seconds_count[300s]))" {
		return upstream.SeriesSet{}, nil
	}
	var set upstream.SeriesSet
	for i := range 10 {
		one := series.Series{Labels: series.Labels{"service_name": fmt.Sprint("service", i)}, Start: window.Start, Step: window.Step}
		for range window.Points() {
			one.Values = append(one.Values, 10)
		}
		set.Series = append(set.Series, one)
	}
	return set, nil
}

// Read implements annotation.Source.
func (n *notebook) Read(_ context.Context, start, end time.Time) (all []annotation.Annotation, warnings []string, err error) {
	for _, note := range n.notes {
		if !note.Start.Before(start) && !note.Start.After(end) {
			all = append(all, note)
		}
	}
	return all, nil, n.fails
}

func (n *notebook) tagged(tag string) (found []annotation.Annotation) {
	for _, note := range n.notes {
		if note.Tags[0] == tag {
			found = append(found, note)
		}
	}
	return found
}

// automation counts what it is sent, by id.
type automation struct {
	mu     sync.Mutex
	ids    []string
	bodies [][]byte
	status int
}

func (a *automation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	raw, _, _ := respond.Body(w, r)
	a.ids, a.bodies = append(a.ids, r.Header.Get("webhook-id")), append(a.bodies, raw)
	w.WriteHeader(a.status)
}

// acting is a data source that may roll orders back.
func acting(t *testing.T, traces upstream.Traces, now time.Time, book *notebook, to *automation, change ...func(*Settings)) http.Handler {
	t.Helper()
	server := httptest.NewServer(to)
	t.Cleanup(server.Close)
	sender, err := webhook.New([]webhook.Target{{Name: "rollback", URL: server.URL, Private: true}}, webhook.Secrets{Signing: signing}, time.Now)
	require.NoError(t, err)
	settings := Settings{CallerRate: 1000, Timeout: time.Minute, UID: "u", Sender: sender, Annotations: book, AuditTrail: book, Playbooks: playbooks.Settings{
		Webhook: "rollback", Config: playbook.Config{Mode: playbook.Auto, Services: []string{"orders"}},
	}}
	for _, one := range change {
		one(&settings)
	}
	h := New(&engine.Engine{Metrics: tenServices{}, Traces: traces, Now: func() time.Time { return now }, Limits: engine.Limits{MaxSeries: 50, MaxTraces: 1000}}, settings)
	t.Cleanup(h.Close)
	mux := http.NewServeMux()
	h.Register(mux)
	return mux
}

// planned is the answer of the route.
type planned struct {
	playbook.Plan
	Sent             []string
	NotSent, NotKept map[string]string
}

func plannedBy(t *testing.T, handler http.Handler, content string) (int, planned) {
	t.Helper()
	status, raw := tell(t, handler, "Editor", "/playbooks", content, nil)
	var reported planned
	require.NoError(t, json.Unmarshal([]byte(raw), &reported), raw)
	return status, reported
}

const aboutOrders = `{"service": "orders"}`

func TestARollbackIsSentOnce(t *testing.T) {
	book, to := &notebook{}, &automation{status: http.StatusAccepted}
	handler := acting(t, slowVersion{}, noon, book, to)
	status, reported := plannedBy(t, handler, aboutOrders)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, reported.Recommendations, 1, "%+v", reported)
	one := reported.Recommendations[0]
	require.Equal(t, playbook.Ready, one.State, one.Held)
	require.Equal(t, playbook.Target{Service: "orders", Operation: one.Target.Operation, Peer: one.Target.Peer, Version: "2", Previous: "1"}, one.Target)
	require.Equal(t, []string{one.ID}, reported.Sent)
	var event struct {
		Type, Subject string
		Data          playbook.Recommendation
	}
	require.NoError(t, json.Unmarshal(to.bodies[0], &event))
	require.Equal(t, "foresight.playbook.rollBack.v1", event.Type)
	require.Equal(t, "orders", event.Subject)
	require.Equal(t, one.Target, event.Data.Target)
	require.Len(t, book.tagged("foresight:acted"), 1)
	require.Contains(t, book.notes[0].Text, "rollBack of orders 2")

	_, reported = plannedBy(t, handler, aboutOrders)
	require.Equal(t, playbook.Held, reported.Recommendations[0].State)
	require.Contains(t, reported.Recommendations[0].Held, "it was sent at")
	// A replica that does not know of it yet plans the same, finds the note, and
	// sends nothing; one that cannot find it either sends what has the same id.
	blind := func(s *Settings) { s.AuditTrail = &notebook{} }
	status, reported = plannedBy(t, acting(t, slowVersion{}, noon.Add(time.Minute), book, to, blind), aboutOrders)
	require.Equal(t, http.StatusBadGateway, status)
	require.Contains(t, reported.NotSent[one.ID], "another replica")
	require.Len(t, to.ids, 1)
	_, reported = plannedBy(t, acting(t, slowVersion{}, noon.Add(time.Minute), &notebook{}, to), aboutOrders)
	require.Equal(t, []string{one.ID}, reported.Sent)
	require.Equal(t, []string{to.ids[0], to.ids[0]}, to.ids)

	// What it was to cure is gone, which is written down once.
	later := acting(t, slowVersion{cured: true}, noon.Add(8*time.Minute), book, to)
	_, reported = plannedBy(t, later, aboutOrders)
	require.Equal(t, playbook.Verified, reported.Outcomes[0].Outcome, "%+v", reported)
	_, reported = plannedBy(t, later, aboutOrders)
	require.Empty(t, reported.Outcomes)
	require.Len(t, book.tagged("foresight:outcome"), 1)
}

func TestNothingIsSentUnlessAllIsAsItMustBe(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Settings)
		state  playbook.State
		held   string
	}{
		"kill switch":   {func(s *Settings) { s.Playbooks.KillSwitch = true }, playbook.Held, "kill switch"},
		"observe":       {func(s *Settings) { s.Playbooks.Mode = playbook.Observe }, playbook.Observed, ""},
		"recommend":     {func(s *Settings) { s.Playbooks.Mode = playbook.Recommend }, playbook.Proposed, ""},
		"other service": {func(s *Settings) { s.Playbooks.Services = []string{"cart"} }, playbook.Held, "not among those"},
		"no journal":    {func(s *Settings) { s.Annotations = nil }, playbook.Held, "past actions are unknown"},
		"no past":       {func(s *Settings) { s.AuditTrail = nil }, playbook.Held, "past actions are unknown"},
		"closed past":   {func(s *Settings) { s.AuditTrail = &notebook{fails: errors.New("Grafana is closed")} }, playbook.Held, "Grafana is closed"},
	} {
		t.Run(name, func(t *testing.T) {
			book, to := &notebook{}, &automation{status: http.StatusAccepted}
			status, reported := plannedBy(t, acting(t, slowVersion{}, noon, book, to, test.change), aboutOrders)
			require.Equal(t, http.StatusOK, status)
			require.Len(t, reported.Recommendations, 1)
			require.Equal(t, test.state, reported.Recommendations[0].State)
			require.Contains(t, reported.Recommendations[0].Held, test.held)
			require.Empty(t, to.ids)
			require.Empty(t, reported.Sent)
			require.Empty(t, book.tagged("foresight:acted"))
			require.Equal(t, name == "recommend", len(book.tagged("foresight:proposed")) == 1)
		})
	}
}

func TestWhatIsNotWrittenDownIsNotSent(t *testing.T) {
	to := &automation{status: http.StatusAccepted}
	status, reported := plannedBy(t, acting(t, slowVersion{}, noon, &notebook{}, to, func(s *Settings) { s.Annotations = &notebook{fails: errors.New("Grafana is closed")} }), aboutOrders)
	require.Equal(t, http.StatusBadGateway, status)
	require.Len(t, reported.NotSent, 1)
	require.Empty(t, to.ids)

	to.status = http.StatusForbidden
	book := &notebook{}
	status, reported = plannedBy(t, acting(t, slowVersion{}, noon, book, to), aboutOrders)
	require.Equal(t, http.StatusBadGateway, status)
	require.Contains(t, fmt.Sprint(reported.NotSent), "403")
	require.Len(t, book.tagged("foresight:acted"), 1, "it may have arrived: it counts")
}

func TestPlaybooksAreAskedByName(t *testing.T) {
	to := &automation{status: http.StatusAccepted}
	handler := acting(t, slowVersion{}, noon, &notebook{}, to)
	for content, want := range map[string]string{
		`{}`: "0 services", `{"service": "*"}`: "more than one service", `{"services": ["a","b","c","d","e","f"]}`: "6 services", `nonsense`: "write", `{"service": 5}`: "write",
	} {
		status, raw := tell(t, handler, "Editor", "/playbooks", content, nil)
		require.Equal(t, http.StatusBadRequest, status, content)
		require.Contains(t, raw, want)
	}
	status, reported := plannedBy(t, handler, `{"version":"1","alerts":[{"status":"firing","labels":{"service_name":"orders"}},{"status":"resolved","labels":{"service":"cart"}}]}`)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, reported.Sent, 1)

	// Whoever may read is told, and nothing is sent.
	recorder := httptest.NewRecorder()
	acting(t, slowVersion{}, noon, &notebook{}, to).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/playbooks?service=orders", nil))
	require.Equal(t, http.StatusOK, recorder.Code)
	require.Contains(t, recorder.Body.String(), `"state":"ready"`)
	require.Len(t, to.ids, 1)
	status, _ = tell(t, handler, "Viewer", "/playbooks", aboutOrders, nil)
	require.Equal(t, http.StatusForbidden, status)
}

// TestAutoIsEarned: with a bar, a rule recommends until its outcomes in Grafana
// show that it is right often enough, and again after a failure.
func TestAutoIsEarned(t *testing.T) {
	bar := func(s *Settings) { s.Playbooks.MinRight = 0.9 }
	record := func(right, wrong int) *notebook {
		book := &notebook{}
		for i := range right + wrong {
			outcome := playbook.Verified
			if i >= right {
				outcome = playbook.Failed
			}
			id := fmt.Sprint("plb_", i)
			tags := annotation.Outcome{ID: id, Outcome: string(outcome), Playbook: string(playbook.SlowQueryAfterDeploy), Service: "cart"}.Tags()
			_, err := book.Upsert(t.Context(), annotation.Annotation{ID: annotation.ID(tags[0], id), Start: noon.Add(time.Duration(i-2000) * time.Minute), Tags: tags})
			require.NoError(t, err)
		}
		return book
	}
	for _, test := range []struct {
		right, wrong int
		state        playbook.State
		sent         int
	}{{0, 0, playbook.Proposed, 0}, {60, 0, playbook.Ready, 1}, {60, 1, playbook.Proposed, 0}} {
		to := &automation{status: http.StatusAccepted}
		handler := acting(t, slowVersion{}, noon, record(test.right, test.wrong), to, bar)
		_, reported := plannedBy(t, handler, aboutOrders)
		require.Len(t, reported.Recommendations, 1)
		one := reported.Recommendations[0]
		require.Equal(t, test.state, one.State, "%d right, %d wrong: %s", test.right, test.wrong, one.Held)
		require.Len(t, to.ids, test.sent)
		for _, r := range reported.Records {
			if r.Pattern == one.Pattern {
				require.Equal(t, []int{test.right, test.wrong}, []int{r.Right, r.Wrong})
			}
		}
	}
}
