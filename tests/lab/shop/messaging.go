package shop

import (
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// confirmations is the queue between orders and the mailer.
const confirmations = "order-confirmations"

// consumerWorkers bounds how many messages the mailer works on at a time; the
// others are the queue's depth.
const consumerWorkers = 3

// publish sends a message. The consumer takes it when a worker is free; nobody
// waits for that.
func (c *call) publish(destination string, consume func(*call)) {
	shared := []attribute.KeyValue{
		attribute.String("messaging.system", "rabbitmq"),
		attribute.String("messaging.destination.name", destination),
		attribute.String("server.address", Queue),
	}
	ctx, span := c.start("send "+destination, trace.SpanKindProducer, append(shared,
		attribute.String("messaging.operation.name", "send"),
		attribute.String("messaging.operation.type", "send"),
		attribute.String("messaging.message.id", fmt.Sprintf("%016x", c.random.Uint64())))...)
	c.process.wait(c.shop.backend(Queue).processor.work(latency{900 * time.Microsecond, 0.4}.draw(c.random)))
	c.end(span)

	c.detached(func(message *call) {
		message.wait(network)
		workers := &c.shop.consumers
		workers.acquire(message.process)
		message.instance = message.at(Mailer, message.random)
		message.ctx = ctx
		began := message.now()
		inner, span := message.start("process "+destination, trace.SpanKindConsumer, append(shared,
			attribute.String("messaging.operation.name", "process"),
			attribute.String("messaging.operation.type", "process"))...)
		message.ctx = inner
		consume(message)
		message.end(span)
		message.record(inner, message.instance.instruments.processed, began, time.Second, append(shared,
			attribute.String("messaging.operation.name", "process"))...)
		workers.release()
	})
}
