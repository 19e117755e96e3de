package canary

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"
)

func TestEvaluationFiresAsAlertingDoes(t *testing.T) {
	rule := &shippedRule{fire: 75, resolve: 50, pending: 2 * time.Minute}
	e := newEvaluation(rule)
	var fired []int
	for minute, v := range []float64{10, 80, 60, 80, 90, 60, 40, 80, 40, 80, 80, 80} {
		if len(e.step(time.Unix(0, 0).Add(time.Duration(minute)*time.Minute), map[string]float64{"a": v})) > 0 {
			fired = append(fired, minute)
		}
	}
	require.Equal(t, []int{3, 11}, fired, "pending for two minutes, held above the second threshold, once per episode")
	require.Empty(t, e.step(time.Unix(3600, 0), map[string]float64{}), "gone")
	require.Empty(t, e.fires)
}

func TestShippedRulesAreRead(t *testing.T) {
	rules, err := shippedRules()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(rules), 7)
	for _, rule := range rules {
		require.Positive(t, rule.window, rule.UID)
		require.GreaterOrEqual(t, rule.every, time.Minute, rule.UID)
		require.Greater(t, rule.fire, rule.resolve, rule.UID)
	}
}

func TestInstancesAreToldApart(t *testing.T) {
	number := func(service string, value *float64) *data.Field {
		return data.NewField("probability", data.Labels{"service_name": service}, []*float64{value})
	}
	one, none := 0.9, 0.0
	frame := data.NewFrame("probability", number("cart", &none), number("orders", &one), number("web", nil))
	require.Equal(t, map[string]float64{"service_name=cart": 0, "service_name=orders": 0.9}, instances(data.Frames{frame}))
}
