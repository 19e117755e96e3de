package shop

import (
	"fmt"
	"time"
)

// How often a read finds its key in the cache on ordinary days.
const (
	sessionHits = 0.99
	cartHits    = 0.97
	productHits = 0.90
)

// The endpoints that customers call.
var (
	home          = route{Web, "GET", "/", serveHome}
	productPage   = route{Web, "GET", "/product/{id}", serveProductPage}
	cartPage      = route{Web, "GET", "/cart", serveCartPage}
	ordersPage    = route{Web, "GET", "/account/orders", serveOrdersPage}
	placeCheckout = route{Web, "POST", "/checkout", serveCheckout}
)

// visits are the ways in, with their shares of the traffic.
var visits = []struct {
	share float64
	route route
	path  func(*request) string
}{
	{0.28, home, fixed("/")},
	{0.34, productPage, func(r *request) string { return fmt.Sprintf("/product/%d", r.product) }},
	{0.12, cartPage, fixed("/cart")},
	{0.14, ordersPage, fixed("/account/orders")},
	{0.12, placeCheckout, fixed("/checkout")},
}

func fixed(path string) func(*request) string { return func(*request) string { return path } }

func serveHome(c *call) int {
	c.compute(latency{3 * time.Millisecond, 0.3})
	c.session()
	status := 200
	c.parallel(
		func(c *call) { status = worst(status, c.httpCall(featured, "/products/featured", 2)) },
		func(c *call) { c.httpCall(categories, "/categories", 2) },
		func(c *call) { c.cartBadge() },
		func(c *call) {
			if c.customer%10 < 7 { // the others have not signed in
				c.httpCall(customerOrders, c.ordersPath(), 0) // a home page without "buy again" is still a home page
			}
		},
	)
	return c.render(status)
}

func serveProductPage(c *call) int {
	c.compute(latency{3 * time.Millisecond, 0.3})
	c.session()
	status := 200
	c.parallel(
		func(c *call) {
			status = worst(status, c.httpCall(productDetails, fmt.Sprintf("/products/%d", c.product), 2))
		},
		func(c *call) { c.recommend() },
		func(c *call) { c.cartBadge() },
	)
	return c.render(status)
}

func serveCartPage(c *call) int {
	c.compute(latency{2 * time.Millisecond, 0.3})
	c.session()
	status := c.httpCall(showCart, c.cartPath(), 2)
	c.recommend()
	return c.render(status)
}

func serveOrdersPage(c *call) int {
	c.compute(latency{2 * time.Millisecond, 0.3})
	c.session()
	status := 200
	c.parallel(
		func(c *call) { status = worst(status, c.httpCall(customerOrders, c.ordersPath(), 0)) },
		func(c *call) { c.recommend() },
		func(c *call) { c.cartBadge() },
	)
	if status < 400 {
		status = worst(status, c.httpCall(productNames, "/products", 2))
	}
	return c.render(status)
}

func serveCheckout(c *call) int {
	c.compute(latency{4 * time.Millisecond, 0.3})
	c.session()
	return c.render(c.httpCall(checkoutCart, "/checkout", 0))
}

// session reads who the customer is.
func (c *call) session() {
	if !c.cacheGet(fmt.Sprintf("session:%d", c.customer), sessionHits) {
		c.cacheSet(fmt.Sprintf("session:%d", c.customer))
	}
}

// cartBadge reads how many items are in the cart.
func (c *call) cartBadge() {
	c.httpCall(cartSummary, c.cartPath()+"/summary", 1)
}

// recommend fetches other products; a page without them is still a page.
func (c *call) recommend() {
	c.httpCall(recommendations, fmt.Sprintf("/products/%d/recommendations", c.product), 2)
}

// render writes the page, or the page that says sorry.
func (c *call) render(status int) int {
	c.internal("render page", func(c *call) { c.compute(latency{5 * time.Millisecond, 0.35}) })
	if status >= 500 {
		return 502
	}
	if c.chance(0.0005) {
		return 500
	}
	return status
}

func (c *call) cartPath() string   { return fmt.Sprintf("/carts/%d", c.customer) }
func (c *call) ordersPath() string { return fmt.Sprintf("/customers/%d/orders", c.customer) }

// worst keeps the higher status code.
func worst(a, b int) int { return max(a, b) }
