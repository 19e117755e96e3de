package shop

import "time"

var (
	checkoutCart = route{Checkout, "POST", "/checkout", serveCheckoutCart}
	charge       = procedure{Payment, "shop.Payment", "Charge", serveCharge}
)

// paymentProvider is someone else's service.
const paymentProvider = "api.payments.example"

func serveCheckoutCart(c *call) int {
	c.compute(latency{3 * time.Millisecond, 0.3})
	if status := c.httpCall(showCart, c.cartPath(), 2); status >= 400 {
		return 502
	}
	if c.rpcCall(reserve, 2) != rpcOK {
		return 502
	}
	switch c.rpcCall(charge, 0) {
	case rpcFailedPrecondition:
		return 402 // the card was declined
	case rpcUnavailable:
		return 502
	}
	if status := c.httpCall(placeOrder, "/orders", 0); status >= 400 {
		return 502
	}
	c.httpCall(emptyCart, c.cartPath(), 1)
	return 200
}

func serveCharge(c *call) int {
	c.compute(latency{3 * time.Millisecond, 0.3})
	took, status := latency{120 * time.Millisecond, 0.35}, 200
	switch {
	case c.chance(min(1, 0.4*c.fault(ErrorBurst))):
		took, status = latency{40 * time.Millisecond, 0.3}, 503
	case c.chance(0.015):
		status = 402
	}
	switch c.externalPost(paymentProvider, "/v1/charges", took, status) {
	case 402:
		return rpcFailedPrecondition
	case 503:
		return rpcUnavailable
	}
	return rpcOK
}

// sendConfirmation is the mailer's work on a message.
func sendConfirmation(c *call) {
	c.compute(latency{6 * time.Millisecond, 0.3})
	c.internal("render mail", func(c *call) { c.compute(latency{8 * time.Millisecond, 0.3}) })
	c.externalPost("mail.example", "/v3/mail/send", latency{90 * time.Millisecond, 0.4}, 202)
}
