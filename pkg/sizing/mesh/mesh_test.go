package mesh

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/sizing"
	"github.com/foresight-observability/foresight/pkg/stats"
)

var update = flag.Bool("update", false, "rewrite the resources in testdata")

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// recommended are the recommendations for a service, as they are computed.
func recommended() []sizing.Recommendation {
	b := sizing.Breaker{Service: "cart", Requests: 2e6, Errors: 800, Days: 2, Hosts: 6, Slow: 0.4, Use: 0.55}
	c := sizing.Concurrency{
		Service: "cart", Demand: sizing.Demand{Now: 100, Expected: 150, Peak: 180, Lead: 10 * time.Minute, Quantile: 0.95},
		Slow: stats.Interval{Estimate: 0.2, Lower: 0.15, Upper: 0.3}, Wait: 0.05, Current: math.NaN(),
	}
	return []sizing.Recommendation{b.Outliers(), b.Circuit(), c.Recommend()}
}

// TestResources pins the resources, which tests/engines/mesh validates with the
// types of the meshes.
func TestResources(t *testing.T) {
	rendered := Render(Target{Service: "cart", Namespace: "shop", Port: 8080, At: noon}, recommended())
	require.Len(t, rendered, len(Names()))
	for _, r := range rendered {
		require.Empty(t, r.Problem)
		require.Equal(t, noon.Add(24*time.Hour), r.Expires)
		require.Contains(t, r.Apply, "2026-03-03T12:00:00Z", "it says until when it holds")
		for what, text := range map[string]string{"apply": r.Apply, "revert": r.Revert} {
			file := filepath.Join("testdata", r.Mesh+"-"+what+".yaml")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), text, "run: go test ./pkg/sizing/mesh -update, and then tests/engines/mesh")
		}
	}
}

func byName(all []Resource) map[string]Resource {
	found := map[string]Resource{}
	for _, r := range all {
		found[r.Mesh] = r
	}
	return found
}

func TestVersions(t *testing.T) {
	render := func(mesh, version string) Resource {
		return byName(Render(Target{Service: "cart", At: noon, Versions: map[string]string{mesh: version}}, recommended()))[mesh]
	}
	for _, test := range []struct{ mesh, version, said string }{
		{"istio", "1.4", "has no consecutive5xxErrors"}, {"linkerd", "2.12.5", "linkerd 2.12.5 has no failure accrual; 2.13 has"},
		{"kong", "v2.12", "has no KongUpstreamPolicy"}, {"envoy", "1.13", "has no version 3"}, {"resilience4j", "0.17.0", "has no minimumNumberOfCalls"},
		{"istio", "newest", "write it like 1.24"},
	} {
		r := render(test.mesh, test.version)
		require.Contains(t, r.Problem, test.said)
		require.Empty(t, r.Apply)
		require.Empty(t, r.Revert)
	}
	require.Contains(t, render("istio", "1.21.3").Apply, "networking.istio.io/v1beta1")
	require.Contains(t, strings.Join(render("istio", "1.21.3").Notes, " "), "v1beta1 is used")
	require.Contains(t, render("istio", "1.22").Apply, "networking.istio.io/v1\n")
	require.Contains(t, strings.Join(render("linkerd", "2.15").Notes, " "), "no limit of concurrent requests")
}

func TestWhatIsUnknownIsNotRendered(t *testing.T) {
	for _, r := range Render(Target{Service: "cart", At: noon}, nil) {
		require.Contains(t, r.Problem, "not enough data")
	}
	only := byName(Render(Target{Service: "cart", At: noon}, recommended()[2:]))
	require.NotContains(t, only["istio"].Apply, "outlierDetection")
	require.Contains(t, only["istio"].Apply, "http2MaxRequests")
	require.NotEmpty(t, only["linkerd"].Problem)
	for _, name := range []string{"Cart Service", "cart\nkind: Secret", "", "-cart", strings.Repeat("a", 64)} {
		for _, r := range Render(Target{Service: name, At: noon}, recommended()) {
			require.NotEmpty(t, r.Problem)
			require.Empty(t, r.Apply)
		}
	}
}

// TestAnyNumbers: whatever is recommended, what is rendered is YAML without NaN.
func TestAnyNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Float64(), rapid.Float64Range(0, 1e4))
		all := recommended()
		for i := range all {
			all[i].Value = number.Draw(t, "value")
			for k := range all[i].Settings {
				all[i].Settings[k].Value = number.Draw(t, "setting")
			}
		}
		for _, r := range Render(Target{Service: "cart", At: noon, Port: rapid.IntRange(-1, 70000).Draw(t, "port")}, all) {
			for _, text := range []string{r.Apply, r.Revert} {
				var document any
				require.NoError(t, yaml.Unmarshal([]byte(text), &document))
				require.NotContains(t, text, "NaN")
				require.NotContains(t, text, "Inf")
			}
		}
	})
}
