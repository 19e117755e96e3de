//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// tenants is a server that answers everybody who is let in with their own data:
// each identity, as the request's headers tell it, has a name of its own.
type tenants struct {
	mu        sync.Mutex
	names     map[string]string
	intruders []string // headers of a viewer that came through
}

func (s *tenants) nameOf(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, values := range r.Header {
		if strings.Contains(strings.Join(values, " "), "intruder") {
			s.intruders = append(s.intruders, name)
		}
	}
	identity := fmt.Sprintf("%q %q", r.Header["Authorization"], r.Header["X-Scope-Orgid"])
	if s.names[identity] == "" {
		s.names[identity] = fmt.Sprintf("owner-%d-", len(s.names))
	}
	return s.names[identity]
}

func (s *tenants) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	owner := s.nameOf(r)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/query_range"):
		start, _ := strconv.ParseFloat(r.FormValue("start"), 64)
		end, _ := strconv.ParseFloat(r.FormValue("end"), 64)
		step, _ := strconv.ParseFloat(r.FormValue("step"), 64)
		var points []string
		for at := start; at <= end; at += step {
			points = append(points, fmt.Sprintf(`[%f,"%f"]`, at, 100+10*math.Sin(at/4000)+math.Sin(at/60*1.7)))
		}
		_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"owner":%q},"values":[%s]}]}}`, owner, strings.Join(points, ","))
	case strings.Contains(r.URL.Path, "/label"):
		_, _ = fmt.Fprintf(w, `{"status":"success","data":[%q]}`, owner)
	case strings.Contains(r.URL.Path, "/values"):
		_, _ = fmt.Fprintf(w, `{"tagValues":[{"type":"string","value":%q}]}`, owner)
	case strings.Contains(r.URL.Path, "/annotations"):
		_, _ = io.WriteString(w, "[]")
	default:
		_, _ = io.WriteString(w, "{}")
	}
}

var ownerPattern = regexp.MustCompile(`owner-\d+-`)

// TestTenantsSeeTheirOwnData asks the same questions through many data sources
// over one server, side by side and again from memory. They differ in nothing
// but tenant, credentials or organisation, some in ways that would collide where
// such were joined carelessly.
func TestTenantsSeeTheirOwnData(t *testing.T) {
	store := &tenants{names: map[string]string{}}
	address := server(t, store.ServeHTTP)
	p := startedPlugin(t)
	type tenant struct {
		upstream map[string]any
		password string
		token    string
	}
	all := map[string]tenant{
		"nobody": {}, "a": {upstream: map[string]any{"tenant": "a"}}, "b": {upstream: map[string]any{"tenant": "b"}},
		"a|b": {upstream: map[string]any{"tenant": "a|b"}}, "a,b": {upstream: map[string]any{"tenant": "a,b"}}, `a" "b`: {upstream: map[string]any{"tenant": `a" "b`}},
		"by a header": {upstream: map[string]any{"headers": map[string]any{"X-Scope-OrgID": "c"}}},
		"user":        {upstream: map[string]any{"basicAuthUser": "user"}, password: "one"}, "the same user": {upstream: map[string]any{"basicAuthUser": "user"}, password: "two"},
		"user of a tenant": {upstream: map[string]any{"basicAuthUser": "user", "tenant": "a"}, password: "one"},
		"token":            {token: "one"}, "token of a tenant": {token: "one", upstream: map[string]any{"tenant": "a"}}, "another token": {token: "two"},
	}
	sources := map[string]harness.DataSource{}
	organisation := int64(0)
	for name, one := range all {
		upstream := map[string]any{"url": address}
		for key, value := range one.upstream {
			upstream[key] = value
		}
		secrets := map[string]string{"prometheusPassword": one.password, "tracesPassword": one.password, "prometheusToken": one.token, "tracesToken": one.token}
		plugin := harness.PluginContext(map[string]any{"prometheus": upstream, "traces": upstream, "series": []any{map[string]any{"name": "x", "expr": "load"}}}, secrets)
		organisation++
		plugin.OrgID = organisation // the uid is the same in all
		// As Grafana's newer API server has it: no number, distinguished by namespace.
		if organisation%2 == 0 {
			plugin.DataSourceInstanceSettings.ID, plugin.Namespace = 0, fmt.Sprintf("org-%d", organisation)
		}
		sources[name] = harness.DataSource{Plugin: p, Context: plugin}
	}

	var mu sync.Mutex
	seen := map[string]map[string]int{}
	to := time.Now().Truncate(time.Minute)
	look := func(name string, source harness.DataSource) error {
		response, err := p.Query(t.Context(), &backend.QueryDataRequest{
			PluginContext: source.Context,
			Queries: []backend.DataQuery{
				harness.Query("A", to.Add(-time.Hour), to, map[string]any{"queryType": "anomaly", "expr": "load", "history": "2d"}),
				harness.Query("B", to.Add(-time.Hour), to, map[string]any{"queryType": "forecast", "expr": "load", "history": "2d"}),
				harness.Query("C", to.Add(-time.Hour), to, map[string]any{"queryType": "services"}),
			},
			Headers: map[string]string{"Authorization": "Bearer intruder", "http_X-Scope-OrgID": "intruder", "Cookie": "s=intruder", "X-Id-Token": "intruder"},
		})
		if err != nil {
			return err
		}
		var text strings.Builder
		for refID, answer := range response.Responses {
			if answer.Error != nil {
				return fmt.Errorf("%s: %w", refID, answer.Error)
			}
			raw, err := json.Marshal(answer.Frames)
			if err != nil {
				return err
			}
			text.Write(raw)
		}
		window := fmt.Sprintf("?from=%d&to=%d", to.Add(-time.Hour).UnixMilli(), to.UnixMilli())
		for _, path := range []string{"services", "labels", "labels/owner", "prom/api/v1/query"} {
			url := path + window
			if strings.HasPrefix(path, "prom") {
				url = path + "?query=foresight_model_age_seconds%7Bseries%3D%22x%22%7D"
			}
			_, body, err := p.Resource(t.Context(), &backend.CallResourceRequest{PluginContext: source.Context, Method: http.MethodGet, Path: path, URL: url,
				Headers: map[string][]string{"Authorization": {"Bearer intruder"}, "X-Scope-Orgid": {"intruder"}, "Cookie": {"s=intruder"}}})
			if err != nil {
				return err
			}
			text.Write(body)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, owner := range ownerPattern.FindAllString(text.String(), -1) {
			if seen[name] == nil {
				seen[name] = map[string]int{}
			}
			seen[name][owner]++
		}
		return nil
	}
	for range 2 { // the second time most is remembered
		var everybody sync.WaitGroup
		failures := make(chan error, len(sources))
		for name, source := range sources {
			everybody.Go(func() {
				if err := look(name, source); err != nil {
					failures <- fmt.Errorf("%s: %w", name, err)
				}
			})
		}
		everybody.Wait()
		close(failures)
		for err := range failures {
			require.NoError(t, err)
		}
	}
	owned := map[string]string{}
	for name := range sources {
		require.Len(t, seen[name], 1, "%s sees one owner's data: %v", name, seen[name])
		for owner, times := range seen[name] {
			require.GreaterOrEqual(t, times, 10, "%s sees it in every answer", name)
			require.Empty(t, owned[owner], "%s sees what %s sees", name, owned[owner])
			owned[owner] = name
		}
	}
	require.Empty(t, store.intruders, "a viewer's own headers reach no upstream: answers are shared by all who may ask the data source")
}
