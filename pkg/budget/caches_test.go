package budget

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCachesOfAllDataSources(t *testing.T) {
	caches := NewCaches(100)
	sizes := map[string]int64{}
	join := func(name string, want int64) func() {
		return caches.Join(want, func(bytes int64) { sizes[name] = bytes })
	}
	leaveA := join("a", 60)
	require.Equal(t, map[string]int64{"a": 60}, sizes)
	leaveB := join("b", 140)
	require.Equal(t, map[string]int64{"a": 42, "b": 98}, sizes, "together as much as the largest wants")
	leaveA()
	leaveA()
	require.EqualValues(t, 140, sizes["b"])
	leaveB()
	for range 10 {
		join("c", 50)
	}
	require.EqualValues(t, 10, sizes["c"])
}
