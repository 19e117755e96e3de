package diff

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheSecondLookSpendsAShare: looking twice must not find twice as much by
// chance.
func TestTheSecondLookSpendsAShare(t *testing.T) {
	first := Options{}.withDefaults()
	second := first.secondLook()
	require.InDelta(t, first.FalseDiscoveryRate/2, second.FalseDiscoveryRate, 1e-12)
	second.FalseDiscoveryRate = first.FalseDiscoveryRate
	require.Equal(t, first, second, "nothing else is any different")
}
