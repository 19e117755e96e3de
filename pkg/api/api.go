// Package api is Foresight over HTTP, each answer in the format of the engine
// that reads it. Engines misread odd answers, each in its own way: an empty
// vector scales in, a page that is no JSON promotes. So where no number can be
// trusted every route says so with a status of 400 or above and a JSON body, and
// never with a zero, a NaN or nothing.
package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/agents"
	"github.com/foresight-observability/foresight/pkg/api/engines"
	"github.com/foresight-observability/foresight/pkg/api/enrich"
	"github.com/foresight-observability/foresight/pkg/api/ingest"
	"github.com/foresight-observability/foresight/pkg/api/playbooks"
	"github.com/foresight-observability/foresight/pkg/api/promapi"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/api/verdict"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/telemetry"
)

// Settings are what a data source's configuration says about the API.
type Settings struct {
	Series []promapi.NamedSeries
	// Annotations saves what is sent to Foresight; nil where it cannot be saved.
	Annotations annotation.Writer
	// DeployTag marks the annotations of deploys, as the data source reads them.
	DeployTag string
	// WebhookSecret signs notifications of alerts; empty for unsigned ones.
	WebhookSecret string
	// Sender sends webhooks; nil where none is configured.
	Sender *webhook.Sender
	// Playbooks are the limits of playbooks, and AuditTrail where their acts and
	// outcomes are read; nil for nowhere.
	Playbooks  playbooks.Settings
	AuditTrail annotation.Source[annotation.Annotation]
	// Ask answers the queries of agents.
	Ask agents.Ask
	// EnrichDeadline bounds the lookup of the causes of a notification, Notified is
	// where deliveries are read; nil for nowhere.
	EnrichDeadline time.Duration
	Notified       annotation.Source[annotation.Annotation]
	// GrafanaURL is where people open Grafana, and Traces the data source that shows
	// them traces; empty where unknown.
	GrafanaURL string
	Traces     enrich.TraceSource
	// UID is the data source's.
	UID string
	// Unusable says why the data source cannot answer; nil where it can.
	Unusable error
	// CallerRate is how many requests per second one caller may send.
	CallerRate int
	// Timeout bounds the work for one request.
	Timeout time.Duration
}

// API serves the routes below the data source's resource path.
type API struct {
	unusable  error
	now       func() time.Time
	limiter   *rateLimiter
	decider   *verdict.Decider
	announcer *webhook.Announcer
	prom      *promapi.API
	engines   *engines.API
	ingest    *ingest.API
	webhook   *webhook.API
	playbooks *playbooks.API
	agents    *agents.API
	enrich    *enrich.API
}

// New makes the API of one data source.
func New(e *engine.Engine, settings Settings) *API {
	// Settings that cannot be used may be empty; their routes still say why.
	rate, timeout := cmp.Or(settings.CallerRate, 1), cmp.Or(settings.Timeout, time.Second)
	// An upstream that is slow fails first, and its error says which it is.
	timeout += timeout / 5
	source := "/foresight/" + settings.UID
	decider := verdict.New(e, e.Now, timeout)
	announcer := webhook.NewAnnouncer(settings.Sender)
	prom := promapi.New(promapi.Config{
		Engine: e, Decider: decider, Probes: probes(e), Series: settings.Series, Now: e.Now, Timeout: timeout,
	})
	var names []string
	for _, s := range settings.Series {
		names = append(names, s.Name)
	}
	return &API{
		unusable: settings.Unusable, now: e.Now, limiter: newRateLimiter(rate), decider: decider, announcer: announcer, prom: prom,
		engines: &engines.API{Engine: e, Numbers: prom, Decider: decider, Series: names, Now: e.Now},
		ingest: &ingest.API{
			Annotations: settings.Annotations, Numbers: prom, Announcer: announcer, DeployTag: settings.DeployTag,
			WebhookSecret: settings.WebhookSecret, Source: source, Now: e.Now, Timeout: timeout,
		},
		webhook: &webhook.API{Sender: settings.Sender, Numbers: prom, Source: source},
		playbooks: playbooks.New(playbooks.Config{
			Engine: e, Settings: settings.Playbooks, Annotations: settings.Annotations, AuditTrail: settings.AuditTrail, Sender: settings.Sender,
			Source: source, Now: e.Now, Timeout: timeout,
		}),
		agents: agents.New(settings.Ask, e, e.Now, timeout),
		enrich: enrich.New(enrich.Config{
			Engine: e, Sender: settings.Sender, Deadline: cmp.Or(settings.EnrichDeadline, time.Second), WebhookSecret: settings.WebhookSecret,
			Annotations: settings.Annotations, Notified: settings.Notified, GrafanaURL: settings.GrafanaURL, Traces: settings.Traces, Now: e.Now,
		}),
	}
}

