package tempo

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// TestTextsOfAnswersAreGivenBack: a sample of many parts takes what its traces
// take, and the texts of the few parts that are read at once.
func TestTextsOfAnswersAreGivenBack(t *testing.T) {
	const part, allowed = 4 << 20, 48 << 20 // eight parts are read, each takes three times its text
	f := &fake{}
	for i := range 800 {
		f.traces = append(f.traces, request(i, noon.Add(-time.Duration(i)*3*time.Second-time.Millisecond), 0))
	}
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/search" || r.URL.Query().Get("spss") == "1" {
			return false
		}
		answer := httptest.NewRecorder()
		f.search(answer, r.URL.Query())
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(answer.Body.Bytes(), bytes.Repeat([]byte(" "), part)...))
		return true
	}
	memory := budget.NewGate(budget.Shares{What: "memory", Total: 1 << 30})
	ctx, account := budget.Open(t.Context(), memory, allowed)
	defer account.Close()
	set, err := f.client(t, transport.Limits{}).Search(ctx, lastMinutes(50, 400))
	require.NoError(t, err)
	require.Greater(t, len(set.Traces), 390)
	require.Empty(t, set.Warnings)
}
