package shop

import (
	"fmt"
	"strings"
	"time"
)

var (
	customerOrders = route{Orders, "GET", "/customers/{id}/orders", serveCustomerOrders}
	placeOrder     = route{Orders, "POST", "/orders", servePlaceOrder}
)

func serveCustomerOrders(c *call) int {
	c.compute(latency{2 * time.Millisecond, 0.3})
	if !c.query(recentOrders, c.customer) {
		return 503
	}
	firstOrder := 100*c.customer + 1
	if !c.chance(c.fault(NPlusOne)) {
		if !c.query(itemsOfOrders, list(firstOrder, c.orders)) {
			return 503
		}
		return 200
	}
	for i := range c.orders {
		if !c.query(itemsOfOrder, firstOrder+37*i) {
			return 503
		}
	}
	return 200
}

// servePlaceOrder stores the order in one transaction and tells the queue.
func servePlaceOrder(c *call) int {
	c.compute(latency{3 * time.Millisecond, 0.3})
	if !c.query(recentOrders, c.customer) { // has this order been placed already?
		return 503
	}
	stored := c.onConnection(func() {
		c.execute(insertOrder, c.customer, 1990*c.items)
		c.execute(insertItems, c.orderLines())
	})
	if !stored {
		return 503
	}
	c.publish(confirmations, sendConfirmation)
	return 201
}

func (c *call) orderLines() string {
	lines := make([]string, c.items)
	for i := range lines {
		lines[i] = fmt.Sprintf("(%d, %d, 1, 1990)", 100*c.customer, c.product+37*i)
	}
	return strings.Join(lines, ", ")
}
