package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/promapi"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/engine"
)

// notebook holds annotations in memory.
type notebook struct {
	notes []annotation.Annotation
	fails error
}

func (n *notebook) Upsert(_ context.Context, note annotation.Annotation) (bool, error) {
	if n.fails != nil {
		return false, n.fails
	}
	if i := n.knows(note); i >= 0 {
		changed := !note.End.IsZero() && !note.End.Equal(n.notes[i].End)
		n.notes[i].End = note.End
		return changed, nil
	}
	n.notes = append(n.notes, note)
	return true, nil
}

// knows is where a note stands, by whichever of its ids.
func (n *notebook) knows(note annotation.Annotation) int {
	return slices.IndexFunc(n.notes, func(one annotation.Annotation) bool {
		return one.ID == note.ID || slices.Contains(note.Earlier, one.ID)
	})
}

// tell sends a request as a user with a role, through the SDK's own adapter.
func tell(t testing.TB, handler http.Handler, role, path, content string, header http.Header) (int, string) {
	t.Helper()
	var status int
	var answer []byte
	call := &backend.CallResourceRequest{Path: strings.TrimPrefix(path, "/"), URL: path, Method: http.MethodPost, Body: []byte(content), Headers: header}
	if role != "" {
		call.PluginContext.User = &backend.User{Login: "sa-1", Role: role}
	}
	err := httpadapter.New(handler).CallResource(context.Background(), call, backend.CallResourceResponseSenderFunc(func(part *backend.CallResourceResponse) error {
		if part.Status != 0 {
			status = part.Status
		}
		answer = append(answer, part.Body...)
		return nil
	}))
	require.NoError(t, err)
	return status, string(answer)
}

const deployPath = "/hooks/deploy"

func TestDeployMarkers(t *testing.T) {
	at := time.Date(2026, 3, 2, 11, 30, 0, 0, time.UTC)
	for title, test := range map[string]struct {
		content string
		header  http.Header
		note    *annotation.Annotation // nil for an event that is no deploy
	}{
		"plain": {`{"service":"cart","version":"2.0.0","time":"2026-03-02T11:30:00Z","environment":"prod"}`, nil,
			&annotation.Annotation{Start: at, Text: "cart 2.0.0", Tags: []string{"deploy", "service:cart", "version:2.0.0", "environment:prod"}}},
		"plain, of now": {`{"service":"cart, the old one"}`, nil,
			&annotation.Annotation{Start: noon, Text: "cart, the old one", Tags: []string{"deploy", "service:cart; the old one"}}},
		"a CloudEvent": {`{"specversion":"1.0","id":"1","source":"ci","type":"com.example.deploy","time":"2026-03-02T11:30:00Z","data":{"service":"cart","version":"2"}}`, nil,
			&annotation.Annotation{Start: at, Text: "cart 2", Tags: []string{"deploy", "service:cart", "version:2"}}},
		"a CDEvent in a CloudEvent": {`{"specversion":"1.0","id":"1","source":"/ci","type":"dev.cdevents.service.deployed.0.2.0","time":"2026-03-02T11:30:00Z","data":{
			"context":{"version":"0.4.1","id":"271","source":"/ci","type":"dev.cdevents.service.deployed.0.2.0","timestamp":"2026-03-02T11:30:00Z"},
			"subject":{"id":"cart","source":"/ci","content":{"environment":{"id":"prod"},"artifactId":"pkg:oci/cart@sha256%3Aabc?repository_url=x&tag=2.0.0"}}}}`, nil,
			&annotation.Annotation{Start: at, Text: "cart deployed", Tags: []string{"deploy", "service:cart", "version:2.0.0", "environment:prod"}}},
		"a CDEvent in the binary mode": {`{"context":{"id":"271","source":"/ci","type":"dev.cdevents.service.rolledback.0.2.0","timestamp":"2026-03-02T11:30:00Z"},
			"subject":{"id":"cart","content":{"artifactId":"pkg:npm/cart@1.9.0"}}}`, http.Header{"Ce-Specversion": {"1.0"}},
			&annotation.Annotation{Start: at, Text: "cart rolledback", Tags: []string{"deploy", "service:cart", "version:1.9.0"}}},
		"another CDEvent": {`{"context":{"id":"1","type":"dev.cdevents.build.finished.0.2.0"},"subject":{"id":"x"}}`, nil, nil},
		"Flagger begins": {`{"name":"cart","namespace":"shop","phase":"Progressing","checksum":"85d557f47b","metadata":{"eventMessage":"New revision detected! Scaling up cart.shop","eventType":"Normal","timestamp":"1772451000000","version":"2.0.0"}}`, nil,
			&annotation.Annotation{Start: at, Text: "New revision detected! Scaling up cart.shop", Tags: []string{"deploy", "service:cart", "version:2.0.0", "environment:shop"}}},
		"Flagger goes on": {`{"name":"cart","namespace":"shop","phase":"Progressing","checksum":"85d557f47b","metadata":{"eventMessage":"Advance cart.shop canary weight 5","eventType":"Normal","timestamp":"1772451000000"}}`, nil, nil},
	} {
		t.Run(title, func(t *testing.T) {
			book := &notebook{}
			handler := testHooks(t, func(s *Settings) { s.Annotations, s.DeployTag = book, "deploy" })
			for range 2 { // pipelines retry
				status, answer := tell(t, handler, "Editor", deployPath, test.content, test.header)
				require.Equal(t, http.StatusOK, status, answer)
			}
			if test.note == nil {
				require.Empty(t, book.notes)
				return
			}
			require.Len(t, book.notes, 1)
			require.NotEmpty(t, book.notes[0].ID)
			book.notes[0].ID, book.notes[0].Earlier = "", nil
			require.Equal(t, *test.note, book.notes[0])
		})
	}
}

