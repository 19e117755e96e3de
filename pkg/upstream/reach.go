package upstream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"
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

// Guard makes a dialer refuse addresses before it connects to them, whatever name
// led there.
func Guard(dialer *net.Dialer, check func(netip.Addr) error) *net.Dialer {
	dialer.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
		resolved, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return check(resolved.Addr())
	}
	return dialer
}

// NotMetadata refuses metadata services.
func NotMetadata(address netip.Addr) error {
	if OfMetadata(address) {
		return ErrMetadata
	}
	return nil
}
