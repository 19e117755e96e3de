package deploys

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/series"
)

// TestManyVersions checks that a service with thousands of versions in the
// window costs what its spans do, and that each came after the one before it.
func TestManyVersions(t *testing.T) {
	const versions, steps = 3000, 720
	all := make([]series.Series, versions)
	for v := range all {
		counts := make([]float64, steps)
		for i := v * (steps - 10) / versions; i < v*(steps-10)/versions+10; i++ {
			counts[i] = 5
		}
		all[v] = series.Series{Labels: map[string]string{"service_name": "shop", "service_version": fmt.Sprintf("%04d", v)}, Step: 5 * time.Second, Values: counts}
	}
	begun := time.Now()
	deploys := deploysOf("shop", all)
	require.Less(t, time.Since(begun), 10*time.Second)
	require.Len(t, deploys, versions)
	require.NotEmpty(t, deploys[versions-1].Previous)
}
