package topology_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/topology"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// span is a span of a fixture; times are milliseconds.
func span(id, parent byte, kind trace.Kind, service, name string, start, took int, pairs ...string) trace.Span {
	s := trace.Span{
		ID: trace.SpanID{7: id}, ParentID: trace.SpanID{7: parent}, Kind: kind, Service: service, Name: name,
		Start: int64(start) * 1e6, Duration: int64(took) * 1e6, Version: "1",
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		s.Attributes = append(s.Attributes, trace.Attribute{Key: pairs[i], Value: pairs[i+1]})
	}
	return s
}

func failed(s trace.Span) trace.Span {
	s.Failed = true
	return s
}

func one(spans ...trace.Span) []trace.Trace {
	return []trace.Trace{{ID: trace.TraceID{15: 1}, Spans: spans}}
}

func node(t *testing.T, m topology.Map, id string) topology.Node {
	for _, n := range m.Nodes {
		if n.ID == id {
			return n
		}
	}
	require.Fail(t, "no such node", "%s among %+v", id, m.Nodes)
	return topology.Node{}
}

func edge(t *testing.T, m topology.Map, id string) topology.Edge {
	for _, e := range m.Edges {
		if e.ID == id {
			return e
		}
	}
	require.Fail(t, "no such edge", "%s among %+v", id, m.Edges)
	return topology.Edge{}
}

// TestEdges checks what each form of a call becomes.
func TestEdges(t *testing.T) {
	for name, c := range map[string]struct {
		spans    []trace.Span
		edge     string
		to       topology.Type
		client   float64 // median, ms
		server   float64
		gap      float64
		unpaired float64
	}{
		"client and server": {[]trace.Span{
			span(1, 0, trace.Server, "web", "GET /", 0, 100),
			span(2, 1, trace.Client, "web", "GET", 10, 50, "server.address", "cart"),
			span(3, 2, trace.Server, "cart", "GET /cart", 15, 30)}, "web → cart", topology.Service, 50, 30, 20, 0},
		"the server sent no span": {[]trace.Span{
			span(1, 0, trace.Server, "web", "GET /", 0, 100),
			span(2, 1, trace.Client, "web", "GET", 10, 50, "server.address", "cart"),
			span(3, 9, trace.Internal, "cart", "its parent is missing", 70, 1)}, "web → cart", topology.Service, 50, 0, 0, 1},
		"the client sent no span": {[]trace.Span{
			span(1, 0, trace.Server, "web", "GET /", 0, 100),
			span(3, 1, trace.Server, "cart", "GET /cart", 15, 30)}, "web → cart", topology.Service, 0, 30, 0, 1},
		"one client's span over two servers": {[]trace.Span{
			span(1, 0, trace.Server, "web", "GET /", 0, 100),
			span(2, 1, trace.Client, "web", "GET", 10, 80),
			span(3, 2, trace.Server, "cart", "GET /cart", 15, 30),
			span(4, 2, trace.Server, "cart", "GET /cart", 50, 30)}, "web → cart", topology.Service, 80, 30, 0, 0},
		"kinds are unknown": {[]trace.Span{
			span(1, 0, trace.Unspecified, "web", "a", 0, 100),
			span(2, 1, trace.Unspecified, "cart", "b", 15, 30)}, "web → cart", topology.Service, 0, 30, 0, 0},
		"a database": {[]trace.Span{
			span(1, 0, trace.Server, "web", "GET /", 0, 100),
			span(2, 1, trace.Client, "web", "SELECT", 10, 50, "db.system", "postgresql", "db.namespace", "shop", "server.address", "db1")},
			"web → database:postgresql:shop", topology.Database, 50, 0, 0, 0},
		"a cache": {[]trace.Span{
			span(1, 0, trace.Server, "web", "GET /", 0, 100),
			span(2, 1, trace.Client, "web", "GET", 10, 5, "db.system.name", "redis", "server.address", "cache1")},
			"web → cache:redis:cache1", topology.Cache, 5, 0, 0, 0},
		"a peer outside": {[]trace.Span{
			span(1, 0, trace.Server, "web", "GET /", 0, 100),
			span(2, 1, trace.Client, "web", "POST", 10, 60, "server.address", "api.example")},
			"web → external:api.example", topology.External, 60, 0, 0, 0},
		"a message sent": {[]trace.Span{
			span(1, 0, trace.Server, "web", "GET /", 0, 100),
			span(2, 1, trace.Producer, "web", "send", 10, 2, "messaging.system", "kafka", "messaging.destination.name", "mails")},
			"web → queue:kafka:mails", topology.Queue, 2, 0, 0, 0},
		"a message received": {[]trace.Span{
			span(1, 0, trace.Producer, "web", "send", 10, 2, "messaging.system", "kafka", "messaging.destination.name", "mails"),
			span(2, 1, trace.Consumer, "mailer", "process", 512, 40, "messaging.system", "kafka", "messaging.destination.name", "mails")},
			"queue:kafka:mails → mailer", topology.Service, 500, 40, 0, 0},
		"a load generator that sends spans": {[]trace.Span{
			span(1, 0, trace.Client, "load", "GET", 0, 100),
			span(2, 1, trace.Server, "web", "GET /", 10, 80)}, "load → web", topology.Service, 100, 80, 20, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := topology.Draw(one(c.spans...), nil, topology.Options{})
			e := edge(t, m, c.edge)
			require.Equal(t, c.to, node(t, m, e.To).Type)
			require.InDelta(t, c.client*1e6, e.Now.Client.P50, 1, "client")
			require.InDelta(t, c.server*1e6, e.Now.Server.P50, 1, "server")
			require.InDelta(t, c.gap*1e6, e.Now.Gap.P50, 1, "gap")
			require.Equal(t, c.unpaired, m.Unpaired)
			require.Empty(t, e.Changes)
			require.Nil(t, e.Before)
			require.Len(t, e.Examples, 1)
		})
	}
}

