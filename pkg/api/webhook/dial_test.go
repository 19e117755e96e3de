package webhook

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"1.1.1.1": true, "2606:4700::1111": true,
		"::169.254.169.254": false, "::1.1.1.1": false, "fec0::1": false, "64:ff9b::1.1.1.1": false, "2002:101:101::": false, "10.0.0.1": false, "fd00::1": false,
	} {
		require.Equal(t, want, public(netip.MustParseAddr(text)), text)
	}
}
