package chaos

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFaultsComeAndGo: each fault does what it says to a plain request, and
// nothing is left of it.
func TestFaultsComeAndGo(t *testing.T) {
	whole := strings.Repeat("0123456789", 20_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, whole) }))
	t.Cleanup(server.Close)
	for _, fault := range Faults {
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			p, err := NewProxy(server.URL + "/below")
			require.NoError(t, err)
			defer p.Close()
			require.True(t, strings.HasSuffix(p.URL(), "/below"))
			client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
			get := func(patience time.Duration) string {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL(), nil)
				require.NoError(t, err)
				response, err := client.Do(request)
				if err != nil {
					return err.Error()
				}
				defer func() { _ = response.Body.Close() }()
				body, err := io.ReadAll(response.Body)
				if err != nil || response.StatusCode != http.StatusOK {
					return response.Status
				}
				return string(body)
			}
			require.True(t, get(time.Minute) == whole)
			require.NoError(t, p.Break(fault))
			var right int
			for range 2 {
				if get(2*time.Second) == whole {
					right++
				}
			}
			switch fault.Effect {
			case Fatal:
				require.Zero(t, right)
			case Harmless:
				require.Equal(t, 2, right)
			default:
				require.Less(t, right, 2)
			}
			require.NoError(t, p.Mend())
			deadline := time.Now().Add(time.Minute)
			for get(10*time.Second) != whole {
				require.True(t, time.Now().Before(deadline), "it does not come back")
			}
		})
	}
}