// TestFigures checks rates, errors, retries, versions and entries.
func TestFigures(t *testing.T) {
	call := func(id byte, at int) trace.Span {
		return span(id, 1, trace.Client, "web", "POST /pay", at, 10, "server.address", "pay")
	}
	m := topology.Draw(one(span(1, 0, trace.Server, "web", "GET /", 0, 100), failed(call(2, 10)), failed(call(3, 30)), call(4, 50), call(5, 70)), nil, topology.Options{})
	e := edge(t, m, "web → external:pay")
	require.Equal(t, 4, e.Now.Calls)
	require.Equal(t, 4.0, e.Now.CallsPerTrace)
	require.Equal(t, 0.5, e.Now.Errors.Estimate)
	require.Less(t, e.Now.Errors.Lower, 0.2)
	require.Equal(t, 0.5, e.Now.Retries, "the calls after the first and the second")
	require.Equal(t, []topology.Version{{Name: "1", Calls: 4}}, e.CallerVersions)
	require.Empty(t, e.CalleeVersions)
	require.Equal(t, []string{"POST /pay"}, e.Operations)
	require.Equal(t, time.Unix(0, 10e6).UTC(), e.FirstSeen)
	require.Equal(t, time.Unix(0, 80e6).UTC(), e.LastSeen)
	web := node(t, m, "web")
	require.Equal(t, 1, web.Entries)
	require.InDelta(t, 60e6, web.Now.Own.P50, 1, "its duration without the calls")
	require.InDelta(t, 40e6, node(t, m, "external:pay").Now.Own.P50, 1)
}

func changes(m topology.Map) map[string][]topology.Change {
	found := map[string][]topology.Change{}
	for _, n := range m.Nodes {
		if len(n.Changes) > 0 {
			found["node "+n.ID] = n.Changes
		}
	}
	for _, e := range m.Edges {
		if len(e.Changes) > 0 {
			found["edge "+e.ID] = e.Changes
		}
	}
	return found
}

