package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/playbooks"
	"github.com/foresight-observability/foresight/pkg/api/promapi"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// What could not be written down is told, so that whoever told it sends it
// again; and what is sent again is written down once.

// closing is a notebook that refuses what the test says.
type closing struct {
	notebook
	refuses func(annotation.Annotation) bool
}

func (c *closing) Upsert(ctx context.Context, note annotation.Annotation) (bool, error) {
	if c.refuses(note) {
		return false, errors.New("Grafana is closed")
	}
	return c.notebook.Upsert(ctx, note)
}

func TestADeployThatNamesNoTimeIsKeptOnce(t *testing.T) {
	now := noon
	book := &notebook{}
	h := New(&engine.Engine{Now: func() time.Time { return now }}, Settings{CallerRate: 1000, Timeout: time.Second, Annotations: book, DeployTag: "deploy"})
	t.Cleanup(h.Close)
	mux := http.NewServeMux()
	h.Register(mux)
	post := func(content string) {
		t.Helper()
		status, said := tell(t, mux, "Editor", deployPath, content, nil)
		require.Equal(t, http.StatusOK, status, said)
	}
	const plain = `{"service":"cart","version":"2"}`
	for range 5 { // a pipeline that tries again, each time after its own deadline
		post(plain)
		now = now.Add(70 * time.Second)
	}
	require.Len(t, book.notes, 1)
	now = now.Add(time.Hour)
	post(plain)
	require.Len(t, book.notes, 2, "another deploy of it")
	post(`{"service":"cart","version":"3"}`)
	require.Len(t, book.notes, 3)
	for range 3 { // whoever gives it an id may take any time
		post(`{"service":"cart","version":"4","id":"run 7"}`)
		now = now.Add(time.Hour)
	}
	require.Len(t, book.notes, 4)
}

func TestANumberIsWrittenDownOnce(t *testing.T) {
	book := &notebook{}
	post := func(now time.Time, content string) (int, string) { // to one replica after another
		h := New(&engine.Engine{Metrics: metricsServer{}, Now: func() time.Time { return now }, Limits: engine.Limits{MaxSeries: 50}}, Settings{
			CallerRate: 1000, Timeout: 10 * time.Second, Annotations: book, Series: []promapi.NamedSeries{{Name: "good", Expr: "good"}, {Name: "failing", Expr: "failing"}}})
		defer h.Close()
		mux := http.NewServeMux()
		h.Register(mux)
		return tell(t, mux, "Editor", "/hooks/annotate", content, nil)
	}
	for minute := range 3 {
		status, said := post(noon.Add(time.Duration(minute)*time.Minute), `{"query":"foresight_predicted_demand{series=\"good\"}","id":"run 7"}`)
		require.Equal(t, http.StatusOK, status, said)
	}
	require.Len(t, book.notes, 1)
	for second := range 2 { // without an id each minute's is one
		status, said := post(noon.Add(time.Duration(second)*time.Second), `{"query":"foresight_predicted_demand{series=\"good\"}"}`)
		require.Equal(t, http.StatusOK, status, said)
	}
	require.Len(t, book.notes, 2)
	// A server that fails is no reason to give up, as a number that is not trusted is.
	status, said := post(noon, `{"query":"foresight_predicted_demand{series=\"failing\"}"}`)
	require.Equal(t, http.StatusBadGateway, status, said)
	require.Contains(t, said, "disk full")
	require.Contains(t, said, "Send it again")
}

func TestFeedbackHasAText(t *testing.T) {
	book := &notebook{}
	status, said := tell(t, testHooks(t, func(s *Settings) { s.Annotations = book }), "Editor", "/feedback", `{"time":"2026-03-02T11:30:00Z","real":false,"service":"cart"}`, nil)
	require.Equal(t, http.StatusOK, status, said)
	require.NotEmpty(t, book.notes[0].Text, "Grafana takes no annotation without a text")
}

