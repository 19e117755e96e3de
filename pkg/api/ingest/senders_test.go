package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// TestSenders: what each tool sends by itself, cut to what is read, is a deploy,
// and its other events are none.
func TestSenders(t *testing.T) {
	ten := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	github := func(event string) http.Header { return http.Header{"X-Github-Event": {event}} }
	for name, test := range map[string]struct {
		header http.Header
		raw    string
		want   deployed
	}{
		"GitHub deployment": {github("deployment_status"), `{"action":"created","deployment_status":{"state":"success","environment":"production","created_at":"2026-03-02T10:00:00Z"},
			"deployment":{"id":12345,"ref":"v1.4.0","sha":"f95f852bd8fca8fcc58a9a2d6c842781e32a215e","environment":"production","payload":{},"description":null},"repository":{"name":"cart","full_name":"shop/cart"}}`,
			deployed{Service: "cart", Version: "v1.4.0", Environment: "production", Time: ten, ID: "github 12345"}},
		"GitHub deployment of a branch": {github("deployment_status"), `{"deployment_status":{"state":"success","created_at":"2026-03-02T10:00:00Z"},
			"deployment":{"id":1,"ref":"main","sha":"f95f852bd8fca8fcc58a9a2d6c842781e32a215e","payload":{"service":"cart-api"}},"repository":{"name":"mono"}}`,
			deployed{Service: "cart-api", Version: "f95f852bd8fc", Time: ten, ID: "github 1"}},
		"GitHub release": {github("release"), `{"action":"published","release":{"id":7,"tag_name":"v2.0.0","name":null,"published_at":"2026-03-02T10:00:00Z"},"repository":{"name":"cart"}}`,
			deployed{Service: "cart", Version: "v2.0.0", Text: "cart v2.0.0", Time: ten, ID: "github release 7"}},
		"GitLab deployment": {nil, `{"object_kind":"deployment","status":"success","status_changed_at":"2026-03-02 12:00:00 +0200","deployment_id":15,"deployable_id":796,
			"environment":"staging","project":{"id":30,"name":"cart"},"ref":"1.4.0","short_sha":"279484c0","tag":true}`,
			deployed{Service: "cart", Version: "1.4.0", Environment: "staging", Time: ten, ID: "gitlab 15"}},
		"GitLab release": {nil, `{"id":1,"object_kind":"release","action":"create","tag":"v1.1","name":"v1.1","released_at":"2026-03-02 10:00:00 UTC","project":{"name":"cart"}}`,
			deployed{Service: "cart", Version: "v1.1", Time: ten, ID: "gitlab release 1"}},
		"Flux Kustomization": {nil, `{"involvedObject":{"kind":"Kustomization","namespace":"shop","name":"cart","uid":"x","apiVersion":"kustomize.toolkit.fluxcd.io/v1"},"severity":"info",
			"timestamp":"2026-03-02T10:00:00Z","message":"Reconciliation finished","reason":"ReconciliationSucceeded","metadata":{"revision":"main@sha1:731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"},
			"reportingController":"kustomize-controller","reportingInstance":"kustomize-controller-7c7b47f5f-8bhrp"}`,
			deployed{Service: "cart", Version: "731f7eaddfb6", Environment: "shop", Text: "Reconciliation finished", Time: ten,
				ID: "flux Kustomization shop/cart main@sha1:731f7eaddfb6af01cb2173e18f0f75b0ba780ef1 ReconciliationSucceeded"}},
		"Flux HelmRelease": {nil, `{"involvedObject":{"kind":"HelmRelease","namespace":"shop","name":"cart"},"timestamp":"2026-03-02T10:00:00Z","reason":"UpgradeSucceeded",
			"message":"Helm upgrade succeeded","metadata":{"helm.toolkit.fluxcd.io/revision":"6.5.4+3f2a"},"reportingController":"helm-controller"}`,
			deployed{Service: "cart", Version: "6.5.4", Environment: "shop", Text: "Helm upgrade succeeded", Time: ten, ID: "flux HelmRelease shop/cart 6.5.4+3f2a UpgradeSucceeded"}},
		"Kubernetes event exporter": {nil, `{"metadata":{"name":"cart.17a","namespace":"shop","uid":"u"},"reason":"ScalingReplicaSet","message":"Scaled up replica set cart-6f8d9c7b5 from 0 to 1",
			"source":{"component":"deployment-controller"},"firstTimestamp":"2026-03-02T10:00:00Z","lastTimestamp":"2026-03-02T10:00:00Z","count":1,"type":"Normal","eventTime":null,
			"reportingComponent":"deployment-controller","involvedObject":{"kind":"Deployment","namespace":"shop","name":"cart","labels":{"app.kubernetes.io/name":"cart-api"}}}`,
			deployed{Service: "cart-api", Version: "6f8d9c7b5", Environment: "shop", Time: ten, ID: "kubernetes shop/cart-6f8d9c7b5"}},
		"LaunchDarkly": {nil, `{"_links":{},"_id":"a1","_accountId":"b","date":1772445600000,"accesses":[{"action":"updateOn","resource":"proj/shop:env/production:flag/new-cart;beta"}],
			"kind":"flag","name":"New cart","description":"","titleVerb":"turned on the flag","title":"Ann turned on the flag New cart"}`,
			deployed{Service: "shop", Version: "new-cart updateOn", Environment: "production", Text: "Ann turned on the flag New cart", Time: ten, ID: "launchdarkly a1", change: flagChange}},
		"OpenFeature": {nil, `{"flag":"new-cart","variant":"on","service":"cart","time":1772445600}`,
			deployed{Service: "cart", Version: "new-cart on", Text: "flag new-cart on", Time: ten, change: flagChange}},
		"Jenkins": {nil, `{"name":"deploy","display_name":"deploy","url":"job/deploy/","build":{"full_url":"https://ci/job/deploy/42/","number":42,"queue_id":1,"timestamp":1772445600000,
			"phase":"FINALIZED","status":"SUCCESS","url":"job/deploy/42/","parameters":{"SERVICE":"cart","VERSION":"1.4.0"},"scm":{"commit":"f95f"}}}`,
			deployed{Service: "cart", Version: "1.4.0", Time: ten, ID: "jenkins https://ci/job/deploy/42/"}},
		"Jenkins without parameters": {nil, `{"name":"cart","build":{"number":42,"timestamp":1772445600000,"phase":"COMPLETED","status":"SUCCESS","url":"job/cart/42/"}}`,
			deployed{Service: "cart", Version: "42", Time: ten, ID: "jenkins job/cart/42/"}},
		"CloudEvent, binary": {http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {"e1"}, "Ce-Source": {"/ci"}, "Ce-Type": {"com.shop.deployed"}, "Ce-Time": {"2026-03-02T10:00:00Z"}, "Ce-Subject": {"cart%20api"}},
			`{"version":"3"}`, deployed{Service: "cart api", Version: "3", Time: ten, ID: "/ci e1"}},
		"CloudEvent, binary, without data": {http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {"e1"}, "Ce-Source": {"/ci"}, "Ce-Subject": {"cart"}, "Ce-Time": {"2026-03-02T10:00:00Z"}},
			``, deployed{Service: "cart", Time: ten, ID: "/ci e1"}},
		"CloudEvent, structured": {nil, `{"specversion":"1.0","id":"e2","source":"/ci","type":"com.shop.deployed","time":"2026-03-02T10:00:00Z","data":{"service":"cart","version":4}}`,
			deployed{Service: "cart", Version: "4", Time: ten, ID: "/ci e2"}},
		"CloudEvent, structured, base64": {nil, `{"specversion":"1.0","id":"e2","source":"/ci","type":"x","time":"2026-03-02T10:00:00Z","data_base64":"eyJzZXJ2aWNlIjoiY2FydCJ9"}`,
			deployed{Service: "cart", Time: ten, ID: "/ci e2"}},
		"CDEvent, binary": {http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {"e3"}, "Ce-Source": {"/ci"}, "Ce-Type": {"dev.cdevents.service.deployed.0.1.0"}},
			`{"context":{"type":"dev.cdevents.service.deployed.0.1.0","id":"c","source":"s","timestamp":"2026-03-02T10:00:00Z"},"subject":{"id":"cart","content":{"artifactId":"pkg:oci/cart@sha256:1?tag=5"}}}`,
			deployed{Service: "cart", Version: "5", Text: "cart deployed", Time: ten, ID: "/ci e3"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readDeploy(orEmpty(test.header), []byte(test.raw), deployed{}, noon)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
			require.NotEmpty(t, got.annotation("deploy").Text)
		})
	}
}

