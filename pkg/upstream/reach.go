package upstream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
)

// ErrMetadata is told of an address at which a cloud gives away credentials.
var ErrMetadata = errors.New("the address is link-local or a cloud metadata service, which may hold this machine's credentials: requests to it are refused")

// metadata are the addresses at which clouds tell a machine its own
// credentials, link-local ones apart: Azure's, Alibaba's, Oracle's, and in IPv6
// Amazon's, Google's, Oracle's and Scaleway's.
var metadata = []netip.Addr{
	netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("192.0.0.192"),
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd00:ec2::23"),
	netip.MustParseAddr("fd20:ce::254"), netip.MustParseAddr("fd00:c1::a9fe:a9fe"), netip.MustParseAddr("fd00:42::42"),
}

// embedding are networks whose addresses stand for one of IPv4, and where that
// begins: NAT64 (RFC 6052 and 8215), 6to4 (RFC 3056), and IPv4-compatible ones.
var embedding = []struct {
	network netip.Prefix
	at      int // byte
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("64:ff9b:1::/48"), 12},
	{netip.MustParsePrefix("2002::/16"), 2}, {netip.MustParsePrefix("::/96"), 12},
}

// embedded is the IPv4 address that an address of IPv6 stands for; the address
// itself where it stands for none.
func embedded(address netip.Addr) netip.Addr {
	address = address.Unmap().WithZone("")
	for _, e := range embedding {
		if address.Is6() && e.network.Contains(address) {
			bytes := address.As16()
			return netip.AddrFrom4([4]byte(bytes[e.at : e.at+4]))
		}
	}
	return address
}

// OfMetadata tells whether a machine's own credentials may be had at an
// address. No server that Foresight is meant to reach is there, though many are
// in private networks.
func OfMetadata(address netip.Addr) bool {
	address = embedded(address)
	return address.IsLinkLocalUnicast() || slices.Contains(metadata, address)
}

// Dial connects as the dialer does, but to no metadata service. What counts is
// the address that was connected to, before anything is sent to it, so that no
// name can lead there.
func Dial(dialer *net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if written, err := netip.ParseAddrPort(address); err == nil && OfMetadata(written.Addr()) {
			return nil, ErrMetadata
		}
		connection, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if there, err := netip.ParseAddrPort(connection.RemoteAddr().String()); err != nil || OfMetadata(there.Addr()) {
			return nil, errors.Join(ErrMetadata, connection.Close())
		}
		return connection, nil
	}
}
