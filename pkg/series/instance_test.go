package series_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/series"
)

// TestNamesOfMetricsTellInstancesApartFirst: a deploy changes pods, and so must not
// change the labels of an instance that its metric's name tells apart.
func TestNamesOfMetricsTellInstancesApartFirst(t *testing.T) {
	for name, test := range map[string]struct {
		all, kept []series.Labels
		dropped   []string
	}{
		"names suffice": {
			[]series.Labels{{}, {"__name__": "a", "pod": "p-1"}},
			[]series.Labels{{}, {"metric": "a"}}, []string{"pod"},
		},
		"pods differ": {
			[]series.Labels{{"__name__": "a", "pod": "p-1"}, {"__name__": "a", "pod": "p-2"}},
			[]series.Labels{{"pod": "p-1"}, {"pod": "p-2"}}, nil,
		},
		"both are needed": {
			[]series.Labels{{"__name__": "a", "pod": "p-1"}, {"__name__": "a", "pod": "p-2"}, {"__name__": "b", "pod": "p-1"}},
			[]series.Labels{{"metric": "a", "pod": "p-1"}, {"metric": "a", "pod": "p-2"}, {"metric": "b", "pod": "p-1"}}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			kept, dropped := series.InstanceLabels(test.all)
			require.Equal(t, test.kept, kept)
			require.Equal(t, test.dropped, dropped)
		})
	}
}
