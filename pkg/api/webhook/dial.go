package webhook

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// errPrivate is told of a target that leads inside.
var errPrivate = errors.New("its name leads to an address inside the own network: set private: true if that is meant")

// client follows no redirects, reaches no metadata service and, unless private
// targets are allowed, public addresses only. The address that is checked is the
// one that is dialled, so that a name cannot lead elsewhere in between.
func client(private bool) *http.Client {
	check := upstream.NotMetadata
	if !private {
		check = func(address netip.Addr) error {
			if !public(address) {
				return errPrivate
			}
			return nil
		}
	}
	transport := &http.Transport{
		Proxy: nil, ForceAttemptHTTP2: true, TLSHandshakeTimeout: timeout, IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 2,
		MaxResponseHeaderBytes: 64 << 10,
		DialContext:            upstream.Guard(&net.Dialer{Timeout: timeout}, check).DialContext,
	}
	return &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// reserved are networks that are not public though Go does not say so: carrier
// NAT, benchmarks, documentation, protocol assignments, 6to4, NAT64 and
// IPv4-compatible addresses, which hide others, site-local ones, and what is
// reserved.
var reserved = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/23", "2001:db8::/32", "2002::/16", "100::/64",
	"::/96", "fec0::/10")

func prefixes(texts ...string) (found []netip.Prefix) {
	for _, text := range texts {
		found = append(found, netip.MustParsePrefix(text))
	}
	return found
}

// public tells whether an address belongs to the internet at large.
func public(address netip.Addr) bool {
	address = address.Unmap()
	for _, network := range reserved {
		if network.Contains(address) {
			return false
		}
	}
	return address.IsGlobalUnicast() && !address.IsPrivate() && !address.IsLoopback() && !address.IsLinkLocalUnicast()
}
