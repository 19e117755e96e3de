package harness

import (
	"io"
	"net/http"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// Gateway is the part of Grafana that engines meet: it checks their token and
// hands their request to the data source, as Grafana's
// /api/datasources/uid/<uid>/resources does.
type Gateway struct {
	// DataSources by their uid.
	DataSources map[string]DataSource
	// Roles are the roles of the service accounts, by token.
	Roles map[string]string
}

// ResourcePath is where a data source's resources stand.
func ResourcePath(uid string) string { return "/api/datasources/uid/" + uid + "/resources/" }

// ServeHTTP implements http.Handler.
func (g Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, message string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"message":"`+message+`"}`)
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	// Grafana takes a token for the password of the user "api_key".
	if user, password, ok := r.BasicAuth(); ok && user == "api_key" {
		token = password
	}
	role, known := g.Roles[token]
	if !known {
		refuse(http.StatusUnauthorized, "Invalid API key")
		return
	}
	uid, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/datasources/uid/"), "/resources/")
	source, known := g.DataSources[uid]
	if !known {
		refuse(http.StatusNotFound, "Data source not found")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(http.StatusBadRequest, "bad request data")
		return
	}
	headers := r.Header.Clone()
	for _, name := range []string{"Authorization", "Origin", "Referer", "X-Forwarded-Host"} {
		headers.Del(name)
	}
	plugin := source.Context
	plugin.User = &backend.User{Login: "sa-1-" + strings.ToLower(role), Role: role}
	call := &backend.CallResourceRequest{
		PluginContext: plugin, Path: path, Method: r.Method, URL: strings.TrimPrefix(r.URL.RequestURI(), ResourcePath(uid)), Headers: headers, Body: body,
	}
	status, header, answer, err := source.Plugin.resourceWithHeader(r.Context(), call)
	if err != nil {
		refuse(http.StatusBadGateway, "Failed to call resource")
		return
	}
	for name, values := range header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}
