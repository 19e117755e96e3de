package accuracy

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAutoscaler(t *testing.T) {
	a := &autoscaler{target: 10, startUp: time.Minute, fewest: 2, replicas: 10}
	now := time.Duration(0)
	step := func(metrics ...float64) { a.step(now, metrics...); now += tick }

	step(109)
	require.Equal(t, 10.0, a.replicas, "within the tolerance")
	step(121)
	require.Equal(t, 13.0, a.replicas)
	require.Equal(t, 10.0, a.serving(now), "pods take a minute to start")
	require.Equal(t, 13.0, a.serving(now+time.Minute))
	step(1000)
	require.Equal(t, 26.0, a.replicas, "at most twice as many at once")
	step(130, 200)
	require.Equal(t, 26.0, a.replicas, "scaling down waits")
	for range int(stabilisation/tick) + 1 {
		step(130, 200)
	}
	require.Equal(t, 20.0, a.replicas, "the greediest metric counts")
	step(math.NaN())
	require.Equal(t, 20.0, a.replicas, "what is missing changes nothing")
	for range int(stabilisation/tick) + 1 {
		step(0)
	}
	require.Equal(t, 2.0, a.replicas)

	small := &autoscaler{target: 10, startUp: time.Hour, fewest: 1, replicas: 1}
	small.step(0, 1000)
	require.Equal(t, 5.0, small.replicas, "or four more")
	for i := range int(stabilisation/tick) + 1 {
		small.step(time.Duration(i)*tick, 20)
	}
	require.Equal(t, 2.0, small.replicas)
	require.Equal(t, 1.0, small.serving(time.Minute), "pods that do not serve yet are stopped first")
}
