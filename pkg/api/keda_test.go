package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/api/promapi"
)

func TestKEDA(t *testing.T) {
	handler := testHooks(t)
	ask := func(path string, pairs ...string) (int, map[string]any) {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, get(path, pairs...))
		require.Equal(t, "application/json", recorder.Header().Get("Content-Type"))
		var found map[string]any
		require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &found))
		return recorder.Code, found
	}
	for _, name := range []string{"good", "cart"} {
		status, found := ask("/keda/"+name, "lead", "30m")
		require.Equal(t, http.StatusOK, status, found)
		require.InDelta(t, 131, found["value"], 6)
		require.NotEmpty(t, found["warnings"])
	}
	for _, name := range []string{"missing", "stale", "young", "nan", "failing", "two", "unheard"} {
		status, found := ask("/keda/" + name)
		require.Equal(t, http.StatusUnprocessableEntity, status, name)
		require.NotEmpty(t, found["error"])
		require.NotContains(t, found, "value")
	}
	status, _ := ask("/keda/good", "lead", "soon")
	require.Equal(t, http.StatusUnprocessableEntity, status)
}

// TestKEDATakesNamesWithSlashes: Grafana hands a plugin the path decoded.
func TestKEDATakesNamesWithSlashes(t *testing.T) {
	handler := testHooks(t, func(s *Settings) {
		s.Series = append(s.Series, promapi.NamedSeries{Name: "team/cart", Expr: "good"})
	})
	for _, path := range []string{"/keda/team/cart", "/keda/team%2Fcart", "/keda/?series=team/cart"} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, http.StatusOK, recorder.Code, "%s: %s", path, recorder.Body)
		require.Contains(t, recorder.Body.String(), `"series":"team/cart"`)
	}
}
