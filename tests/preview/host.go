// Package preview shows the data source in a browser on machines without
// Grafana: it serves a page that hosts the plugin's real frontend, and hands
// the page's requests to the real plugin process, as Grafana would. It is for
// looking and testing, not a second Grafana: it has no users, no alerting, and
// keeps nothing.
package preview

import (
	"encoding/json"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"

	"github.com/foresight-observability/foresight/tests/harness"
)

// Host bridges HTTP to the plugin's protocol.
type Host struct {
	root    string
	sources *sources
	servers map[string]*url.URL // what stands behind Grafana's data source proxy, by uid
}

// New makes a host of two data sources: "foresight", set up for the lab, and
// "empty", to be set up by hand.
func New(plugin *harness.Plugin, lab *harness.Lab) (*Host, error) {
	root, err := harness.Root()
	if err != nil {
		return nil, err
	}
	host := &Host{root: root, servers: map[string]*url.URL{}, sources: newSources(plugin)}
	host.sources.add("foresight", "Foresight", lab.Settings())
	host.sources.add("empty", "Foresight, not set up", map[string]any{})
	for uid, address := range map[string]string{"prometheus": lab.Prometheus, "tempo": lab.Tempo} {
		if host.servers[uid], err = url.Parse(address); err != nil {
			return nil, err
		}
	}
	return host, nil
}

// Handler answers the paths of Grafana that a data source's frontend asks, and
// serves the page.
func (h *Host) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/dashboards", h.dashboards)
	mux.HandleFunc("GET /api/datasources", h.list)
	mux.HandleFunc("PUT /api/datasources/uid/{uid}", h.save)
	mux.HandleFunc("GET /api/datasources/uid/{uid}/health", h.health)
	mux.HandleFunc("/api/datasources/uid/{uid}/resources/", h.resources)
	mux.HandleFunc("/api/datasources/proxy/uid/{uid}/{path...}", h.proxy)
	mux.HandleFunc("POST /api/ds/query", h.query)
	mux.HandleFunc("GET /api/live/{uid}/{path...}", h.live)

	plugin := "/public/plugins/" + harness.PluginID + "/"
	mux.Handle(plugin, http.StripPrefix(plugin, h.files("dist")))
	mux.Handle("/public/build/img/", http.StripPrefix("/public/build/img/", h.files("node_modules/@grafana/ui/dist/public/img")))
	mux.Handle("/", h.files("tests/preview/web/dist"))
	return mux
}

// files serves a folder of the repository, never from the browser's memory: it
// may have been built anew.
func (h *Host) files(folder string) http.Handler {
	server := http.FileServer(http.Dir(filepath.Join(h.root, filepath.FromSlash(folder))))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		server.ServeHTTP(w, r)
	})
}

// dashboards are the provisioned ones, as they stand. That of the plugin itself
// reads a Prometheus data source, which the page does not have.
func (h *Host) dashboards(w http.ResponseWriter, _ *http.Request) {
	names, err := filepath.Glob(filepath.Join(h.root, "provisioning", "dashboards", "*.json"))
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	all := []json.RawMessage{}
	for _, name := range names {
		if filepath.Base(name) == "foresight-self.json" {
			continue
		}
		dashboard, err := os.ReadFile(name)
		if err != nil {
			refuse(w, http.StatusInternalServerError, err)
			return
		}
		all = append(all, dashboard)
	}
	answer(w, http.StatusOK, all)
}

// resources are answered as Grafana does to an administrator.
func (h *Host) resources(w http.ResponseWriter, r *http.Request) {
	gateway := harness.Gateway{DataSources: h.sources.all(), Roles: map[string]string{"": administrator}}
	gateway.ServeHTTP(w, r)
}

// proxy reaches the servers as Grafana's data source proxy does.
func (h *Host) proxy(w http.ResponseWriter, r *http.Request) {
	server, known := h.servers[r.PathValue("uid")]
	if !known {
		http.NotFound(w, r)
		return
	}
	proxy := httputil.ReverseProxy{Rewrite: func(request *httputil.ProxyRequest) {
		request.Out.URL.Path, request.Out.URL.RawPath = "/"+r.PathValue("path"), ""
		request.SetURL(server)
	}}
	proxy.ServeHTTP(w, r)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, err error) {
	answer(w, status, map[string]string{"message": err.Error()})
}
