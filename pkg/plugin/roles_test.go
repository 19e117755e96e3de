package plugin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"
)

// route is one resource path, as it is registered, with a request to it.
type route struct {
	pattern, method, path string
	writes                bool
}

// routes are all there are: what writes or sends is named here a second time,
// so that nobody registers it without the check by oversight.
var routes = []route{
	{"GET /services", "GET", "services", false},
	{"GET /operations", "GET", "operations?service=cart", false},
	{"GET /versions", "GET", "versions?service=cart", false},
	{"GET /labels", "GET", "labels", false},
	{"GET /labels/{name...}", "GET", "labels/job", false},
	{"GET /metadata/{metric}", "GET", "metadata/up", false},
	{"POST /live", "POST", "live", false},
	{"POST /signals", "POST", "signals", false},
	{"/prom/api/v1/query", "GET", "prom/api/v1/query?query=vector(1)", false},
	{"/prom/api/v1/query", "POST", "prom/api/v1/query", false},
	{"/prom/api/v1/query_range", "GET", "prom/api/v1/query_range", false},
	{"/prom/api/v1/series", "GET", "prom/api/v1/series", false},
	{"/prom/api/v1/labels", "GET", "prom/api/v1/labels", false},
	{"/prom/api/v1/label/{name}/values", "GET", "prom/api/v1/label/service/values", false},
	{"/prom/", "GET", "prom/", false},
	{"/keda/{name...}", "GET", "keda/cart", false},
	{"/verdict", "GET", "verdict?service=cart", false},
	{"/verdict", "POST", "verdict", false},
	{"/flagger/rollback", "POST", "flagger/rollback", false},
	{"/flagger/rollout", "POST", "flagger/rollout", false},
	{"/flagger/confirm-rollout", "POST", "flagger/confirm-rollout", false},
	{"/flagger/confirm-promotion", "POST", "flagger/confirm-promotion", false},
	{"/flagger/confirm-traffic-increase", "POST", "flagger/confirm-traffic-increase", false},
	{"/recommendations", "GET", "recommendations?service=cart", false},
	{"/recommendations/breakers", "GET", "recommendations/breakers?service=cart", false},
	{"/rollout", "GET", "rollout?service=cart", false},
	{"/impact", "GET", "impact?service=cart", false},
	{"/mcp", "POST", "mcp", false},
	{"/receipt/{id}", "GET", "receipt/x", false},
	{"GET /playbooks", "GET", "playbooks?service=cart", false},
	{"/playbooks", "POST", "playbooks", true},
	{"/hooks/deploy", "POST", "hooks/deploy", true},
	{"/hooks/deploy/{service...}", "POST", "hooks/deploy/team/cart", true},
	{"/hooks/alert", "POST", "hooks/alert", true},
	{"/hooks/enrich", "POST", "hooks/enrich", true},
	{"/hooks/send", "POST", "hooks/send", true},
	{"/hooks/annotate", "POST", "hooks/annotate", true},
	{"/feedback", "POST", "feedback", true},
	{"/flagger/event", "POST", "flagger/event", true},
}

// registered writes down what is registered.
type registered []string

func (r *registered) Handle(pattern string, _ http.Handler) { *r = append(*r, pattern) }

// TestEveryRouteIsInTheTable fails where a route is registered that no role is
// asked for below.
func TestEveryRouteIsInTheTable(t *testing.T) {
	created, err := New(t.Context(), instance(`{}`, nil))
	require.NoError(t, err)
	t.Cleanup(created.(*DataSource).Dispose)
	var found registered
	created.(*DataSource).register(&found)
	var known []string
	for _, r := range routes {
		known = append(known, r.pattern)
	}
	slices.Sort(known)
	slices.Sort(found)
	require.Equal(t, slices.Compact(known), []string(found))
}

// TestRoles asks every route as everyone: what writes or sends lets Editors and
// Admins in and nobody else, and nobody else's request leaves the plugin.
func TestRoles(t *testing.T) {
	var queried atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		queried.Add(1)
		http.Error(w, "closed", http.StatusBadRequest)
	}))
	t.Cleanup(server.Close)
	made, err := New(t.Context(), instance(`{
		"prometheus": {"url": "`+server.URL+`"}, "traces": {"url": "`+server.URL+`"}, "grafana": {"url": "`+server.URL+`"},
		"webhooks": [{"name": "automation", "url": "`+server.URL+`", "private": true}],
		"playbooks": {"mode": "auto", "services": ["cart"], "webhook": "automation"}
	}`, map[string]string{"grafanaToken": "glsa_x", "signingSecret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}))
	require.NoError(t, err)
	source := made.(*DataSource)
	t.Cleanup(source.Dispose)
	require.NoError(t, source.unusable)
	ask := func(user *backend.User, method, path string) (status int) {
		call := &backend.CallResourceRequest{Method: method, Path: strings.Split(path, "?")[0], URL: path, Body: []byte("{}")}
		call.PluginContext.User = user
		require.NoError(t, source.CallResource(context.Background(), call, backend.CallResourceResponseSenderFunc(func(r *backend.CallResourceResponse) error {
			if r.Status != 0 {
				status = r.Status
			}
			return nil
		})))
		return status
	}
	for _, r := range routes {
		for _, role := range []string{"", "None", "Viewer", "editor", "Grafana Admin", "Editor", "Admin", "nobody"} {
			var user *backend.User
			if role != "nobody" {
				user = &backend.User{Login: "sa-" + role, Role: role}
			}
			queried.Store(0)
			status := ask(user, r.method, r.path)
			mayWrite := role == "Editor" || role == "Admin"
			if r.writes && !mayWrite {
				require.Equal(t, http.StatusForbidden, status, "%s %s as %q", r.method, r.path, role)
				require.Zero(t, queried.Load(), "%s %s as %q leaves the plugin", r.method, r.path, role)
			} else {
				require.NotEqual(t, http.StatusForbidden, status, "%s %s as %q", r.method, r.path, role)
				require.NotEqual(t, http.StatusMethodNotAllowed, status, "%s %s as %q", r.method, r.path, role)
			}
		}
		if r.writes {
			for _, method := range []string{"PUT", "PATCH", "DELETE"} {
				require.Equal(t, http.StatusMethodNotAllowed, ask(&backend.User{Role: "Admin"}, method, r.path))
			}
		}
	}
}
