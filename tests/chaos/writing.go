package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/tests/harness"
)

// What is told to the plugin is kept in Grafana. What came of telling it is not
// what the plugin says, but what Grafana then holds: every happening once,
// however often it was told.

// telling is a happening that is told to a route, by one request or several.
type telling struct {
	path   string
	bodies func(scene) []string
}

// writes are the routes that write, in each of the shapes that they take.
func writes() []Question {
	tell := func(name, path string, bodies ...func(scene) string) Question {
		all := func(s scene) (texts []string) {
			for _, body := range bodies {
				texts = append(texts, body(s))
			}
			return texts
		}
		return Question{Name: name, Needs: []string{Grafana}, ask: telling{path, all}.ask, holds: notesOf}
	}
	text := func(format string) func(scene) string {
		return func(s scene) string { return strings.ReplaceAll(format, "TIME", s.to.UTC().Format(time.RFC3339)) }
	}
	alert := `{"status":"STATUS","labels":{"alertname":"NAME","service_name":"billing"},"startsAt":"TIME","endsAt":"END","fingerprint":"NAME"}`
	notification := func(version, status string) func(scene) string {
		return func(s scene) string {
			one := strings.NewReplacer("STATUS", status, "END", s.to.UTC().Add(time.Minute).Format(time.RFC3339)).Replace(alert)
			var alerts []string
			for _, name := range []string{"Slow", "Failing", "Full"} {
				alerts = append(alerts, strings.ReplaceAll(one, "NAME", name))
			}
			return text(`{"version":"` + version + `","alerts":[` + strings.Join(alerts, ",") + `]}`)(s)
		}
	}
	cdEvent := `{"context":{"id":"271","source":"/ci","type":"dev.cdevents.service.deployed.0.2.0","timestamp":"TIME"},"subject":{"id":"billing","content":{"artifactId":"pkg:npm/billing@7"}}}`
	number := tell("number written down", "hooks/annotate", text(`{"query":"foresight_predicted_demand{service=\"orders\"}","id":"run 7"}`))
	number.Needs = []string{Grafana, Prometheus}
	proposal := tell("playbook's proposal", "playbooks", text(`{"service":"orders"}`))
	proposal.Uses = []string{Prometheus, Tempo}
	return []Question{
		tell("deploy", "hooks/deploy", text(`{"service":"billing","version":"4","time":"TIME"}`)),
		tell("deploy without a time", "hooks/deploy", text(`{"service":"billing","version":"5"}`)),
		tell("deploy as CloudEvent", "hooks/deploy", text(`{"specversion":"1.0","id":"9","source":"ci","type":"com.example.deploy","time":"TIME","data":{"service":"billing","version":"6"}}`)),
		tell("deploy as CDEvent", "hooks/deploy", text(`{"specversion":"1.0","id":"8","source":"ci","type":"dev.cdevents.service.deployed.0.2.0","data":`+cdEvent+`}`)),
		tell("deploy of Flagger", "flagger/event", text(`{"name":"billing","namespace":"shop","phase":"Progressing","checksum":"85d5","metadata":{"eventMessage":"New revision detected! Scaling up"}}`)),
		tell("alerts of Grafana", "hooks/alert", notification("1", "firing")),
		tell("alerts that end", "hooks/alert", notification("4", "firing"), notification("4", "resolved")),
		tell("feedback", "feedback", text(`{"time":"TIME","real":false,"service":"billing"}`)),
		number, proposal,
	}
}

