package propagation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

func TestOnset(t *testing.T) {
	services, _ := newSystem(1).measure()
	web := len(services) - 1
	q := propagation.Question{Service: "web", Signal: propagation.Latency, Recent: 60, From: 80}
	_, found := propagation.Onset(services, q)
	require.False(t, found, "nothing began")

	values := services[web].Latency
	values[90] *= 2 // shorter than what follows
	for i := 100; i < 112; i++ {
		if i != 104 {
			values[i] *= 2
		}
	}
	step, found := propagation.Onset(services, q)
	require.True(t, found)
	require.Equal(t, 100, step)

	q.Service = "unknown"
	_, found = propagation.Onset(services, q)
	require.False(t, found)
}
