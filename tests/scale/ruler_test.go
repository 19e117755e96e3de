//go:build integration

package scale

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/foresight-observability/foresight/tests/harness"
)

// TestRulerRecords gives the shipped rules to Mimir's ruler, which then writes
// the series that they name, each with the value of its expression.
func TestRulerRecords(t *testing.T) {
	l, _ := started(t)
	root, err := harness.Root()
	require.NoError(t, err)
	raw, err := os.ReadFile(filepath.Join(root, "provisioning", "rulers", "foresight.yaml"))
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct{ Record, Expr string }
		}
	}
	require.NoError(t, yaml.Unmarshal(raw, &file))
	for _, group := range file.Groups {
		body, err := yaml.Marshal(map[string]any{
			"name": group.Name, "interval": "5s", "rules": group.Rules, // nobody waits a minute here
		})
		require.NoError(t, err)
		status, answer := mimir(t, http.MethodPost, l.Ruler+"/prometheus/config/v1/rules/foresight", l.Tenant, string(body))
		require.Equal(t, http.StatusAccepted, status, answer)
	}
	recorded := func(name, tenant string) (found int) {
		_, body := mimir(t, http.MethodGet, l.MimirSplit+"/api/v1/query?query="+url.QueryEscape(name), tenant, "")
		var answer struct {
			Data struct{ Result []json.RawMessage }
		}
		require.NoError(t, json.Unmarshal([]byte(body), &answer), body)
		return len(answer.Data.Result)
	}
	for _, rule := range file.Groups[0].Rules {
		deadline := time.Now().Add(4 * time.Minute)
		for recorded(rule.Record, l.Tenant) == 0 {
			require.True(t, time.Now().Before(deadline), "the ruler has not written %s", rule.Record)
			time.Sleep(2 * time.Second)
		}
		require.Zero(t, recorded(rule.Record, l.Tenant+"-rival"), "another tenant has no such rules")
	}
}

// mimir asks a part of Mimir as a tenant.
func mimir(t *testing.T, method, address, tenant, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("X-Scope-OrgID", tenant)
	request.Header.Set("Content-Type", "application/yaml")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(raw)
}