func orEmpty(h http.Header) http.Header {
	if h == nil {
		return http.Header{}
	}
	return h
}

func TestWhatAnnouncesNothing(t *testing.T) {
	for event, raw := range map[string]string{
		"ping":              `{"zen":"Keep it simple."}`,
		"deployment":        `{"deployment":{"id":1,"ref":"v1"},"repository":{"name":"cart"}}`,
		"deployment_status": `{"deployment_status":{"state":"failure"},"repository":{"name":"cart"}}`,
		"release":           `{"action":"edited","release":{"tag_name":"v1"}}`,
		"": `[{"object_kind":"deployment","status":"running","project":{"name":"cart"}},
			{"object_kind":"pipeline","project":{"name":"cart"}},
			{"involvedObject":{"kind":"Deployment","name":"cart"},"reason":"ScalingReplicaSet","message":"Scaled up replica set cart-6f8d9c7b5 from 1 to 3"},
			{"involvedObject":{"kind":"Pod","name":"cart"},"reason":"Killing","message":"Stopping container"},
			{"involvedObject":{"kind":"GitRepository","name":"cart"},"reason":"NewArtifact","reportingController":"source-controller"},
			{"kind":"project","accesses":[{"action":"updateName"}]},
			{"name":"cart","build":{"phase":"STARTED"}},{"name":"cart","build":{"phase":"COMPLETED","status":"FAILURE"}}]`,
	} {
		all, problems, err := readDeploys(http.Header{"X-Github-Event": {event}}, []byte(raw), deployed{}, noon)
		require.NoError(t, err, event)
		require.Empty(t, all, event)
		require.Empty(t, problems, event)
	}
}

