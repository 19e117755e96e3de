package plugin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/api"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

// defaultLookBack is the time range of names where none is given.
const defaultLookBack = time.Hour

// resources are the HTTP routes below the data source's resource path. Names
// fill the editor's pickers, labels a dashboard's ad-hoc filters and, with
// metadata, what the editor completes and explains of PromQL; signals show
// the config editor what they find; live tells a viewer the channel of a query;
// hooks answer the engines that act.
func (d *DataSource) resources() http.Handler {
	mux := http.NewServeMux()
	d.register(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux would redirect to another path, which Grafana passes on.
		if clean := path.Clean(r.URL.Path); clean != r.URL.Path && clean+"/" != r.URL.Path {
			respond.Error(w, http.StatusNotFound, "there is no such route")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (d *DataSource) register(router api.Router) {
	mux := d.api.Limited(router)
	mux.Handle("GET /services", namesRoute(d.engine.Services, func(url.Values) query.Services {
		return query.Services{}
	}))
	mux.Handle("GET /operations", namesRoute(d.engine.Operations, func(v url.Values) query.Operations {
		return query.Operations{Service: v.Get("service")}
	}))
	mux.Handle("GET /versions", namesRoute(d.engine.Versions, func(v url.Values) query.Versions {
		return query.Versions{Service: v.Get("service")}
	}))
	mux.Handle("GET /labels", listRoute(func(ctx context.Context, r *http.Request, window engine.Window) (engine.NamesAnswer, error) {
		if name := r.URL.Query().Get("name"); name != "" { // for names that no path can hold
			return d.engine.LabelValues(ctx, name, selectors(r), window)
		}
		return d.engine.Labels(ctx, selectors(r), window)
	}))
	mux.Handle("GET /labels/{name...}", listRoute(func(ctx context.Context, r *http.Request, window engine.Window) (engine.NamesAnswer, error) {
		return d.engine.LabelValues(ctx, r.PathValue("name"), selectors(r), window)
	}))
	mux.Handle("GET /metadata/{metric}", http.HandlerFunc(d.describe))
	mux.Handle("POST /signals", http.HandlerFunc(d.previewSignals))
	mux.Handle("POST /live", http.HandlerFunc(channelOf))
	d.api.Register(router)
}

// namesRoute answers a list of names for the time range in from and to.
func namesRoute[Q query.Query](
	ask func(context.Context, Q, engine.Window) (engine.NamesAnswer, error),
	question func(url.Values) Q,
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := question(r.URL.Query())
		if err := q.Validate(); err != nil {
			respond.JSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		listRoute(func(ctx context.Context, _ *http.Request, window engine.Window) (engine.NamesAnswer, error) {
			return ask(ctx, q, window)
		})(w, r)
	}
}

// listRoute answers a list for the time range in from and to.
func listRoute(ask func(context.Context, *http.Request, engine.Window) (engine.NamesAnswer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		window, err := windowOf(r.URL.Query())
		if err != nil {
			respond.JSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		found, err := ask(r.Context(), r, window)
		if err != nil {
			status, _ := classify(err)
			respond.JSON(w, int(status), map[string]string{"error": err.Error()})
			return
		}
		respond.JSON(w, http.StatusOK, map[string]any{"names": found.Names, "notices": found.Notices})
	}
}

// selectors are those of the parameter match, as in Prometheus' API.
func selectors(r *http.Request) []string { return r.URL.Query()["match"] }

// describe answers with the type and the help text of a metric.
func (d *DataSource) describe(w http.ResponseWriter, r *http.Request) {
	found, err := d.engine.Describe(r.Context(), r.PathValue("metric"))
	if err != nil {
		status, _ := classify(err)
		respond.JSON(w, int(status), map[string]string{"error": err.Error()})
		return
	}
	respond.JSON(w, http.StatusOK, map[string]string{"type": found.Type, "help": found.Help})
}

// channelOf answers with the live channel's path of a query. The browser sends
// the same body as the subscription's data.
func channelOf(w http.ResponseWriter, r *http.Request) {
	body, _, err := respond.Body(w, r)
	if err == nil {
		var queried live
		if queried, err = parseLive(body); err == nil {
			respond.JSON(w, http.StatusOK, map[string]string{"path": queried.path})
			return
		}
	}
	respond.JSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
}

// windowOf reads from and to, in milliseconds since the epoch; without them it
// is the last hour.
func windowOf(values url.Values) (engine.Window, error) {
	to, err := instant(values.Get("to"), time.Now())
	if err != nil {
		return engine.Window{}, err
	}
	from, err := instant(values.Get("from"), to.Add(-defaultLookBack))
	return engine.Window{From: from, To: to}, err
}

func instant(text string, fallback time.Time) (time.Time, error) {
	if text == "" {
		return fallback.UTC(), nil
	}
	milliseconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("from and to are milliseconds since the epoch, not %.40q", text)
	}
	return time.UnixMilli(milliseconds).UTC(), nil
}
