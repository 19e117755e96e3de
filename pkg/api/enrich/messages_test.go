package enrich

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"math"
	"mime"
	"mime/multipart"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/api/cause"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
)

const routingKey = "0123456789abcdef0123456789abcdef"

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name + ".json")
	require.NoError(t, err)
	return bytes.TrimSpace(raw)
}

// written is a message in the format of each kind. A form is its JSON part.
func written(t require.TestingT, m message) map[webhook.Kind][]byte {
	all := map[webhook.Kind][]byte{}
	keep := func(kind webhook.Kind, body []byte, err error) {
		require.NoError(t, err)
		all[kind] = body
	}
	body, err := slack(m)
	keep(webhook.Slack, body, err)
	body, err = teams(m)
	keep(webhook.Teams, body, err)
	body, err = pagerDuty(m, routingKey)
	keep(webhook.PagerDuty, body, err)
	body, err = grafanaIRM(m)
	keep(webhook.GrafanaIRM, body, err)
	form, err := discord(m)
	keep(webhook.Discord, payloadOf(t, form), err)
	return all
}

// payloadOf is the JSON of a message to Discord, which may be a part of a form.
func payloadOf(t require.TestingT, body webhook.Body) []byte {
	kind, parameters, err := mime.ParseMediaType(body.Type)
	if body.Type == "" {
		return body.Content
	}
	require.NoError(t, err)
	require.Equal(t, "multipart/form-data", kind)
	form, err := multipart.NewReader(bytes.NewReader(body.Content), parameters["boundary"]).ReadForm(1 << 20)
	require.NoError(t, err)
	file, err := form.File["files[0]"][0].Open()
	require.NoError(t, err)
	_, err = png.Decode(file)
	require.NoError(t, err)
	return []byte(form.Value["payload_json"][0])
}

// schemas are what each receiver documents.
var schemas = sync.OnceValue(func() map[webhook.Kind]*jsonschema.Resolved {
	all := map[webhook.Kind]*jsonschema.Resolved{}
	for _, kind := range []webhook.Kind{webhook.Slack, webhook.Teams, webhook.PagerDuty, webhook.Discord, webhook.GrafanaIRM} {
		raw, err := os.ReadFile("testdata/" + strings.ToLower(string(kind)) + ".schema.json")
		if err != nil {
			panic(err)
		}
		var schema jsonschema.Schema
		if err := json.Unmarshal(raw, &schema); err != nil {
			panic(err)
		}
		if all[kind], err = schema.Resolve(nil); err != nil {
			panic(err)
		}
	}
	return all
})

// check holds a message to what each receiver documents.
func check(t require.TestingT, all map[webhook.Kind][]byte) {
	for kind, body := range all {
		var value any
		require.NoError(t, json.Unmarshal(body, &value))
		require.NoError(t, schemas()[kind].Validate(value), "%s: %s", kind, body)
		require.True(t, utf8.Valid(body))
	}
	require.LessOrEqual(t, len(all[webhook.Slack]), slackMessage)
	require.LessOrEqual(t, len(all[webhook.Teams]), 28<<10)
	require.LessOrEqual(t, len(all[webhook.PagerDuty]), 512<<10)
	var m struct {
		Embeds []struct {
			Title, Description string
			Footer             struct{ Text string }
			Fields             []struct{ Name, Value string }
		}
	}
	require.NoError(t, json.Unmarshal(all[webhook.Discord], &m))
	total := 0
	for _, e := range m.Embeds {
		total += utf8.RuneCountInString(e.Title + e.Description + e.Footer.Text)
		for _, f := range e.Fields {
			total += utf8.RuneCountInString(f.Name + f.Value)
		}
	}
	require.LessOrEqual(t, total, 6000)
}

func someFinding() cause.Finding {
	return cause.Finding{
		Service: "cart", Statement: "latency of cart abnormal since 11:39 UTC; suspect: payment (confidence 80 %)", Since: noon.Add(-21 * time.Minute),
		Suspect:   &cause.Suspect{Name: "payment", Confidence: 0.8, For: []string{"SELECT is slower by 200 ms"}, Against: []string{"load is as before"}},
		Incident:  &cause.Incident{ID: "payment", State: "active", Services: []string{"payment", "cart"}},
		Changes:   []cause.Change{{At: noon.Add(-25 * time.Minute), Kind: "deploy", Service: "payment", Text: "payment 2.0 arrived"}},
		SlowTrace: "01", NormalTrace: "02",
	}
}

func someCourse() *cause.Course {
	c := &cause.Course{Name: "latency of cart", Start: noon.Add(-time.Hour), Step: time.Minute}
	for i := range 60 {
		c.Actual, c.Lower, c.Upper = append(c.Actual, 0.1+0.4*float64(i/40)), append(c.Lower, 0.08), append(c.Upper, 0.13)
	}
	return c
}

