// Package api is Foresight's answers over HTTP, each in the format of the
// engine that reads it. Engines misread odd answers, each in its own way: an
// empty vector scales in, a page that is no JSON promotes. So where no number
// can be trusted every route says so with a status of 400 or above and a JSON
// body, and never with a zero, a NaN or nothing.
package api

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Hooks serve the routes below the data source's resource path.
type Hooks struct {
	engine     *engine.Engine
	settings   Settings
	remembered *memory[[]row]
	verdicts   *memory[engine.VerdictAnswer]
	compared   compared
	callers    *callers
	promQL     promQLEngine
	announcing chan struct{} // a slot for each announcement
	lifetime   context.Context
	cancel     context.CancelFunc
	acting     sync.Mutex // held while playbooks plan and send
}

// Settings are what a data source's configuration says about hooks.
type Settings struct {
	Series []NamedSeries
	// Journal keeps what is told to Foresight; nil where there is none.
	Journal upstream.Journal
	// DeployTag marks the notes of deploys, as the data source reads them.
	DeployTag string
	// WebhookSecret signs notifications of alerts; empty for unsigned ones.
	WebhookSecret string
	// Sender sends webhooks; nil where none is configured.
	Sender *webhook.Sender
	// Playbooks are the limits of playbooks, and Acts where what they did before is
	// read; nil for nowhere.
	Playbooks PlaybookSettings
	Acts      upstream.Markers
	// UID is the data source's.
	UID string
	// Unusable says why the data source cannot answer; nil where it can.
	Unusable error
	// CallerRate is how many requests per second one caller may send.
	CallerRate int
	// Timeout bounds the work for one request.
	Timeout time.Duration
}

// NamedSeries is a PromQL expression under a name that engines ask for.
type NamedSeries struct {
	Name         string
	Expr         string
	Threshold    *float64 // that must not be reached; nil for none
	Below        bool     // the threshold must not be reached from above
	Direction    string   // of deviations that count: both, above, below
	MinDeviation float64
}

// New makes the hooks of one data source.
func New(e *engine.Engine, settings Settings) *Hooks {
	// Settings that cannot be used may be empty; their routes still say why.
	settings.CallerRate = cmp.Or(settings.CallerRate, 1)
	settings.Timeout = cmp.Or(settings.Timeout, time.Second)
	// Who is asked fails first, and its error says who it is.
	settings.Timeout += settings.Timeout / 5
	settings.Playbooks.Window = cmp.Or(settings.Playbooks.Window, time.Hour)
	h := &Hooks{engine: e, settings: settings, remembered: newMemory[[]row](e.Now), verdicts: newMemory[engine.VerdictAnswer](e.Now), compared: newCompared(), callers: newCallers(settings.CallerRate)}
	h.promQL = newPromQL(h, settings.Timeout)
	h.lifetime, h.cancel = context.WithCancel(context.Background())
	h.announcing = make(chan struct{}, mostAnnouncing)
	return h
}

// Close ends the hooks' own work.
func (h *Hooks) Close() {
	h.cancel()
	h.remembered.close()
	h.verdicts.close()
	h.compared.close()
}

// Router takes routes in, as http.ServeMux does.
type Router interface {
	Handle(pattern string, handler http.Handler)
}

// Register adds the routes.
func (h *Hooks) Register(mux Router) {
	prom := func(path string, handler http.HandlerFunc) {
		mux.Handle("/prom"+path, h.guarded(prometheusFailure, methods(handler, prometheusFailure, http.MethodGet, http.MethodPost)))
	}
	prom("/api/v1/query", h.query)
	prom("/api/v1/query_range", h.queryRange)
	prom("/api/v1/series", h.series)
	prom("/api/v1/labels", h.labels)
	prom("/api/v1/label/{name}/values", h.labelValues)
	mux.Handle("/keda/{name}", h.guarded(plainFailure, methods(h.keda, plainFailure, http.MethodGet)))
	mux.Handle("/verdict", h.guarded(plainFailure, methods(h.verdict, plainFailure, http.MethodGet, http.MethodPost)))
	for name, decides := range flaggerHooks {
		mux.Handle("/flagger/"+name, h.guarded(flaggerFailure, methods(h.flagger(decides), flaggerFailure, http.MethodPost)))
	}
	mux.Handle("/recommendations", h.guarded(plainFailure, methods(h.recommendations, plainFailure, http.MethodGet)))
	mux.Handle("/impact", h.guarded(plainFailure, methods(h.impact, plainFailure, http.MethodGet)))
	write := func(path string, handler http.HandlerFunc) {
		mux.Handle(path, h.guarded(plainFailure, methods(editors(handler), plainFailure, http.MethodPost)))
	}
	mux.Handle("GET /playbooks", h.guarded(plainFailure, http.HandlerFunc(h.plans)))
	write("/playbooks", h.act)
	write("/hooks/deploy", h.deploy)
	write("/hooks/alert", h.alerts)
	write("/hooks/send", h.send)
	write("/hooks/annotate", h.annotate)
	write("/feedback", h.feedback)
	write("/flagger/event", h.deploy)
	prom("/", func(w http.ResponseWriter, r *http.Request) {
		prometheusFailure(w, http.StatusNotFound, "there is no "+r.URL.Path+": query, query_range, series, labels and label/<name>/values are served below prom/api/v1/")
	})
}

// guarded lets a request through to a route unless its caller asks too often
// or the data source cannot answer at all.
func (h *Hooks) guarded(fail failing, handler http.Handler) http.Handler {
	return h.limited(fail, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil { // the plugin SDK makes an empty body so
			r.Body = http.NoBody
		}
		if err := h.settings.Unusable; err != nil {
			fail(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		handler.ServeHTTP(w, r)
	}))
}