// TestChanges checks that a deploy colours what it changed and nothing else.
func TestChanges(t *testing.T) {
	before := tracetest.Shop{Seed: 1, Traces: 400}.Generate()
	compare := func(s tracetest.Shop) map[string][]topology.Change {
		s.Traces = 400
		return changes(topology.Draw(s.Generate(), before, topology.Options{}))
	}
	require.Empty(t, compare(tracetest.Shop{Seed: 2}))

	lost := compare(tracetest.Shop{Seed: 3, LostCache: true})
	require.Contains(t, lost["node cache:redis:redis"], topology.Gone)
	require.Contains(t, lost["edge cart → cache:redis:redis"], topology.Gone)
	require.Contains(t, lost["edge cart → database:postgresql:postgresql"], topology.New)
	require.Contains(t, lost["edge web → cart"], topology.Slower)
	require.NotContains(t, lost, "node web", "what it calls is slower, not its own work")

	failing := compare(tracetest.Shop{Seed: 4, PaymentFails: 0.3})
	require.Equal(t, []topology.Change{topology.MoreErrors}, failing["edge web → payment"])
	require.NotContains(t, failing, "edge web → orders")

	slow := compare(tracetest.Shop{Seed: 5, SlowQuery: 6})
	require.Contains(t, slow["edge orders → database:postgresql:postgresql"], topology.Slower)
	require.NotContains(t, slow, "node orders")

	looping := compare(tracetest.Shop{Seed: 6, NPlusOne: 8})
	require.Contains(t, looping["edge orders → database:postgresql:postgresql"], topology.MoreCalls)

	few := topology.Draw(tracetest.Shop{Seed: 7, Traces: 15, LostCache: true}.Generate(), before, topology.Options{})
	require.Equal(t, map[string][]topology.Change{"edge cart → database:postgresql:postgresql": {topology.New}}, changes(few),
		"15 traces show what is there, not what is gone")
}

// TestDeterministic checks that neither the order of the traces nor that of
// their spans changes the map.
func TestDeterministic(t *testing.T) {
	before := tracetest.Shop{Seed: 1, Traces: 100}.Generate()
	after := tracetest.Shop{Seed: 2, Traces: 100, PaymentFails: 0.3}.Generate()
	want := topology.Draw(after, before, topology.Options{})
	random := rand.New(rand.NewPCG(1, 1))
	for range 3 {
		random.Shuffle(len(after), func(i, j int) { after[i], after[j] = after[j], after[i] })
		for _, one := range after {
			random.Shuffle(len(one.Spans), func(i, j int) { one.Spans[i], one.Spans[j] = one.Spans[j], one.Spans[i] })
		}
		require.Equal(t, want, topology.Draw(after, before, topology.Options{}))
	}
}

// TestBounds checks that thousands of peers are one node.
func TestBounds(t *testing.T) {
	spans := []trace.Span{span(1, 0, trace.Server, "web", "GET /", 0, 100)}
	for i := range 60_000 {
		s := span(0, 1, trace.Client, "web", "GET", 1, 1, "server.address", "host-"+time.Duration(i).String())
		binary.BigEndian.PutUint64(s.ID[:], uint64(i+10))
		spans = append(spans, s)
	}
	m := topology.Draw(one(spans...), nil, topology.Options{MaxNodes: 50})
	require.Len(t, m.Nodes, 51)
	require.Len(t, m.Notices, 1)
	total := 0
	for _, e := range m.Edges {
		total += e.Now.Calls
	}
	require.Equal(t, 60_000, total)
}

// TestAnything checks that any spans make a map whose edges join its nodes.
func TestAnything(t *testing.T) {
	texts := []string{"", "a", "b", "redis", "\xff"}
	rapid.Check(t, func(t *rapid.T) {
		spans := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) trace.Span {
			return trace.Span{
				ID:         trace.SpanID{7: rapid.Byte().Draw(t, "id")},
				ParentID:   trace.SpanID{7: rapid.ByteRange(0, 9).Draw(t, "parent")},
				Kind:       trace.Kind(rapid.IntRange(0, 5).Draw(t, "kind")),
				Start:      rapid.Int64().Draw(t, "start"),
				Duration:   rapid.Int64().Draw(t, "duration"),
				Failed:     rapid.Bool().Draw(t, "failed"),
				Service:    rapid.SampledFrom(texts).Draw(t, "service"),
				Attributes: []trace.Attribute{{Key: rapid.SampledFrom([]string{"db.system", "server.address", "messaging.destination"}).Draw(t, "key"), Value: rapid.SampledFrom(texts).Draw(t, "value")}},
			}
		}), 0, 40).Draw(t, "spans")
		m := topology.Draw(one(spans...), one(spans...), topology.Options{})
		ids := map[string]bool{}
		for _, n := range m.Nodes {
			if ids[n.ID] {
				t.Fatalf("two nodes %q", n.ID)
			}
			ids[n.ID] = true
		}
		for _, e := range m.Edges {
			if !ids[e.From] || !ids[e.To] {
				t.Fatalf("edge %q without its nodes", e.ID)
			}
			if len(e.Changes) > 0 {
				t.Fatalf("edge %q changed: %v", e.ID, e.Changes)
			}
		}
	})
}
