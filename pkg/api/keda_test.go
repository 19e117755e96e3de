package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
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