// TestABadElementLeavesTheOthers, in lists and batches of CloudEvents, and is
// named without a word of Go's.
func TestABadElementLeavesTheOthers(t *testing.T) {
	all, problems, err := readDeploys(http.Header{"Content-Type": {"application/cloudevents-batch+json"}}, []byte(`[
		{"specversion":"1.0","id":"1","source":"/ci","type":"x","data":{"service":"cart","version":1}},
		{"specversion":"1.0","id":"2","source":"/ci","type":"x","data":{"service":{"name":"cart"}}},
		{"service":"orders","time":"yesterday"}, 7, {"version":"1"},
		{"service":"team/payment"}]`), deployed{}, noon)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "cart", all[0].Service)
	require.Equal(t, "team/payment", all[1].Service)
	require.Equal(t, []string{
		"element 2: the CloudEvent cannot be read: data: service must be text, got an object",
		`element 3: time must be a time like 2026-01-31T12:00:00Z, or a number since 1970 in s, ms, µs or ns, got "yesterday"`,
		"element 4: the body is not a JSON object: the body must be an object, got a number",
		`element 5: the service is missing: write {"service": "cart", "version": "2.0.0"}, send a CloudEvent, or add ?service=cart to the address`,
	}, problems)
	_, _, err = readDeploys(http.Header{}, []byte(`[{"version":"1"}, {"service":[]}]`), deployed{}, noon)
	require.ErrorContains(t, err, "element 2: service must be text, got a list")
	_, _, err = readDeploys(http.Header{}, []byte(`{"service":`), deployed{}, noon)
	require.EqualError(t, err, "the body is not a JSON object: it is not JSON: it breaks off, or holds what does not belong there, at byte 11")
	many := make([]byte, 0, 4000)
	many = append(many, '[')
	for i := range 101 {
		if i > 0 {
			many = append(many, ',')
		}
		many = append(many, `{"service":"cart"}`...)
	}
	all, problems, err = readDeploys(http.Header{}, append(many, ']'), deployed{}, noon)
	require.NoError(t, err)
	require.Len(t, all, 100)
	require.Equal(t, []string{"1 of 101 elements were left out: send at most 100 at once"}, problems)
}

// TestWhatSendersAddToJSON: a form around it, as GitHub sends it by default, a byte
// order mark, numbers and text where others send objects.
func TestWhatSendersAddToJSON(t *testing.T) {
	body := `{"deployment_status":{"state":"success","created_at":"2026-03-02T10:00:00Z"},"repository":{"name":"mono"},
		"deployment":{"id":1,"ref":"main","sha":"f95f852bd8fc","payload":{"service":"cart","version":42}}}`
	header := http.Header{"X-Github-Event": {"deployment_status"}, "Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	for name, raw := range map[string]string{
		"form": "payload=" + url.QueryEscape(body), "JSON": body, "byte order mark": "\ufeff" + body, "list with one": "\ufeff[" + body + "]",
		"payload as text": strings.Replace(body, `{"service":"cart","version":42}`, `"{\"service\":\"cart\",\"version\":42}"`, 1),
	} {
		all, problems, err := readDeploys(header, unwrapped(header, []byte(raw)), deployed{}, noon)
		require.NoError(t, err, name)
		require.Empty(t, problems)
		require.Equal(t, "cart", all[0].Service, name)
		require.Equal(t, "42", all[0].Version, name)
	}
	_, problems, err := readAlerts([]byte(`{"version":4,"alerts":[
		{"status":"firing","labels":{"alertname":"Slow","code":500},"startsAt":1772445600},
		{"status":"firing","labels":{"alertname":"Slow","code":500},"startsAt":1772445600000,"fingerprint":7},
		{"status":"firing","labels":{"alertname":["Slow"]},"startsAt":1772445600}]}`))
	require.NoError(t, err)
	require.Equal(t, []string{"alert 3: labels must be text, got a list"}, problems, "an alert is known by its labels, too")
}

