// Package tracetest makes populations of traces for tests and benchmarks: a
// small shop with a known call tree whose faults can be switched on. The same
// settings and seed give the same traces.
package tracetest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// Shop is a system with the endpoints GET /catalog (a third of the traffic) and
// POST /checkout: web calls cart, payment and orders; orders queries its
// database.
type Shop struct {
	Seed   uint64
	Traces int
	Start  time.Time     // of the first trace; zero for 2024-01-01
	Every  time.Duration // between traces; default 100 ms
	// Width adds as many leaf calls below catalog as asked for, to make traces
	// larger.
	Width int

	// Wave is the amplitude (of the logarithm) of a rhythm that all durations
	// follow, Period its length; 0 for a steady system.
	Wave   float64
	Period time.Duration

	Version      string  // of orders
	SlowQuery    float64 // factor on the orders statement's duration; 0 for 1
	SlowShare    float64 // share of requests with the slow query; 0 for all
	NPlusOne     int     // further statements per checkout
	PaymentFails float64 // share of payments that fail
	SlowNetwork  float64 // factor on the way from web to payment; 0 for 1
	StarvedWeb   float64 // factor on the way from web to every service; 0 for 1
	LostCache    bool    // cart asks its database instead of the cache
}

// Generate is the shop's traces.
func (s Shop) Generate() []trace.Trace {
	random := rand.New(rand.NewPCG(s.Seed, 0x5eed))
	start, every := s.Start, s.Every
	if start.IsZero() {
		start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if every == 0 {
		every = 100 * time.Millisecond
	}
	traces := make([]trace.Trace, s.Traces)
	for i := range traces {
		w := writer{shop: s, random: random, now: start.Add(time.Duration(i) * every).UnixNano()}
		binary.BigEndian.PutUint64(w.trace.ID[:], random.Uint64())
		binary.BigEndian.PutUint64(w.trace.ID[8:], random.Uint64()|1)
		if random.IntN(3) == 0 {
			w.catalog()
		} else {
			w.checkout()
		}
		traces[i] = w.trace
	}
	return traces
}

// writer writes one trace; now is the simulated time.
type writer struct {
	shop   Shop
	random *rand.Rand
	trace  trace.Trace
	now    int64
}

func (w *writer) checkout() {
	w.server(trace.SpanID{}, "web", "POST /checkout", "POST", "/checkout", func(web trace.SpanID) bool {
		w.work(2)
		w.call(web, "web", "cart", "GET", "/cart/{id}", 1, w.cart)
		w.work(1)
		w.call(web, "web", "payment", "POST", "/pay", positive(w.shop.SlowNetwork), func(trace.SpanID) bool {
			w.work(8)
			return w.random.Float64() < w.shop.PaymentFails
		})
		w.call(web, "web", "orders", "POST", "/orders", 1, w.orders)
		w.work(0.5)
		return false
	})
}

func (w *writer) catalog() {
	w.server(trace.SpanID{}, "web", "GET /catalog", "GET", "/catalog", func(web trace.SpanID) bool {
		w.work(1)
		w.call(web, "web", "catalog", "GET", "/items", 1, func(catalog trace.SpanID) bool {
			w.query(catalog, "catalog", "SELECT * FROM items WHERE category = 'c"+w.number()+"'", 3)
			for range w.shop.Width {
				w.query(catalog, "catalog", "SELECT stock FROM stock WHERE item = "+w.number(), 0.2)
			}
			return false
		})
		return false
	})
}

func (w *writer) cart(cart trace.SpanID) bool {
	if w.shop.LostCache {
		w.query(cart, "cart", "SELECT * FROM cart_items WHERE cart = "+w.number(), 6)
		return false
	}
	w.span(cart, trace.Client, "cart", "GET", []trace.Attribute{
		{Key: "db.system", Value: "redis"}, {Key: "db.operation.name", Value: "GET"},
	}, func(trace.SpanID) bool { w.work(0.5); return false })
	return false
}

func (w *writer) orders(orders trace.SpanID) bool {
	factor := positive(w.shop.SlowQuery)
	if share := w.shop.SlowShare; share > 0 && w.random.Float64() >= share {
		factor = 1
	}
	w.work(1)
	w.query(orders, "orders", "SELECT * FROM orders WHERE customer = "+w.number(), 4*factor)
	for range w.shop.NPlusOne {
		w.query(orders, "orders", "SELECT * FROM order_lines WHERE order_id = "+w.number(), 1.5)
	}
	w.query(orders, "orders", "INSERT INTO orders (id, customer) VALUES ("+w.number()+", "+w.number()+")", 2)
	return false
}

// call is a client's span, the way there, the server's span, and the way back.
func (w *writer) call(parent trace.SpanID, from, to, method, route string, way float64, body func(trace.SpanID) bool) {
	if from == "web" {
		way *= positive(w.shop.StarvedWeb)
	}
	attributes := []trace.Attribute{{Key: "http.request.method", Value: method}, {Key: "server.address", Value: to}}
	w.span(parent, trace.Client, from, method, attributes, func(client trace.SpanID) bool {
		w.work(0.4 * way)
		failed := w.server(client, to, method+" "+route, method, route, body)
		w.work(0.3 * way)
		return failed
	})
}

func (w *writer) server(parent trace.SpanID, service, name, method, route string, body func(trace.SpanID) bool) (failed bool) {
	attributes := []trace.Attribute{{Key: "http.request.method", Value: method}, {Key: "http.route", Value: route}}
	return w.span(parent, trace.Server, service, name, attributes, body)
}

func (w *writer) query(parent trace.SpanID, service, statement string, milliseconds float64) {
	attributes := []trace.Attribute{{Key: "db.system", Value: "postgresql"}, {Key: "db.statement", Value: statement}}
	w.span(parent, trace.Client, service, "SELECT", attributes, func(trace.SpanID) bool { w.work(milliseconds); return false })
}

// span writes a span around what body does; body says whether it failed.
func (w *writer) span(parent trace.SpanID, kind trace.Kind, service, name string, attributes []trace.Attribute, body func(trace.SpanID) bool) (failed bool) {
	index := len(w.trace.Spans)
	var id trace.SpanID
	binary.BigEndian.PutUint64(id[:], w.random.Uint64()|1)
	version := "1"
	if service == "orders" && w.shop.Version != "" {
		version = w.shop.Version
	}
	w.trace.Spans = append(w.trace.Spans, trace.Span{
		ID: id, ParentID: parent, Kind: kind, Start: w.now, Service: service, Version: version, Name: name, Attributes: attributes,
	})
	start := w.now
	failed = body(id)
	span := &w.trace.Spans[index]
	span.Duration, span.Failed = w.now-start, failed
	return failed
}

// work lets time pass: lognormal around the median.
func (w *writer) work(milliseconds float64) {
	logarithm := 0.4 * w.random.NormFloat64()
	if w.shop.Period > 0 {
		logarithm += w.shop.Wave * math.Sin(2*math.Pi*float64(w.now)/float64(w.shop.Period))
	}
	w.now += int64(milliseconds * 1e6 * math.Exp(logarithm))
}

func (w *writer) number() string {
	const digits = "0123456789"
	text := make([]byte, 1+w.random.IntN(6))
	for i := range text {
		text[i] = digits[w.random.IntN(10)]
	}
	return string(text)
}

func positive(factor float64) float64 {
	if factor > 0 {
		return factor
	}
	return 1
}