func TestWritingIsGuarded(t *testing.T) {
	book := &notebook{}
	handler := testHooks(t, func(s *Settings) { s.Annotations, s.DeployTag = book, "deploy" })
	const good = `{"service":"cart"}`
	for _, role := range []string{"", "Viewer", "None"} {
		status, _ := tell(t, handler, role, deployPath, good, nil)
		require.Equal(t, http.StatusForbidden, status, role)
	}
	for content, reason := range map[string]string{
		``: "not a JSON object", `7`: "not a JSON object", `{}`: "the service is missing", `{"service":{}}`: "service",
		`{"service":"cart","time":"1999-01-01T00:00:00Z"}`: "not of this year",
		`{"specversion":"1.0","data":3}`:                   "data: the body is not a JSON object",
	} {
		status, answer := tell(t, handler, "Admin", deployPath, content, nil)
		require.Equal(t, http.StatusBadRequest, status, content)
		require.Contains(t, answer, reason)
	}
	status, _ := tell(t, handler, "Admin", deployPath, strings.Repeat(" ", respond.MaxBody+1), nil)
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	require.Empty(t, book.notes)

	book.fails = errors.New("Grafana is closed")
	status, answer := tell(t, handler, "Admin", deployPath, good, nil)
	require.Equal(t, http.StatusBadGateway, status)
	require.Contains(t, answer, "Grafana is closed")
	status, answer = tell(t, testHooks(t), "Admin", deployPath, good, nil)
	require.Equal(t, http.StatusNotImplemented, status)
	require.Contains(t, answer, "grafanaToken")

	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, get(deployPath))
	require.Equal(t, http.StatusMethodNotAllowed, recorder.Code)
}

const alertPath = "/hooks/alert"

// firing is what Grafana's own notifier sends, cut to what is read.
const firing = `{"receiver":"foresight","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Slow","service_name":"cart","severity":"critical"},
	"annotations":{"summary":"cart is slow"},"startsAt":"2026-03-02T11:50:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"57c6d9296de2ad39","values":{"A":92}}],
	"version":"1","groupKey":"{}:{}","truncatedAlerts":0,"orgId":1,"title":"[FIRING:1]","state":"alerting","message":"…"}`