func full(t testing.TB, name string) message {
	n, err := read(fixture(t, name))
	require.NoError(t, err)
	m := messageOf(n)
	m.findings, m.course = []cause.Finding{someFinding()}, someCourse()
	m.chart, err = chartOf(m.course)
	require.NoError(t, err)
	require.NotEmpty(t, m.chart)
	m.links = (&API{Config: Config{GrafanaURL: "https://grafana.example.com/", Traces: TraceSource{"my-tempo", "tempo"}, Now: func() time.Time { return noon }}}).linksOf(n, m.findings)
	return m
}

func TestMessagesAreAsReceiversWantThem(t *testing.T) {
	for _, name := range []string{"grafana", "alertmanager"} {
		m := full(t, name)
		all := written(t, m)
		check(t, all)
		for kind, body := range all {
			for _, want := range []string{"FIRING:1", "suspect: payment", "SELECT is slower by 200 ms", "load is as before", "payment 2.0 arrived", "panes=", "▁"} {
				require.Contains(t, string(body), want, kind)
			}
		}
		require.Contains(t, string(all[webhook.Teams]), "data:image/png;base64,", "the chart is in the card")
		require.Less(t, len(all[webhook.Teams]), teamsMessage)
		plain, err := unchanged(m)
		require.NoError(t, err)
		var whole map[string]any
		require.NoError(t, json.Unmarshal(plain, &whole))
		require.Contains(t, whole["foresight"], "statement")
		delete(whole, "foresight")
		var before map[string]any
		require.NoError(t, json.Unmarshal(m.notification.raw, &before))
		require.Equal(t, before, whole)
	}
	require.Equal(t, "critical", full(t, "grafana").severity)
	require.Contains(t, full(t, "alertmanager").leftOut, "1 alerts of the group are resolved")
}

// TestNothingKnownIsUnchanged: to the byte for a generic webhook, and the alert
// alone for the others.
func TestNothingKnownIsUnchanged(t *testing.T) {
	n, err := read(fixture(t, "grafana"))
	require.NoError(t, err)
	m := messageOf(n)
	body, err := unchanged(m)
	require.NoError(t, err)
	require.Equal(t, n.raw, body)
	all := written(t, m)
	check(t, all)
	for kind, body := range all {
		require.Contains(t, string(body), "cart is unusually slow", kind)
		require.NotContains(t, string(body), "uspect", kind)
	}
}

// TestHostileNames: a name can be no link, no mention and no script.
func TestHostileNames(t *testing.T) {
	hostile := `<!channel> @everyone [x](https://evil.example) <script> | ` + "`*_~"
	m := full(t, "grafana")
	m.alerts, m.title = []string{hostile}, hostile
	m.findings[0].Statement, m.findings[0].Suspect.For = hostile, []string{hostile}
	all := written(t, m)
	check(t, all)
	var s struct {
		Blocks []struct{ Text struct{ Text, Type string } }
	}
	require.NoError(t, json.Unmarshal(all[webhook.Slack], &s))
	for _, block := range s.Blocks {
		if block.Text.Type == "mrkdwn" {
			require.NotContains(t, block.Text.Text, "<!channel>")
		}
	}
	for _, kind := range []webhook.Kind{webhook.Teams, webhook.Discord} {
		require.NotContains(t, strings.ReplaceAll(string(all[kind]), `\\]`, ""), "](https://evil", kind)
	}
	for text, want := range map[string]string{"javascript:alert(1)": "", "https://a/b": "https://a/b", "//evil": "", "https://a/" + strings.Repeat("x", 3000): "", "http://[::1": ""} {
		require.Equal(t, want, address(text))
	}
}

// manyAlerts is a notification of n alerts of 20 services.
func manyAlerts(n int) []byte {
	var alerts []string
	for i := range n {
		alerts = append(alerts, fmt.Sprintf(`{"status":"firing","labels":{"alertname":"Slow","service_name":"service-%d","pod":"%d"},"annotations":{"summary":"%s"},"startsAt":"2026-03-02T11:45:00Z","fingerprint":"%x"}`,
			i%20, i, strings.Repeat("it is slow ", 100), i))
	}
	return []byte(`{"version":"4","status":"firing","groupKey":"{}","alerts":[` + strings.Join(alerts, ",") + `],"commonLabels":{"alertname":"Slow"}}`)
}