// probes ask each configured upstream whether it answers.
func probes(e *engine.Engine) (all []func(context.Context) error) {
	if e.Metrics != nil {
		all = append(all, func(ctx context.Context) error { _, err := e.Metrics.Probe(ctx); return err })
	}
	if e.Traces != nil {
		all = append(all, func(ctx context.Context) error { _, err := e.Traces.Probe(ctx); return err })
	}
	return all
}

// Close ends the API's own work.
func (a *API) Close() {
	a.announcer.Close()
	a.prom.Close()
	a.decider.Close()
}

// Router takes routes in, as http.ServeMux does.
type Router interface {
	Handle(pattern string, handler http.Handler)
}

// Register adds the routes.
func (a *API) Register(mux Router) {
	route := func(path string, fail respond.ErrorWriter, handler http.HandlerFunc, methods ...string) {
		mux.Handle(path, telemetry.Route(path, a.guard(fail, respond.Methods(handler, fail, methods...))))
	}
	prom := func(path string, handler http.HandlerFunc) {
		route("/prom"+path, promapi.Error, handler, http.MethodGet, http.MethodPost)
	}
	prom("/api/v1/query", a.prom.Query)
	prom("/api/v1/query_range", a.prom.QueryRange)
	prom("/api/v1/series", a.prom.ListSeries)
	prom("/api/v1/labels", a.prom.Labels)
	prom("/api/v1/label/{name}/values", a.prom.LabelValues)
	prom("/", promapi.NotFound)

	route("/keda/{name...}", respond.Error, a.engines.KEDA, http.MethodGet)
	route("/verdict", respond.Error, a.engines.Verdict, http.MethodGet, http.MethodPost)
	for name, handler := range a.engines.Flagger() {
		route("/flagger/"+name, engines.FlaggerError, handler, http.MethodPost)
	}
	route("/recommendations", respond.Error, a.engines.Recommendations, http.MethodGet)
	route("/rollout", respond.Error, a.engines.Rollout, http.MethodGet)
	route("/recommendations/breakers", respond.Error, a.engines.Breakers, http.MethodGet)
	route("/impact", respond.Error, a.engines.Impact, http.MethodGet)

	// Agents ask as viewers do, whatever account they come with: a loop of theirs
	// must not take what is reserved for engines.
	agent := func(path string, handler http.HandlerFunc, method string) {
		mux.Handle(path, telemetry.Route(path, a.guardAs(asViewer, respond.Error, respond.Methods(handler, respond.Error, method))))
	}
	agent("/mcp", a.agents.Serve, http.MethodPost)
	agent("/receipt/{id}", a.agents.Receipt, http.MethodGet)

	write := func(path string, handler http.HandlerFunc) {
		route(path, respond.Error, respond.Editors(handler), http.MethodPost)
	}
	write("/hooks/deploy", a.ingest.Deploy)
	write("/hooks/deploy/{service...}", a.ingest.Deploy)
	write("/hooks/alert", a.ingest.Alert)
	write("/hooks/enrich", a.enrich.Notify)
	write("/hooks/annotate", a.ingest.Annotate)
	write("/feedback", a.ingest.Feedback)
	write("/flagger/event", a.ingest.Deploy)
	write("/hooks/send", a.webhook.Send)
	write("/playbooks", a.playbooks.Act)
	mux.Handle("GET /playbooks", telemetry.Route("/playbooks", a.guard(respond.Error, http.HandlerFunc(a.playbooks.Plan))))
}

// guard lets a request through to a route unless its caller asks too often or
// the data source cannot answer at all.
func (a *API) guard(fail respond.ErrorWriter, handler http.Handler) http.Handler {
	return a.guardAs(budget.OfRoute, fail, handler)
}

// guardAs is guard for callers of another kind.
func (a *API) guardAs(caller callerOf, fail respond.ErrorWriter, handler http.Handler) http.Handler {
	return a.limiter.limit(a.now, caller, fail, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil { // the plugin SDK makes an empty body so
			r.Body = http.NoBody
		}
		if a.unusable != nil {
			fail(w, http.StatusUnprocessableEntity, a.unusable.Error())
			return
		}
		handler.ServeHTTP(w, r)
	}))
}
