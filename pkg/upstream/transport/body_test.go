package transport_test

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// TestAnswersOfAnyLength reads answers around the sizes of the pieces in which
// they are read.
func TestAnswersOfAnyLength(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, length := range []int{0, 1, 16<<10 - 1, 16 << 10, 16<<10 + 1, 48 << 10, 1 << 20, 3<<20 + 7} {
		want := make([]byte, length)
		for i := range want {
			want[i] = 'a' + byte(random.IntN(26))
		}
		for _, declared := range []bool{true, false} {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if !declared {
					_ = http.NewResponseController(w).Flush()
				}
				_, _ = w.Write(want)
			})
			got, err := get(newClient(t, transport.Config{URL: server.URL}, transport.Limits{ResponseBytes: max(int64(length), 1)}))
			require.NoError(t, err, length)
			require.True(t, bytes.Equal(want, got), length)
			if length > 0 {
				_, err = get(newClient(t, transport.Config{URL: server.URL}, transport.Limits{ResponseBytes: max(int64(length)-1, 1)}))
				if length > 1 {
					require.ErrorContains(t, err, "the answer has more than", length)
				}
			}
		}
	}
}

// TestDecodedSizeEndsReading has an answer that would take too much once it is
// decoded: it is not read to its end, and what it took is given back.
func TestDecodedSizeEndsReading(t *testing.T) {
	var sent atomic.Int64
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		piece := []byte(strings.Repeat("{},", 10_000))
		for range 1000 {
			n, err := w.Write(piece)
			if err != nil {
				return
			}
			sent.Add(int64(n))
		}
	})
	memory := budget.NewGate(budget.Shares{What: "memory", Total: 64 << 20})
	ctx, account := budget.Open(t.Context(), memory, 32<<20)
	client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{})
	client.ChargeDecoded(transport.JSONSize)
	_, _, err := client.Get(ctx, client.URL("api", nil), "application/json")
	var known *upstream.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, upstream.TooLarge, known.Category)
	require.Less(t, sent.Load(), int64(10<<20), "of 30 MB")
	account.Close()
	require.Zero(t, memory.Used())
}
