package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/sizing"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// sizesOf knows of the two replicas of a service how busy they are, and of two
// pools one whose use is known and one whose rate is not; false for other
// questions.
func sizesOf(promQL string, draw func(series.Labels, func(time.Time) float64) series.Series) ([]series.Series, bool) {
	pool := func(name string, value func(load float64) float64) series.Series {
		return draw(series.Labels{"pool": name}, func(at time.Time) float64 { return value(rhythm(at)) })
	}
	switch {
	case strings.Contains(promQL, "kube_deployment"):
		return []series.Series{draw(nil, func(time.Time) float64 { return 2 })}, true
	case strings.Contains(promQL, "jvm_cpu_recent"):
		return []series.Series{draw(nil, func(at time.Time) float64 { return rhythm(at) / 2 / 100 })}, true
	case strings.Contains(promQL, "hikaricp_connections_active"):
		return []series.Series{pool("a", func(load float64) float64 { return load / 2 * 0.05 }), pool("b", func(float64) float64 { return 1 })}, true
	case strings.Contains(promQL, "hikaricp_connections_acquire"):
		return []series.Series{pool("a", func(load float64) float64 { return load / 2 })}, true
	case strings.Contains(promQL, "hikaricp"), strings.Contains(promQL, "redis"):
		return nil, true
	}
	return nil, false
}

// sizedServer knows latency and errors of cart, too.
type sizedServer struct{ metricsServer }

func (s sizedServer) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	set, err := s.metricsServer.QueryRange(ctx, promQL, window)
	for name, value := range map[string]float64{"histogram_quantile": 0.1, `=~"5.."`: 0.002} {
		if strings.Contains(promQL, name) {
			for i := range set.Series[0].Values {
				set.Series[0].Values[i] = value
			}
		}
	}
	return set, err
}

func sizedHooks(t *testing.T) http.Handler {
	t.Helper()
	e := &engine.Engine{Metrics: sizedServer{}, Now: func() time.Time { return noon }, Limits: engine.Limits{MaxSeries: 50}}
	h := New(e, Settings{CallerRate: 1000, Timeout: 2 * time.Minute})
	t.Cleanup(h.Close)
	mux := http.NewServeMux()
	h.Register(mux)
	return mux
}

func TestRecommendedSeries(t *testing.T) {
	handler := sizedHooks(t)
	for expr, test := range map[string]struct {
		low, high float64
		labels    map[string]string
	}{
		// 132 requests per second, over 70 of each replica.
		`foresight_recommended_replicas{service="cart"}`:                                {2, 2, map[string]string{"lead": "10m"}},
		`foresight_recommended_replicas{service="cart", use="0.35"}`:                    {4, 4, nil},
		`foresight_recommended_replicas{service="cart", use="0.1", max_replicas="5"}`:   {5, 5, nil},
		`foresight_recommended_pool_size{service="cart"}`:                               {5, 9, map[string]string{"pool": "a"}},
		`foresight_recommended_pool_size{service="cart", database_connections="8"}`:     {4, 4, nil},
		`max(foresight_recommended_pool_size{service="cart", pool="a", max_wait="1s"})`: {4, 7, nil},
		`foresight_recommended_max_concurrency{service="cart", quantile="0.9"}`:         {26, 32, nil},
	} {
		t.Run(expr, func(t *testing.T) {
			status, found := serve(t, handler, get(instant, "query", expr))
			require.Equal(t, http.StatusOK, status, found.Error)
			vector := found.vector(t)
			require.Len(t, vector, 1)
			value, err := strconv.ParseFloat(vector[0].Value[1].(string), 64)
			require.NoError(t, err)
			require.GreaterOrEqual(t, value, test.low)
			require.LessOrEqual(t, value, test.high)
			require.NotEmpty(t, found.Warnings)
			for name, want := range test.labels {
				require.Equal(t, want, vector[0].Metric[name])
			}
		})
	}
	for expr, reason := range map[string]string{
		`foresight_recommended_replicas`:                                              "of which service",
		`foresight_recommended_replicas{service="unheard"}`:                           "no metric counts the requests",
		`foresight_recommended_replicas{service="cart", use="2"}`:                     "use is 2",
		`foresight_recommended_replicas{service="cart", max_replicas="many"}`:         "write a number",
		`foresight_recommended_pool_size{service="cart", max_wait="soon"}`:            "is not a duration",
		`foresight_recommended_pool_size{service="cart", pool="b"}`:                   "no series matches",
		`foresight_recommended_pool_size{service="cart", database_connections="1"}`:   "fewer connections than there are instances",
		`foresight_recommended_replicas{service="cart", quantile="0.6"} or vector(0)`: "quantile is 0.6",
	} {
		t.Run(expr, func(t *testing.T) {
			status, found := serve(t, handler, get(instant, "query", expr))
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Contains(t, strings.ToLower(found.Error), reason)
		})
	}
}

