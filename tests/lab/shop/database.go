package shop

import (
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// statement is an SQL statement that a service sends, with the verbs of fmt
// for its literals.
type statement struct {
	operation, table, text string
	took                   latency
}

var (
	recentOrders = statement{"SELECT", "orders",
		"SELECT id, status, total_cents, created_at FROM orders WHERE customer_id = %d ORDER BY created_at DESC LIMIT 20",
		latency{4 * time.Millisecond, 0.35}}
	itemsOfOrders = statement{"SELECT", "order_items",
		"SELECT order_id, product_id, quantity, price_cents FROM order_items WHERE order_id IN (%s)",
		latency{5 * time.Millisecond, 0.35}}
	itemsOfOrder = statement{"SELECT", "order_items",
		"SELECT order_id, product_id, quantity, price_cents FROM order_items WHERE order_id = %d",
		latency{2500 * time.Microsecond, 0.35}}
	insertOrder = statement{"INSERT", "orders",
		"INSERT INTO orders (customer_id, status, total_cents) VALUES (%d, 'placed', %d) RETURNING id",
		latency{4 * time.Millisecond, 0.4}}
	insertItems = statement{"INSERT", "order_items",
		"INSERT INTO order_items (order_id, product_id, quantity, price_cents) VALUES %s",
		latency{5 * time.Millisecond, 0.4}}
	oneProduct = statement{"SELECT", "products",
		"SELECT id, name, price_cents, image FROM products WHERE id = %d",
		latency{2 * time.Millisecond, 0.35}}
	manyProducts = statement{"SELECT", "products",
		"SELECT id, name, price_cents, image FROM products WHERE id IN (%s)",
		latency{5 * time.Millisecond, 0.35}}
	featuredProducts = statement{"SELECT", "products",
		"SELECT id, name, price_cents, image FROM products WHERE featured = true ORDER BY rank LIMIT 12",
		latency{7 * time.Millisecond, 0.35}}
	stock = statement{"SELECT", "inventory",
		"SELECT product_id, available FROM inventory WHERE product_id IN (%s)",
		latency{3 * time.Millisecond, 0.35}}
	reserveStock = statement{"UPDATE", "inventory",
		"UPDATE inventory SET available = available - 1 WHERE product_id IN (%s) AND available > 0",
		latency{6 * time.Millisecond, 0.45}}
	reviews = statement{"SELECT", "reviews",
		"SELECT rating, text, author FROM reviews WHERE product_id = %d ORDER BY created_at DESC LIMIT 5",
		latency{4 * time.Millisecond, 0.4}}
	savedCart = statement{"SELECT", "carts",
		"SELECT product_id, quantity FROM carts WHERE customer_id = %d",
		latency{3 * time.Millisecond, 0.35}}
	reindexBatch = statement{"SELECT", "products",
		"SELECT id, name, description FROM products WHERE id > %d ORDER BY id LIMIT 500",
		latency{45 * time.Millisecond, 0.3}}
	reindexMark = statement{"UPDATE", "search_index",
		"UPDATE search_index SET indexed_up_to = %d WHERE name = 'products'",
		latency{6 * time.Millisecond, 0.4}}
)

// query sends one statement on a connection of the pool, and says whether it
// was answered.
func (c *call) query(s statement, arguments ...any) bool {
	return c.onConnection(func() { c.execute(s, arguments...) })
}

// onConnection holds a connection while body runs. A wait shows as a span of
// its own, as drivers that instrument their pool show it.
func (c *call) onConnection(body func()) bool {
	p := c.instance.pool
	began := c.now()
	var span trace.Span
	if p.used >= p.max {
		_, span = c.start("acquire connection", trace.SpanKindInternal,
			attribute.String("db.client.connection.pool.name", p.name))
	}
	acquired := p.acquire(c.process)
	if span != nil {
		if !acquired {
			fail(span, "timeout", fmt.Sprintf("no connection of pool %s within %s", p.name, p.acquireWithin))
		}
		c.end(span)
	}
	c.record(c.ctx, c.instance.instruments.poolWait, began, time.Second,
		attribute.String("db.client.connection.pool.name", p.name))
	if !acquired {
		return false
	}
	body()
	c.giveBack(p)
	return true
}

// giveBack returns the connection, late where the pool-exhaustion fault holds
// it: the result set is closed only after the response has been sent.
func (c *call) giveBack(p *pool) {
	late := scaled(1200*time.Millisecond, c.fault(PoolExhaustion))
	if late == 0 {
		p.release()
		return
	}
	engine := c.process.engine
	engine.at(engine.now.Add(latency{late, 0.3}.draw(c.random)), p.release)
}

// execute sends the statement on the connection at hand.
func (c *call) execute(s statement, arguments ...any) {
	took := s.took.draw(c.random)
	if s.text == recentOrders.text {
		took = scaled(took, 1+7*c.fault(SlowQuery))
	}
	c.databaseSpan("postgresql", Database, s.operation, s.table, fmt.Sprintf(s.text, arguments...),
		c.shop.backend(Database).processor.work(took))
}

func (c *call) databaseSpan(system, server, operation, table, text string, took time.Duration) {
	began := c.now()
	shared := []attribute.KeyValue{
		attribute.String("db.system.name", system),
		attribute.String("db.operation.name", operation),
		attribute.String("server.address", server),
		attribute.Int("server.port", definitions[server].port),
	}
	name := operation
	if table != "" {
		name += " " + table
		shared = append(shared, attribute.String("db.collection.name", table), attribute.String("db.namespace", "shop"))
	}
	ctx, span := c.start(name, trace.SpanKindClient, append(shared,
		attribute.String("db.query.text", text),
		// Tempo 2.8 knows a database by the older name alone.
		attribute.String("db.system", system))...)
	c.process.wait(took)
	c.end(span)
	c.record(ctx, c.instance.instruments.database, began, time.Second, shared...)
}

// cacheGet reads a key and says whether it was there.
func (c *call) cacheGet(key string, hitRatio float64) bool {
	hit := c.chance(hitRatio) && !c.chance(c.shop.level(LostCache, c.shop.backend(Cache)))
	if hit {
		c.shop.cacheHits++
	} else {
		c.shop.cacheMisses++
	}
	c.cacheSpan("GET", "GET "+key)
	return hit
}

func (c *call) cacheSet(key string) { c.cacheSpan("SET", "SET "+key+" ?") }

func (c *call) cacheSpan(operation, text string) {
	took := c.shop.backend(Cache).processor.work(latency{400 * time.Microsecond, 0.4}.draw(c.random))
	c.databaseSpan("redis", Cache, operation, "", text, took)
}

// list writes n ids that follow from the first, for an IN clause.
func list(first, n int) string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint(first + 37*i)
	}
	return strings.Join(ids, ", ")
}
