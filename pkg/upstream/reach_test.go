package upstream

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOfMetadata(t *testing.T) {
	for address, want := range map[string]bool{
		"169.254.169.254": true, "::ffff:169.254.169.254": true, "169.254.170.2": true, "fe80::1%eth0": true, "fd00:ec2::254": true,
		"168.63.129.16": true, "100.100.100.200": true, "192.0.0.192": true,
		"127.0.0.1": false, "::1": false, "10.0.0.7": false, "192.168.1.1": false, "172.17.0.1": false, "100.64.0.1": false, "fd00::1": false, "203.0.113.9": false,
	} {
		require.Equal(t, want, OfMetadata(netip.MustParseAddr(address)), address)
	}
}

// TestDial reaches this machine, but no metadata service: neither by its
// address, nor by a name that leads there.
func TestDial(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	dial := Guard(&net.Dialer{}, NotMetadata).DialContext
	connection, err := dial(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, connection.Close())
	for _, address := range []string{"169.254.169.254:80", "[fe80::1%lo]:80", "[::ffff:169.254.169.254]:80"} {
		_, err = dial(t.Context(), "tcp", address)
		require.ErrorIs(t, err, ErrMetadata, address)
	}
	metadata = append(metadata, netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1"))
	defer func() { metadata = metadata[:len(metadata)-2] }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	_, err = dial(t.Context(), "tcp", "localhost:"+port)
	require.ErrorIs(t, err, ErrMetadata)
}