// TestFeedbackIsReadAsItIsSent: booleans as text and numbers.
func TestFeedbackIsReadAsItIsSent(t *testing.T) {
	a := &API{Now: func() time.Time { return noon }}
	for _, isReal := range []string{`false`, `"False"`, `0`, `"0"`} {
		saved, err := a.readFeedback([]byte(`{"time":1600000000,"real":` + isReal + `,"service":7}`))
		require.NoError(t, err, isReal)
		require.Contains(t, saved.Tags, "foresight:false")
	}
	_, err := a.readFeedback([]byte(`{"time":1600000000,"real":"perhaps"}`))
	require.EqualError(t, err, `real must be true or false, got "perhaps"`)
}

// TestTheAddressNamesTheService, with slashes too, where a body cannot.
func TestTheAddressNamesTheService(t *testing.T) {
	for _, path := range []string{"/hooks/deploy?service=team%2Fcart", "/hooks/deploy?service=team/cart", "/hooks/deploy/team/cart"} {
		mux := http.NewServeMux()
		var named deployed
		take := func(_ http.ResponseWriter, r *http.Request) { named = namedIn(r) }
		mux.HandleFunc("/hooks/deploy", take)
		mux.HandleFunc("/hooks/deploy/{service...}", take)
		r, err := http.NewRequest(http.MethodPost, path, nil)
		require.NoError(t, err)
		mux.ServeHTTP(nil, r)
		require.Equal(t, "team/cart", named.Service, path)
	}
	got, err := readDeploy(http.Header{}, []byte(`{"service":"x","version":"1"}`), deployed{Service: "team/cart", Environment: "prod"}, noon)
	require.NoError(t, err)
	require.Equal(t, deployed{Service: "team/cart", Version: "1", Environment: "prod", Time: noon, untimed: true}, got)
}

func TestChangesOfFlagsAreNoDeploys(t *testing.T) {
	d, err := readDeploy(http.Header{}, []byte(`{"flag":"new-cart","value":true,"service":"cart"}`), deployed{}, noon)
	require.NoError(t, err)
	tags := d.annotation("deploy").Tags
	require.NotContains(t, tags, "deploy")
	require.Contains(t, tags, "change")
	require.Contains(t, tags, "feature-flag")
}

const files = "../../../provisioning/engines/senders/"

// documents are those of a file of YAML.
func documents(t *testing.T, file string) (all []map[string]any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	for {
		var one map[string]any
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err, file)
		all = append(all, one)
	}
}

func TestFilesOfSenders(t *testing.T) {
	found, err := filepath.Glob(files + "*.yaml")
	require.NoError(t, err)
	require.Len(t, found, 9)
	for _, file := range found {
		require.NotEmpty(t, documents(t, file))
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(raw), "/api/datasources/uid/foresight/resources/hooks/deploy", file)
	}
}

// TestTheTemplateOfArgoCD is rendered as Argo CD does, and read.
func TestTheTemplateOfArgoCD(t *testing.T) {
	settings := documents(t, files+"argo-cd.yaml")[0]["data"].(map[string]any)
	var parsed struct {
		Webhook map[string]struct{ Method, Body string }
	}
	require.NoError(t, yaml.Unmarshal([]byte(settings["template.foresight"].(string)), &parsed))
	body, err := template.New("").Option("missingkey=error").Parse(parsed.Webhook["foresight"].Body)
	require.NoError(t, err)
	var app map[string]any
	require.NoError(t, json.Unmarshal([]byte(`{"app":{"metadata":{"name":"cart"},"spec":{"destination":{"namespace":"shop"}},
		"status":{"operationState":{"finishedAt":"2026-03-02T10:00:00Z","syncResult":{"revision":"731f7ead"}}}}}`), &app))
	var rendered strings.Builder
	require.NoError(t, body.Execute(&rendered, app))
	got, err := readDeploy(http.Header{}, []byte(rendered.String()), deployed{}, noon)
	require.NoError(t, err)
	require.Equal(t, "cart 731f7ead shop argocd cart 731f7ead", strings.Join([]string{got.Service, got.Version, got.Environment, got.ID}, " "))
}

func TestTheBodyOfOpenFeature(t *testing.T) {
	raw, err := json.Marshal(documents(t, files+"openfeature.yaml")[0]["body"])
	require.NoError(t, err)
	all, problems, err := readDeploys(http.Header{}, raw, deployed{}, noon)
	require.NoError(t, err)
	require.Empty(t, problems)
	require.Len(t, all, 1)
	require.Equal(t, "new-cart on", all[0].Version)
}
