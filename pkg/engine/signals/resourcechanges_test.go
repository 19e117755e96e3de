package signals

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/series"
)

// TestProbes checks the PromQL that is sent for a service with any name.
func TestProbes(t *testing.T) {
	for _, p := range probes {
		promQL := p.For(`a "b".c`, time.Minute)
		require.NotContains(t, promQL, "$")
		require.Contains(t, promQL, `service_name="a \"b\".c"`)
		require.Contains(t, promQL, `job=~"(.+/)?a \"b\"\\.c"`)
		require.Equal(t, strings.Count(promQL, "("), strings.Count(promQL, ")"), promQL)
	}
}

// TestSplit checks that gaps and infinities are no values.
func TestSplit(t *testing.T) {
	s := series.Series{Start: enginetest.Midnight, Step: time.Second, Values: []float64{1, math.NaN(), 2, math.Inf(1), 3}}
	before, after := split(s, enginetest.Midnight.Add(2*time.Second))
	require.Equal(t, []float64{1}, before)
	require.Equal(t, []float64{2, 3}, after)
	before, after = split(s, enginetest.Midnight.Add(500*time.Millisecond))
	require.Empty(t, before, "the first second is neither")
	require.Equal(t, []float64{2, 3}, after)
}
