//go:build integration

package integration

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// TestRulersTakeTheirRules: Prometheus' own reader takes the file, and what its
// rules compute of measured series has values in the shop.
func TestRulersTakeTheirRules(t *testing.T) {
	root, err := harness.Root()
	require.NoError(t, err)
	file := filepath.Join(root, "provisioning", "rulers", "foresight.yaml")
	groups, problems := rulefmt.ParseFile(file, false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	require.Empty(t, problems)
	_, l := shop(t)
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			if strings.Contains(rule.Expr, "service:") {
				continue // of another rule's series, which nobody records here
			}
			t.Run(rule.Record, func(t *testing.T) {
				response, err := http.Get(l.Prometheus + "/api/v1/query?query=" + url.QueryEscape(rule.Expr))
				require.NoError(t, err)
				defer func() { _ = response.Body.Close() }()
				var answer struct {
					Data struct{ Result []json.RawMessage }
				}
				require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
				require.NotEmpty(t, answer.Data.Result)
			})
		}
	}
}
