package shop

import (
	"fmt"
	"time"
)

var (
	featured        = route{Catalog, "GET", "/products/featured", flaky(serveFeatured, 503)}
	productDetails  = route{Catalog, "GET", "/products/{id}", flaky(serveProduct, 503)}
	recommendations = route{Catalog, "GET", "/products/{id}/recommendations", flaky(serveRecommendations, 503)}
	categories      = route{Catalog, "GET", "/categories", flaky(serveCategories, 503)}
	productNames    = route{Catalog, "GET", "/products", flaky(serveProductNames, 503)}
	getProducts     = procedure{Catalog, "shop.Catalog", "GetProducts", flaky(serveGetProducts, rpcUnavailable)}
	getPrices       = procedure{Catalog, "shop.Catalog", "GetPrices", flaky(serveGetPrices, rpcUnavailable)}
	reserve         = procedure{Catalog, "shop.Catalog", "ReserveStock", flaky(serveReserve, rpcUnavailable)}
)

// flaky lets a handler refuse calls while the retry-storm fault is on, after
// it has wasted some time on them.
func flaky(handle func(*call) int, refusal int) func(*call) int {
	return func(c *call) int {
		if c.chance(min(0.9, 0.5*c.fault(RetryStorm))) {
			c.compute(latency{3 * time.Millisecond, 0.3})
			c.wait(latency{80 * time.Millisecond, 0.4})
			return refusal
		}
		return handle(c)
	}
}

func serveFeatured(c *call) int {
	c.compute(latency{3 * time.Millisecond, 0.3})
	if !c.cached("products:featured", productHits, featuredProducts) ||
		!c.cached("prices:featured", productHits, manyProducts, list(c.product, 12)) ||
		!c.query(stock, list(c.product, 12)) {
		return 503
	}
	c.cacheGet("campaign:current", sessionHits)
	return 200
}

func serveCategories(c *call) int {
	c.compute(latency{time.Millisecond, 0.3})
	c.cacheGet("categories", sessionHits)
	return 200
}

func serveProduct(c *call) int {
	c.compute(latency{2 * time.Millisecond, 0.3})
	if !c.cached(fmt.Sprintf("product:%d", c.product), productHits, oneProduct, c.product) ||
		!c.query(stock, list(c.product, 1)) ||
		!c.cached(fmt.Sprintf("reviews:%d", c.product), 0.6, reviews, c.product) {
		return 503
	}
	return 200
}

func serveRecommendations(c *call) int {
	c.compute(latency{4 * time.Millisecond, 0.35})
	if !c.cached(fmt.Sprintf("recommended:%d", c.product), productHits, manyProducts, list(c.product, 8)) ||
		!c.query(stock, list(c.product, 8)) {
		return 503
	}
	return 200
}

func serveProductNames(c *call) int {
	c.compute(latency{2 * time.Millisecond, 0.3})
	if !c.cached(fmt.Sprintf("names:%d", c.customer), productHits, manyProducts, list(c.product, c.orders)) {
		return 503
	}
	return 200
}

func serveGetProducts(c *call) int {
	c.compute(latency{2 * time.Millisecond, 0.3})
	if !c.cached(fmt.Sprintf("products:cart:%d", c.customer), productHits, manyProducts, list(c.product, c.items)) ||
		!c.query(stock, list(c.product, c.items)) {
		return rpcUnavailable
	}
	return rpcOK
}

func serveGetPrices(c *call) int {
	c.compute(latency{time.Millisecond, 0.3})
	if !c.cached(fmt.Sprintf("prices:cart:%d", c.customer), productHits, manyProducts, list(c.product, c.items)) {
		return rpcUnavailable
	}
	return rpcOK
}

func serveReserve(c *call) int {
	c.compute(latency{2 * time.Millisecond, 0.3})
	if !c.query(reserveStock, list(c.product, c.items)) {
		return rpcUnavailable
	}
	return rpcOK
}

// cached reads a key from the cache, else with a statement from the database,
// and then fills the cache.
func (c *call) cached(key string, hitRatio float64, s statement, arguments ...any) bool {
	if c.cacheGet(key, hitRatio) {
		return true
	}
	if !c.query(s, arguments...) {
		return false
	}
	c.cacheSet(key)
	return true
}

// reindexChunk is one step of the nightly job.
func (s *Shop) reindexChunk() {
	random := s.newRandom()
	s.engine.spawn(func(p *process) {
		request := s.newRequest(random)
		c := &call{request, p, random, request.at(Catalog, random), s.background}
		c.internal("reindex products", func(c *call) {
			if !c.query(reindexBatch, c.product) {
				return
			}
			for i := range 12 {
				c.compute(latency{2 * time.Millisecond, 0.3})
				c.cacheSet(fmt.Sprintf("product:%d", c.product+i))
			}
			c.query(reindexMark, c.product+500)
		})
	})
}
