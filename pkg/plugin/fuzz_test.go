package plugin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"
)

// secretFields are all that hold a secret.
var secretFields = []string{
	"prometheusPassword", "prometheusToken", "prometheusTlsClientKey", "tracesPassword", "tracesToken", "tracesTlsClientKey",
	"grafanaToken", "webhookSecret", "signingSecret", "pagerDutyRoutingKey",
}

// FuzzParseSettings reads any settings with any secrets: they can be connected
// with or it is said what is wrong, and never what is secret.
func FuzzParseSettings(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"prometheus": null}`, `{"prometheus": {"url": 1e400}}`,
		`{"prometheus": {"headers": {"A": null, "": ""}}, "limits": {"timeout": 1e300, "concurrency": -1e300}}`,
		`{"traces": {"kind": "jaeger", "mode": "grafana", "uid": {}}}`, `{"prometheus": {"url": "http://p", "basicAuthUser": "u"}}`,
		`{"webhooks": [{"name": "a", "url": "https://x.example"}, {"name": "b", "kind": "pagerDutyChanges"}], "playbooks": {"rules": {"x": 1}}}`,
		`{"signals": [{"name": "a", "kind": "traffic", "expr": "x{a='$service'}"}], "series": [{"name": "a", "expr": "b", "threshold": "NaN"}]}`,
	} {
		f.Add([]byte(seed), "-----BEGIN hunter2hunter2", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	}
	f.Fuzz(func(t *testing.T, raw []byte, secret, signing string) {
		secrets := map[string]string{}
		for _, field := range secretFields {
			secrets[field] = secret
		}
		secrets["signingSecret"] = signing
		settings, err := ParseSettings(instance(string(raw), secrets))
		if err != nil {
			hides(t, err.Error(), raw, secret, signing)
			return
		}
		if settings.Metrics != nil || settings.Traces != nil { // else there is nothing to connect to
			connected, err := settings.connect(t.Context(), instance(string(raw), secrets))
			connected.close()
			if err != nil {
				hides(t, err.Error(), raw, secret, signing)
			}
		}
		hides(t, strings.Join(settings.Notices, "\n"), raw, secret, signing)
	})
}

// hides checks that a message holds no secret, unless the asker wrote the same
// text into what is no secret, or it is an ordinary word.
func hides(t *testing.T, message string, raw []byte, secrets ...string) {
	for _, secret := range secrets {
		if len(secret) > 12 && strings.Contains(message, secret) && !strings.Contains(string(raw), secret) {
			written, _ := json.Marshal(secret)
			if !strings.Contains(string(raw), string(written)) {
				t.Fatalf("a secret stands in %q", message)
			}
		}
	}
}

// FuzzLive subscribes to any channel with any query: a channel belongs to one
// question, however that is written, and lets nobody in with another.
func FuzzLive(f *testing.F) {
	const question = `{"query": {"queryType": "anomaly", "expr": "up"}, "seconds": 3600}`
	queried, err := parseLive([]byte(question))
	require.NoError(f, err)
	f.Add([]byte(question), queried.path)
	f.Add([]byte(`{"query": {"queryType": "anomaly", "expr": "up", "live": true, "filters": [{"key": "a", "value": "b"}]}, "seconds": 86400}`), "anomaly/v1/../x")
	f.Add([]byte(`{"query": {"queryType": "traceDiff"}, "seconds": -1}`), "")
	created, err := New(f.Context(), instance(`{}`, nil))
	require.NoError(f, err)
	f.Cleanup(created.(*DataSource).Dispose)
	f.Fuzz(func(t *testing.T, raw []byte, path string) {
		queried, err := parseLive(raw)
		answer, failed := created.(*DataSource).SubscribeStream(t.Context(), &backend.SubscribeStreamRequest{Path: path, Data: raw})
		if err != nil || path != queried.path {
			require.NoError(t, failed)
			require.NotEqual(t, backend.SubscribeStreamStatusOK, answer.Status)
		} else {
			require.Error(t, failed, "nothing is configured")
		}
		if err != nil {
			return
		}
		require.Len(t, queried.path, len(channelPrefix)+32)
		question, err := json.Marshal(queried.question)
		require.NoError(t, err)
		typed := strings.Replace(string(question), "{", `{"queryType":"anomaly",`, 1)
		again, err := json.Marshal(liveQuery{json.RawMessage(typed), int(queried.window.Seconds())})
		require.NoError(t, err)
		same, err := parseLive(again)
		require.NoError(t, err)
		require.Equal(t, queried, same)
	})
}

// FuzzResources asks any path with any parameters and body as an Admin, where
// nothing is configured: an answer in JSON, or that there is no such route.
func FuzzResources(f *testing.F) {
	for _, r := range routes {
		path, query, _ := strings.Cut(r.path, "?")
		f.Add(r.method, path, query, []byte(`{"service": "cart", "query": "foresight_up", "real": true, "time": "now"}`))
		f.Add(r.method, path+"/%2e%2e/x", "from=9223372036854775807&to=-1&service=%ff&time=1e400&match[]={", []byte("match[]=%zz"))
	}
	created, err := New(f.Context(), instance(`{"limits": {"callerRate": 10000, "timeout": "1s"}}`, nil))
	require.NoError(f, err)
	f.Cleanup(created.(*DataSource).Dispose)
	f.Fuzz(func(t *testing.T, method, path, query string, body []byte) {
		call := &backend.CallResourceRequest{Method: method, Path: path, URL: (&url.URL{Path: path, RawQuery: query}).String(), Body: body}
		call.PluginContext.User = &backend.User{Login: path, Role: "Admin"} // many callers: none asks too often
		call.Headers = map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}}
		var status int
		var answer []byte
		kind := ""
		err := created.(*DataSource).CallResource(t.Context(), call, backend.CallResourceResponseSenderFunc(func(r *backend.CallResourceResponse) error {
			if r.Status != 0 {
				status = r.Status
				kind = http.Header(r.Headers).Get("Content-Type")
			}
			answer = append(answer, r.Body...)
			return nil
		}))
		if err != nil {
			return // no request can be made of it
		}
		if kind == "application/json" && !json.Valid(answer) || status == 0 || status == http.StatusInternalServerError {
			t.Fatalf("%s %q?%q is answered with %d %q", method, path, query, status, answer)
		}
	})
}
