package shop

import (
	"fmt"
	"time"
)

var (
	showCart    = route{Cart, "GET", "/carts/{customer}", serveShowCart}
	cartSummary = route{Cart, "GET", "/carts/{customer}/summary", serveCartSummary}
	emptyCart   = route{Cart, "DELETE", "/carts/{customer}", serveEmptyCart}
)

func serveCartSummary(c *call) int {
	c.compute(latency{time.Millisecond, 0.3})
	if !c.loadCart() {
		return 503
	}
	return 200
}

func serveShowCart(c *call) int {
	c.compute(latency{2 * time.Millisecond, 0.3})
	if !c.loadCart() {
		return 503
	}
	if c.rpcCall(getProducts, 2) != rpcOK || c.rpcCall(getPrices, 2) != rpcOK {
		return 503
	}
	return 200
}

func serveEmptyCart(c *call) int {
	c.compute(latency{time.Millisecond, 0.3})
	c.cacheSpan("DEL", fmt.Sprintf("DEL cart:%d", c.customer))
	return 204
}

// loadCart reads the cart from the cache, else from the database.
func (c *call) loadCart() bool {
	key := fmt.Sprintf("cart:%d", c.customer)
	if c.cacheGet(key, cartHits) {
		return true
	}
	if !c.query(savedCart, c.customer) {
		return false
	}
	c.cacheSet(key)
	return true
}