func TestOneAlertThatIsRefusedKeepsNoOtherOut(t *testing.T) {
	one := `{"status":"firing","labels":{"alertname":"NAME"},"startsAt":"2026-03-02T11:50:00Z","fingerprint":"NAME"}`
	many := `{"version":"4","alerts":[` + strings.ReplaceAll(one, "NAME", "a") + `,` + strings.ReplaceAll(one, "NAME", "b") + `,` + strings.ReplaceAll(one, "NAME", "c") + `]}`
	book := &closing{refuses: func(note annotation.Annotation) bool { return note.Text == "b" }}
	handler := testHooks(t, func(s *Settings) { s.Annotations = book })
	status, said := tell(t, handler, "Editor", alertPath, many, nil)
	require.Equal(t, http.StatusBadGateway, status)
	require.Contains(t, said, "Grafana is closed")
	require.Contains(t, said, "2 of 3")
	require.Contains(t, said, "Send it again")
	require.Len(t, book.notes, 2)
	book.refuses = func(annotation.Annotation) bool { return false }
	status, said = tell(t, handler, "Editor", alertPath, many, nil)
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"kept":1,"known":2}`, said)
}

func TestWhatAPlaybookCannotWriteDownIsTold(t *testing.T) {
	refuses := true
	book := &closing{refuses: func(annotation.Annotation) bool { return refuses }}
	to := &automation{status: http.StatusAccepted}
	journal := func(s *Settings) { s.Annotations, s.AuditTrail, s.Playbooks.Mode = book, book, playbook.Recommend }
	handler := acting(t, slowVersion{}, noon, nil, to, journal)
	status, reported := plannedBy(t, handler, aboutOrders)
	require.Equal(t, http.StatusBadGateway, status)
	require.Equal(t, playbook.Proposed, reported.Recommendations[0].State)
	require.Contains(t, reported.NotKept[reported.Recommendations[0].ID], "Grafana is closed")
	refuses = false
	status, reported = plannedBy(t, handler, aboutOrders)
	require.Equal(t, http.StatusOK, status)
	require.Empty(t, reported.NotKept)
	require.Len(t, book.tagged("foresight:proposed"), 1)

	// So is what came of an act, and it stays to be told.
	auto := func(s *Settings) { s.Annotations, s.AuditTrail = book, book }
	_, reported = plannedBy(t, acting(t, slowVersion{}, noon, nil, to, auto), aboutOrders)
	require.Len(t, reported.Sent, 1)
	later := acting(t, slowVersion{cured: true}, noon.Add(8*time.Minute), nil, to, auto)
	refuses = true
	status, reported = plannedBy(t, later, aboutOrders)
	require.Equal(t, http.StatusBadGateway, status)
	require.Contains(t, reported.NotKept[reported.Outcomes[0].ID], "Grafana is closed")
	refuses = false
	status, reported = plannedBy(t, later, aboutOrders)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, reported.Outcomes, 1)
	require.Len(t, book.tagged("foresight:outcome"), 1)
}

// hanging is a notebook that answers nobody.
type hanging struct{ notebook }

func (*hanging) Upsert(ctx context.Context, _ annotation.Annotation) (bool, error) {
	<-ctx.Done()
	return false, errors.New("Grafana did not answer in time")
}

func TestAPlaybookDoesNotWaitForGrafanaWithoutEnd(t *testing.T) {
	book, to := &hanging{}, &automation{status: http.StatusAccepted}
	handler := acting(t, slowVersion{}, noon, nil, to, func(s *Settings) {
		s.Annotations, s.AuditTrail, s.Playbooks.Mode, s.Timeout = book, book, playbook.Recommend, 4*time.Second
	})
	ended := make(chan map[string]string, 1)
	go func() {
		_, reported := plannedBy(t, handler, aboutOrders)
		ended <- reported.NotKept
	}()
	select {
	case notKept := <-ended:
		require.Len(t, notKept, 1)
	case <-time.After(time.Minute):
		t.Fatal("it waits for ever")
	}
}

// leaving is a notebook whose writer gives up as soon as the note stands.
type leaving struct {
	notebook
	leave context.CancelFunc
}

func (l *leaving) Upsert(ctx context.Context, note annotation.Annotation) (bool, error) {
	defer l.leave()
	return l.notebook.Upsert(ctx, note)
}

func TestWhatIsWrittenDownIsSentThoughItsAskerLeaves(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	book, to := &leaving{leave: cancel}, &automation{status: http.StatusAccepted}
	handler := acting(t, slowVersion{}, noon, nil, to, func(s *Settings) { s.Annotations, s.AuditTrail = book, book })
	request := httptest.NewRequestWithContext(backend.WithUser(ctx, &backend.User{Role: "Editor"}), http.MethodPost, "/playbooks", strings.NewReader(aboutOrders))
	handler.ServeHTTP(httptest.NewRecorder(), request)
	require.Len(t, book.tagged("foresight:acted"), 1)
	require.Len(t, to.ids, 1)
}

// failingMetrics is a server of metrics that is down.
type failingMetrics struct{ upstream.Metrics }

func (failingMetrics) LabelValues(context.Context, string, []string, time.Time, time.Time) ([]string, []string, error) {
	return nil, nil, &upstream.Error{Upstream: "Prometheus", Category: upstream.Network}
}

func (failingMetrics) QueryRange(context.Context, string, upstream.Range) (upstream.SeriesSet, error) {
	return upstream.SeriesSet{}, &upstream.Error{Upstream: "Prometheus", Category: upstream.Network}
}

func TestAProposalIsTheSameWithoutMetrics(t *testing.T) {
	propose := func(metrics upstream.Metrics) string {
		h := New(&engine.Engine{Metrics: metrics, Traces: slowVersion{}, Now: func() time.Time { return noon }, Limits: engine.Limits{MaxSeries: 50, MaxTraces: 1000}},
			Settings{CallerRate: 1000, Timeout: time.Minute, Annotations: &notebook{}, AuditTrail: &notebook{}, Playbooks: playbooks.Settings{Config: playbook.Config{Mode: playbook.Recommend}}})
		defer h.Close()
		mux := http.NewServeMux()
		h.Register(mux)
		status, reported := plannedBy(t, mux, aboutOrders)
		require.Equal(t, http.StatusOK, status)
		require.Len(t, reported.Recommendations, 1)
		return reported.Recommendations[0].ID
	}
	require.Equal(t, propose(tenServices{}), propose(failingMetrics{}), "else it would be proposed twice")
}