func TestRecommendations(t *testing.T) {
	ask := func(handler http.Handler, pairs ...string) (int, string) {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, get("/recommendations", pairs...))
		require.Equal(t, "application/json", recorder.Header().Get("Content-Type"))
		return recorder.Code, recorder.Body.String()
	}
	status, body := ask(sizedHooks(t), "service", "cart", "maxReplicas", "9")
	require.Equal(t, http.StatusOK, status, body)
	var found struct {
		Service         string
		Recommendations []struct {
			Setting         sizing.Sizing
			Value, Current  *float64
			ValidUntil      *time.Time
			Patches, Basis  []any
			Revert, Problem string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &found))
	require.Equal(t, "cart", found.Service)
	require.Len(t, found.Recommendations, 8, "seven settings, two pools")
	for _, one := range found.Recommendations {
		if one.Problem != "" {
			require.Nil(t, one.Value, one.Setting)
			require.Nil(t, one.ValidUntil)
			continue
		}
		require.NotNil(t, one.Value, one.Setting)
		require.NotEmpty(t, one.Patches)
		require.NotEmpty(t, one.Revert)
		require.NotEmpty(t, one.Basis)
	}
	require.Equal(t, 2.0, *found.Recommendations[0].Current)

	for _, test := range []struct {
		pairs  []string
		status int
		reason string
	}{
		{nil, http.StatusBadRequest, "service is missing"},
		{[]string{"service", "cart", "use", "much"}, http.StatusBadRequest, "write a number"},
		{[]string{"service", "cart", "lead", "1s"}, http.StatusBadRequest, "lead is 1s"},
	} {
		status, body := ask(sizedHooks(t), test.pairs...)
		require.Equal(t, test.status, status)
		require.Contains(t, body, test.reason)
	}
	status, body = ask(testHooks(t), "service", "unheard")
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
}

func TestBreakers(t *testing.T) {
	ask := func(pairs ...string) (int, string) {
		recorder := httptest.NewRecorder()
		sizedHooks(t).ServeHTTP(recorder, get("/recommendations/breakers", pairs...))
		return recorder.Code, recorder.Body.String()
	}
	status, body := ask("service", "cart", "namespace", "shop", "istio", "1.20", "linkerd", "2.12")
	require.Equal(t, http.StatusOK, status, body)
	var found struct {
		Resources []struct {
			Mesh, Apply, Revert, Problem string
			Expires                      *time.Time
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &found))
	require.Len(t, found.Resources, 5)
	for _, one := range found.Resources {
		switch one.Mesh {
		case "istio":
			require.Contains(t, one.Apply, "networking.istio.io/v1beta1")
			require.Contains(t, one.Apply, "cart.shop.svc.cluster.local")
			require.NotEmpty(t, one.Revert)
			require.Equal(t, noon.Add(24*time.Hour), one.Expires.UTC())
		case "linkerd":
			require.NotEmpty(t, one.Problem)
			require.Empty(t, one.Apply)
			require.Nil(t, one.Expires)
		}
	}
	for _, bad := range [][]string{{}, {"service", "cart", "port", "many"}} {
		status, _ = ask(bad...)
		require.Equal(t, http.StatusBadRequest, status)
	}
	status, body = ask("service", "cart", "namespace", "no namespace")
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
}
