package topology_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/topology"
)

// TestCallsCountOnce checks that a library which calls another makes one call,
// and that messages are taken from their queue whatever the kind of the span.
func TestCallsCountOnce(t *testing.T) {
	root := span(1, 0, trace.Server, "web", "GET /", 0, 100)
	for name, c := range map[string]struct {
		spans []trace.Span
		edges map[string]int
	}{
		"a database's client over HTTP": {[]trace.Span{root,
			span(2, 1, trace.Client, "web", "GetItem", 10, 50, "db.system", "dynamodb", "db.name", "carts"),
			span(3, 2, trace.Client, "web", "POST", 11, 48, "server.address", "dynamodb.example")}, map[string]int{"web → database:dynamodb:carts": 1}},
		"a vendor's client over HTTP names no peer": {[]trace.Span{root,
			span(2, 1, trace.Client, "web", "S3.PutObject", 10, 50, "rpc.service", "S3"),
			span(3, 2, trace.Internal, "web", "sign", 10, 1),
			span(4, 2, trace.Client, "web", "PUT", 11, 48, "url.host", "s3.example")}, map[string]int{"web → external:s3.example": 1}},
		"a client over HTTP to a service": {[]trace.Span{root,
			span(2, 1, trace.Client, "web", "Cart.Get", 10, 50, "peer.service", "cart"),
			span(3, 2, trace.Client, "web", "GET", 11, 48, "server.address", "cart"),
			span(4, 3, trace.Server, "cart", "GET /cart", 12, 40)}, map[string]int{"web → cart": 1}},
		"a client around many calls": {[]trace.Span{root,
			span(2, 1, trace.Client, "web", "load", 10, 50),
			span(3, 2, trace.Client, "web", "GET", 11, 10, "server.address", "a.example"),
			span(4, 2, trace.Client, "web", "GET", 22, 10, "server.address", "b.example")},
			map[string]int{"web → external:a.example": 1, "web → external:b.example": 1}},
		"a service with a port": {[]trace.Span{root, span(2, 9, trace.Internal, "cart", "elsewhere", 0, 1),
			span(3, 1, trace.Client, "web", "GET", 10, 50, "peer.service", "cart:8080")}, map[string]int{"web → cart": 1}},
		"receive by a client's span": {[]trace.Span{
			span(1, 0, trace.Client, "mailer", "mails receive", 0, 10, "messaging.system", "kafka", "messaging.destination.name", "mails", "messaging.operation.type", "receive")},
			map[string]int{"queue:kafka:mails → mailer": 1}},
		"Brave's poll and on-message": {[]trace.Span{
			span(1, 0, trace.Producer, "web", "send", 0, 1, "messaging.destination", "mails"),
			span(2, 1, trace.Consumer, "mailer", "poll", 20, 0, "messaging.destination", "mails"),
			span(3, 2, trace.Unspecified, "mailer", "on-message", 21, 40)},
			map[string]int{"web → queue::mails": 1, "queue::mails → mailer": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			m := topology.Draw(one(c.spans...), nil, topology.Options{})
			edges := map[string]int{}
			for _, e := range m.Edges {
				edges[e.ID] = e.Now.Calls
				if e.ID == "queue::mails → mailer" {
					require.Equal(t, 40e6, e.Now.Server.P50, "the work on the message counts")
				}
			}
			require.Equal(t, c.edges, edges)
		})
	}
}

// TestOwnWorkLeavesCallsOut: the time of a client's span is its callee's, and no
// work of the caller.
func TestOwnWorkLeavesCallsOut(t *testing.T) {
	m := topology.Draw(one(
		span(1, 0, trace.Server, "web", "GET /", 0, 100),
		span(2, 1, trace.Client, "web", "SELECT", 10, 80, "db.system", "postgresql", "db.namespace", "shop"),
	), nil, topology.Options{})
	require.Equal(t, 20e6, node(t, m, "web").Now.Own.P50)
	require.Equal(t, 80e6, node(t, m, "database:postgresql:shop").Now.Own.P50)
}
