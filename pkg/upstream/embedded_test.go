package upstream

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMetadataInIPv6 writes metadata services as clouds and translators do.
func TestMetadataInIPv6(t *testing.T) {
	for text, want := range map[string]bool{
		"fd20:ce::254": true, "fd00:c1::a9fe:a9fe": true, "fd00:42::42": true,
		"64:ff9b::169.254.169.254": true, "64:ff9b:1::a9fe:a9fe": true, "2002:a9fe:a9fe::1": true, "::169.254.169.254": true,
		"::ffff:169.254.169.254": true, "2002:6464:64c8::": true, "64:ff9b::100.100.100.200": true,
		"64:ff9b::10.0.0.1": false, "2002:a00:1::": false, "::1": false, "fd00::1": false, "2001:db8::1": false,
	} {
		require.Equal(t, want, OfMetadata(netip.MustParseAddr(text)), text)
	}
}