func TestAlertsAreKept(t *testing.T) {
	book := &notebook{}
	handler := testHooks(t, func(s *Settings) { s.Annotations = book })
	resolved := strings.NewReplacer(`"status":"firing"`, `"status":"resolved"`, "0001-01-01T00:00:00Z", "2026-03-02T11:58:00Z").Replace(firing)
	alertmanager := strings.Replace(firing, `"version":"1"`, `"version":"4"`, 1)
	for i, test := range []struct {
		content, answer string
	}{{firing, `{"kept":1,"known":0}`}, {firing, `{"kept":0,"known":1}`}, {alertmanager, `{"kept":0,"known":1}`}, {resolved, `{"kept":1,"known":0}`}} {
		status, answer := tell(t, handler, "Editor", alertPath, test.content, nil)
		require.Equal(t, http.StatusOK, status, answer)
		require.JSONEq(t, test.answer, answer, i)
	}
	require.Len(t, book.notes, 1)
	one := book.notes[0]
	require.Equal(t, "cart is slow", one.Text)
	require.Equal(t, []string{"alert", "alertname:Slow", "service:cart", "severity:critical"}, one.Tags)
	require.Equal(t, 8*time.Minute, one.End.Sub(one.Start))

	for content, reason := range map[string]string{
		`{}`: "version", `{"version":"9"}`: "version", `x`: "no notification",
		strings.Replace(firing, "2026-03-02T11:50", "0001-01-01T00", 1): "",
	} {
		status, answer := tell(t, handler, "Editor", alertPath, content, nil)
		require.Equal(t, http.StatusBadRequest, status, content)
		require.Contains(t, answer, reason)
	}
	status, _ := tell(t, handler, "Viewer", alertPath, firing, nil)
	require.Equal(t, http.StatusForbidden, status)

	// An alert without a fingerprint is known by its labels.
	for i, want := range []string{`{"kept":1,"known":0}`, `{"kept":0,"known":1}`} {
		status, answer := tell(t, handler, "Editor", alertPath, strings.Replace(firing, "57c6d9296de2ad39", "", 1), nil)
		require.Equal(t, http.StatusOK, status, answer)
		require.JSONEq(t, want, answer, i)
	}
}

// TestSendersAsTheyAre: numbers where text is meant, times in any unit, and one
// bad element of a batch leaves the others saved.
func TestSendersAsTheyAre(t *testing.T) {
	book := &notebook{}
	handler := testHooks(t, func(s *Settings) { s.Annotations, s.DeployTag = book, "deploy" })
	at := noon.Add(-30 * time.Minute)
	for _, moment := range []int64{at.Unix(), at.UnixMilli(), at.UnixMicro(), at.UnixNano()} {
		status, answer := tell(t, handler, "Editor", deployPath, fmt.Sprintf(`{"service":"cart","version":42,"time":%d}`, moment), nil)
		require.Equal(t, http.StatusOK, status, answer)
	}
	require.Len(t, book.notes, 1, "they are one deploy")
	require.Equal(t, []string{"deploy", "service:cart", "version:42"}, book.notes[0].Tags)
	require.True(t, at.Equal(book.notes[0].Start))
	status, answer := tell(t, handler, "Editor", deployPath, `{"service":"cart","version":{"major":1}}`, nil)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, answer, "version must be text, got an object")
	require.NotContains(t, answer, "Go ")
	status, answer = tell(t, handler, "Editor", "/feedback", fmt.Sprintf(`{"time":%d,"real":false,"service":"cart"}`, at.UnixMilli()), nil)
	require.Equal(t, http.StatusOK, status, answer)
	status, answer = tell(t, handler, "Editor", "/feedback", `{"time":"2026-03-02T11:30:00Z","real":"no"}`, nil)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, answer, "real must be true or false")

	good := `{"status":"firing","labels":{"alertname":"A","code":500},"startsAt":"2026-03-02T11:50:00Z","fingerprint":"%d"}`
	many := func(n int) string {
		var alerts []string
		for i := range n {
			alerts = append(alerts, fmt.Sprintf(good, i))
		}
		return strings.Join(alerts, ",")
	}
	book.notes = nil
	status, answer = tell(t, handler, "Editor", alertPath, `{"version":"4","alerts":[`+many(2)+`,{"status":"firing"},7]}`, nil)
	require.Equal(t, http.StatusOK, status, answer)
	require.JSONEq(t, `{"kept":2,"known":0,"problems":["alert 3: startsAt is missing","alert 4: the body must be an object, got a number"]}`, answer)
	book.notes = nil
	status, answer = tell(t, handler, "Editor", alertPath, `{"version":"4","alerts":[`+many(101)+`]}`, nil)
	require.Equal(t, http.StatusOK, status, answer)
	require.Contains(t, answer, `"kept":100`)
	require.Contains(t, answer, "1 of 101 alerts were left out")
}