func TestManyAlertsAreBounded(t *testing.T) {
	n, err := read(manyAlerts(500))
	require.NoError(t, err)
	m := messageOf(n)
	for range 3 {
		m.findings = append(m.findings, someFinding())
	}
	all := written(t, m)
	check(t, all)
	for kind, body := range all {
		require.Contains(t, string(body), "490 more alerts are not listed", kind)
		require.Contains(t, string(body), "service-0 25", kind)
		require.Contains(t, string(body), "FIRING:500", kind)
	}
	require.Len(t, lookups(n.firing(), noon), maxLookups)
}

// TestAnyTextFits is about notifications with texts of any length and kind.
func TestAnyTextFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat(rapid.String().Draw(t, "text"), rapid.IntRange(0, 100).Draw(t, "times"))
		})
		alerts := []map[string]any{}
		for range rapid.IntRange(1, 12).Draw(t, "alerts") {
			alerts = append(alerts, map[string]any{
				"status": rapid.SampledFrom([]string{"firing", "resolved", "odd"}).Draw(t, "status"), "startsAt": "2026-03-02T11:45:00Z", "fingerprint": text.Draw(t, "print"),
				"labels":      map[string]string{"alertname": text.Draw(t, "name"), "service": text.Draw(t, "service"), "severity": text.Draw(t, "severity"), "namespace": text.Draw(t, "namespace")},
				"annotations": map[string]string{"summary": text.Draw(t, "summary"), "runbook_url": "https://x/" + text.Draw(t, "path")}, "panelURL": text.Draw(t, "panel"),
			})
		}
		raw, err := json.Marshal(map[string]any{"version": "1", "groupKey": text.Draw(t, "key"), "alerts": alerts, "externalURL": text.Draw(t, "external"), "commonLabels": alerts[0]["labels"]})
		require.NoError(t, err)
		n, err := read(raw)
		require.NoError(t, err)
		m := messageOf(n)
		f := someFinding()
		f.Statement, f.Suspect.Name, f.Suspect.For = text.Draw(t, "statement"), text.Draw(t, "suspect"), []string{text.Draw(t, "for")}
		m.findings, m.course = []cause.Finding{f, f, f}, someCourse()
		m.course.Name = text.Draw(t, "course")
		m.links = (&API{Config: Config{Now: func() time.Time { return noon }}}).linksOf(n, m.findings)
		check(t, written(t, m))
	})
}

func TestIDs(t *testing.T) {
	id := func(change func(string) string) string {
		n, err := read([]byte(change(string(fixture(t, "alertmanager")))))
		require.NoError(t, err)
		return n.id()
	}
	was := id(func(s string) string { return s })
	require.Equal(t, was, id(func(s string) string {
		return strings.ReplaceAll(s, `"0001-01-01T00:00:00Z"`, `"2026-03-02T13:00:00Z"`)
	}), "the end of what fires moves")
	require.NotEqual(t, was, id(func(s string) string { return strings.ReplaceAll(s, "11:45", "11:46") }))
	require.NotEqual(t, was, id(func(s string) string { return strings.ReplaceAll(s, `"firing","labels"`, `"resolved","labels"`) }))
	require.NotEqual(t, was, id(func(s string) string { return strings.ReplaceAll(s, "a1b2", "ffff") }))
}

func TestNoNotification(t *testing.T) {
	for _, raw := range []string{``, `{}`, `[]`, `{"version":"2","alerts":[{}]}`, `{"version":"1","alerts":[]}`, `{"version":"1","alerts":[5]}`, `{"version":"1"`} {
		_, err := read([]byte(raw))
		require.Error(t, err, raw)
	}
	n, err := read([]byte(`{"version":"1","alerts":[5,{"labels":{"alertname":7}}]}`))
	require.NoError(t, err)
	require.Equal(t, 1, n.unreadable)
	require.Contains(t, messageOf(n).leftOut, "cannot be read")
	check(t, written(t, messageOf(n)))
}

func TestCharts(t *testing.T) {
	c := someCourse()
	require.Regexp(t, "^latency of cart since 11:00: ▁+█+ now 0.5, expected 0.08 to 0.13$", c.Text())
	c.Actual[10], c.Actual[11], c.Upper[20] = math.NaN(), math.Inf(1), math.NaN()
	drawn, err := chartOf(c)
	require.NoError(t, err)
	_, err = png.Decode(bytes.NewReader(drawn))
	require.NoError(t, err)
	require.Less(t, len(drawn), 12<<10)
	for _, c := range []*cause.Course{nil, {}, {Actual: []float64{math.NaN()}}, {Actual: []float64{1}, Step: time.Minute}} {
		drawn, err := chartOf(c)
		require.NoError(t, err)
		require.Empty(t, drawn)
	}
	flat := &cause.Course{Name: "x", Step: time.Minute, Actual: []float64{3, 3, 3}}
	require.Contains(t, flat.Text(), "▁▁▁ now 3")
	_, err = chartOf(flat)
	require.NoError(t, err)
}