// ask tells it all. What is not kept must be told with a status after which
// senders try again, by a message that says to.
func (one telling) ask(ctx context.Context, on queried) (facts, []string, error) {
	var notices []string
	for _, body := range one.bodies(on.scene) {
		plugin := on.Context
		plugin.User = &backend.User{Login: "sa-1", Role: "Editor"}
		status, raw, err := on.Plugin.Resource(ctx, &backend.CallResourceRequest{
			PluginContext: plugin, Path: one.path, Method: http.MethodPost, URL: one.path, Body: []byte(body), Headers: map[string][]string{"Content-Type": {"application/json"}},
		})
		if err != nil {
			return nil, nil, err
		}
		var said struct {
			Error   string
			Notices []string
			NotKept map[string]string
		}
		if err := json.Unmarshal(raw, &said); err != nil {
			return nil, nil, &failed{message: fmt.Sprintf("not JSON: %.200s", raw)}
		}
		if status != http.StatusOK {
			message := strings.Join(append(slices.Collect(maps.Values(said.NotKept)), said.Error), " ")
			again := status == http.StatusTooManyRequests || status > http.StatusInternalServerError
			return nil, nil, &failed{fmt.Sprintf("HTTP %d: %s", status, message), again && strings.Contains(message, "Send it again")}
		}
		notices = append(notices, said.Notices...)
	}
	return notesOf(on), notices, nil
}

// notesOf counts the notes that Grafana holds of what was told to a data source:
// each kind, with its ends.
func notesOf(on queried) facts {
	counts := map[string]int{}
	for _, one := range on.notes() {
		if !slices.ContainsFunc(one.Tags, func(tag string) bool { return strings.HasPrefix(tag, "foresight-id:") }) {
			continue // nobody told the plugin of it
		}
		kind := "note " + strings.Join(one.Tags[:len(one.Tags)-1], " ")
		counts[kind]++
		if one.TimeEnd > one.Time {
			counts[kind+" ended"]++
		}
	}
	held := facts{}
	for kind, count := range counts {
		held[kind] = strconv.Itoa(count)
	}
	return held
}

// announced is a deploy that only an annotation tells of.
func announced(s scene) harness.Annotation {
	return harness.Annotation{Time: s.from.Add(time.Second).UnixMilli(), Text: "billing 3", Tags: []string{"deploy", "service:billing", "version:3"}}
}

// The ways in which Grafana alone fails: it answers what is read, and what is
// written goes wrong.
var writesFail = []Fault{
	{Name: "writes fail", Means: "what is written is answered with HTTP 500, as by a database that is locked", Of: Grafana, Effect: Sometimes,
		Answer: writing(answering(http.StatusInternalServerError, "application/json", `{"message":"Failed to save annotation"}`))},
	{Name: "read only", Means: "what is written is answered with HTTP 403", Of: Grafana, Effect: Sometimes,
		Answer: writing(answering(http.StatusForbidden, "application/json", `{"message":"You'll need additional permissions to perform this action. Permissions needed: annotations:create"}`))},
	{Name: "swallowed", Means: "what is written is lost, and answered with HTTP 200 by somebody else", Of: Grafana, Effect: Sometimes,
		Answer: writing(answering(http.StatusOK, "application/json", `{"status":"ok"}`))},
	{Name: "answer lost", Means: "what is written is kept, and the connection breaks before the answer", Of: Grafana, Effect: Sometimes, Short: true,
		Answer: writing(func(_ http.ResponseWriter, r *http.Request, pass http.Handler) {
			pass.ServeHTTP(discarded{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		})},
	{Name: "answer late", Means: "what is written is kept, and answered after the deadline", Of: Grafana, Effect: Sometimes,
		Answer: writing(func(_ http.ResponseWriter, r *http.Request, pass http.Handler) {
			pass.ServeHTTP(discarded{http.Header{}}, r)
			<-r.Context().Done()
		})},
}

// writing is a fault of requests that write.
func writing(fail func(http.ResponseWriter, *http.Request, http.Handler)) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.Method == http.MethodGet {
			pass.ServeHTTP(w, r)
			return
		}
		fail(w, r, pass)
	}
}

// discarded is an answer that nobody gets.
type discarded struct{ header http.Header }

func (d discarded) Header() http.Header       { return d.header }
func (discarded) Write(b []byte) (int, error) { return len(b), nil }
func (discarded) WriteHeader(int)             {}