func TestSignatures(t *testing.T) {
	const secret = "a secret of the house"
	sign := func(content string, at time.Time, secret string) http.Header {
		timestamp := strconv.FormatInt(at.Unix(), 10)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(timestamp + ":" + content))
		return http.Header{"X-Grafana-Alerting-Signature": {hex.EncodeToString(mac.Sum(nil))}, "X-Grafana-Alerting-Timestamp": {timestamp}}
	}
	handler := testHooks(t, func(s *Settings) { s.Annotations, s.WebhookSecret = &notebook{}, secret })
	status, answer := tell(t, handler, "Editor", alertPath, firing, sign(firing, noon, secret))
	require.Equal(t, http.StatusOK, status, answer)
	unstamped := sign(firing, noon, secret)
	unstamped.Del("X-Grafana-Alerting-Timestamp")
	for title, header := range map[string]http.Header{
		"unsigned":       {},
		"no timestamp":   unstamped,
		"another secret": sign(firing, noon, "guess"),
		"another body":   sign(firing+" ", noon, secret),
		"replayed":       sign(firing, noon.Add(-6*time.Minute), secret),
		"of tomorrow":    sign(firing, noon.Add(6*time.Minute), secret),
		"no hexadecimal": {"X-Grafana-Alerting-Signature": {"zz"}, "X-Grafana-Alerting-Timestamp": {strconv.FormatInt(noon.Unix(), 10)}},
	} {
		status, answer := tell(t, handler, "Editor", alertPath, firing, header)
		require.Equal(t, http.StatusForbidden, status, title)
		require.NotContains(t, answer, secret)
	}
}

func TestFeedback(t *testing.T) {
	book := &notebook{}
	handler := testHooks(t, func(s *Settings) { s.Annotations = book })
	status, answer := tell(t, handler, "Editor", "/feedback", `{"time":"2026-03-02T11:30:00Z","real":false,"service":"cart"}`, nil)
	require.Equal(t, http.StatusOK, status, answer)
	require.Len(t, book.notes, 1)
	require.Equal(t, []string{"foresight:false", "service:cart"}, book.notes[0].Tags)
	require.Equal(t, noon.Add(-30*time.Minute), book.notes[0].Start)
	for _, content := range []string{`{}`, `{"real":true}`, `{"time":"2026-03-02T11:30:00Z"}`, `{"time":"soon","real":true}`, `{"time":"2026-03-03T11:30:00Z","real":true}`} {
		status, _ := tell(t, handler, "Editor", "/feedback", content, nil)
		require.Equal(t, http.StatusBadRequest, status, content)
	}
	status, _ = tell(t, handler, "Viewer", "/feedback", `{"time":"2026-03-02T11:30:00Z","real":true}`, nil)
	require.Equal(t, http.StatusForbidden, status)
}

// FuzzBodies posts anything to every route that takes a body, as an Editor: the
// answer is JSON, and no failure of ours.
func FuzzBodies(f *testing.F) {
	paths := []string{"/hooks/deploy", "/hooks/alert", "/hooks/send", "/hooks/annotate", "/feedback", "/playbooks", "/verdict", "/flagger/rollback", "/flagger/event", "/flagger/confirm-rollout"}
	book := &notebook{}
	h := New(&engine.Engine{Now: func() time.Time { return noon }}, Settings{
		CallerRate: 1 << 30, Timeout: time.Second, DeployTag: "deploy", Annotations: book, Series: []promapi.NamedSeries{{Name: "good", Expr: "missing"}}})
	f.Cleanup(h.Close)
	mux := http.NewServeMux()
	h.Register(mux)
	for i := range paths {
		for _, content := range []string{firing, `{"service":"cart","candidate":"2","margin":"NaN","window":"1e9h"}`, `{"name":"cart","metadata":{"service":"x","margin":"1e400"}}`,
			`{"query":"foresight_up","webhook":"x"}`, `{"time":"2026-03-02T11:30:00Z","real":true,"service":"a,b"}`, `{"services":["a","b","*"]}`, strings.Repeat("[", 20_000), `{"alerts":[{"status":"firing","labels":{"service":"cart"}}]}`} {
			f.Add(uint8(i), []byte(content))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		book.notes = nil
		path := paths[int(which)%len(paths)]
		status, said := tell(t, mux, "Editor", path, string(content), nil)
		if !json.Valid([]byte(said)) || status == http.StatusInternalServerError || status < 200 {
			t.Fatalf("%s answers %d %q", path, status, said)
		}
		for _, note := range book.notes {
			if note.ID == "" || len(note.Tags) == 0 || len(note.Text) > respond.MaxBody {
				t.Fatalf("%s keeps %v", path, note)
			}
		}
	})
}
