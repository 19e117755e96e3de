package pattern_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

const (
	orders  = "SELECT id FROM orders WHERE customer = %d"
	lines   = "SELECT * FROM order_lines WHERE order_id = %d"
	listing = "SELECT id FROM orders ORDER BY id DESC LIMIT 20"
)

func line(i int) step   { return statement("orders", fmt.Sprintf(lines, i), 0, 6) }
func source(n int) step { return statement("orders", fmt.Sprintf(orders, n), 1, 4) }

// page is the endpoint that most fixtures are: 100 ms of orders.
func page(steps ...step) step { return serve("orders", "GET", "/orders", "/orders", 100, steps...) }

func after(first step, rest ...step) []step { return append([]step{first}, rest...) }

// TestPatterns is one case for every pattern that must be found and every one
// that must be spared, as the rules of Sentry's detectors and ours have it.
func TestPatterns(t *testing.T) {
	item := func(i int) step { return fetch("web", "catalog", "GET", "/items/{id}", fmt.Sprint("/items/", i), 0, 8) }
	cases := []struct {
		name  string
		build func(i int) step
		want  []string
	}{
		// N+1
		{"a statement per row of the one before", func(i int) step {
			return page(after(source(i), inRow(6, 0.2, repeat(8, line)...)...)...)
		}, []string{"n_plus_one"}},
		{"pool connects between the statements", func(i int) step {
			var row []step
			for j := range 8 {
				row = append(row, within("orders", "pg-pool.connect", 0, 0.5), line(j))
			}
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, []string{"n_plus_one"}},
		{"transactions and pings between the statements", func(i int) step {
			var row []step
			for j := range 8 {
				row = append(row, statement("orders", "BEGIN", 0, 0.3), statement("orders", "SELECT 1", 0, 0.3), line(j), statement("orders", "COMMIT", 0, 0.3))
			}
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, []string{"n_plus_one"}},
		{"each statement below a helper of its own", func(i int) step {
			helpers := repeat(8, func(j int) step { return within("orders", "load line", 0, 7, line(j)) })
			return page(after(source(i), inRow(6, 0.2, helpers...)...)...)
		}, []string{"n_plus_one"}},
		{"parameters are not shown", func(i int) step {
			row := repeat(8, func(int) step { return statement("orders", "SELECT * FROM order_lines WHERE order_id = $1", 0, 6) })
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, []string{"n_plus_one"}},
		{"writes in a loop", func(i int) step {
			row := repeat(8, func(j int) step { return statement("orders", fmt.Sprintf("INSERT INTO log (id) VALUES (%d)", j), 0, 6) })
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, []string{"n_plus_one"}},
		{"no statement before, but as many as there are items", func(i int) step {
			return page(inRow(2, 0.2, repeat(5+i%9, line)...)...)
		}, []string{"n_plus_one"}},
		{"each statement is a batch already", func(i int) step {
			row := repeat(8, func(j int) step {
				s := statement("orders", fmt.Sprintf("INSERT INTO log (id) VALUES (%d)", j), 0, 6)
				s.attributes = append(s.attributes, attributes("db.operation.batch.size", "100")...)
				return s
			})
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, nil},
		{"a database of documents", func(i int) step {
			row := repeat(8, func(int) step {
				s := statement("orders", "", 0, 6)
				s.name, s.attributes = "find lines", attributes("db.system", "mongodb", "db.operation.name", "find", "db.collection.name", "lines")
				return s
			})
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, []string{"n_plus_one"}},
		{"a common table expression", func(i int) step {
			row := repeat(8, func(j int) step {
				return statement("orders", fmt.Sprintf("WITH l AS (SELECT * FROM order_lines WHERE order_id = %d) SELECT * FROM l", j), 0, 6)
			})
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, []string{"n_plus_one"}},
		{"four statements are no loop", func(i int) step {
			return page(after(source(i), inRow(6, 0.2, repeat(4, line)...)...)...)
		}, nil},
		{"fast statements in a slow request", func(i int) step {
			row := repeat(6, func(j int) step { return statement("orders", fmt.Sprintf(lines, j), 0, 0.5) })
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, nil},
		{"a fixed set with nothing before it", func(int) step {
			return page(inRow(2, 0.2, repeat(6, line)...)...)
		}, nil},
		{"a cache has its own rule", func(i int) step {
			row := repeat(8, func(j int) step { return command("orders", fmt.Sprintf("GET line:%d", j), 0, 6) })
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, nil},
		{"statements at once", func(i int) step {
			return page(after(source(i), repeat(8, func(j int) step { s := line(j); s.at = 6; return s })...)...)
		}, nil},
		{"many statements at once", func(i int) step {
			return page(after(source(i), repeat(20, func(j int) step { s := line(j); s.at = 6; return s })...)...)
		}, []string{"n_plus_one"}},
		{"many statements, four at a time", func(i int) step {
			return page(after(source(i), repeat(20, func(j int) step { s := line(j); s.at = 6 + float64(j/4)*7; return s })...)...)
		}, []string{"n_plus_one"}},
		{"one statement for each of many shards", func(i int) step {
			return page(after(source(i), repeat(20, func(j int) step {
				s := line(j)
				s.at, s.attributes = 6, append(s.attributes, attributes("server.address", fmt.Sprint("shard-", j))...)
				return s
			})...)...)
		}, nil},
		{"a statement in each of many resolvers", func(i int) step {
			row := repeat(9, func(j int) step {
				return within("orders", fmt.Sprintf("graphql.resolve orders.%d.items", j), 0, 7, line(j))
			})
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, []string{"n_plus_one"}},
		{"a client's library over HTTP", func(i int) step {
			row := repeat(8, func(j int) step {
				s := statement("orders", "", 0, 6)
				s.name, s.attributes = "DynamoDB.GetItem", attributes("db.system", "dynamodb", "db.operation.name", "GetItem")
				s.steps = []step{{kind: trace.Client, service: "orders", name: "POST", at: 0.1, took: 5.5,
					attributes: attributes("http.request.method", "POST", "url.full", "https://dynamodb.example/")}}
				return s
			})
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, []string{"n_plus_one"}},
		{"calls of which only the path is known", func(i int) step {
			row := repeat(8, func(int) step {
				s := fetch("web", "search", "GET", "", "", 0, 30)
				for _, side := range []*step{&s, &s.steps[0]} {
					side.name, side.attributes = "get", attributes("http.method", "GET", "url.path", "/search")
				}
				return s
			})
			return serve("web", "GET", "/list", "/list", 400, after(fetch("web", "orders", "GET", "/ids", "/ids", 1, 5), inRow(7, 5, row...)...)...)
		}, []string{"n_plus_one_rpc"}},
		{"a nightly job", func(i int) step {
			return within("orders", "reindex job", 0, 100, after(source(i), inRow(6, 0.2, repeat(8, line)...)...)...)
		}, nil},

		// N+1 over the network
		{"a call per item", func(i int) step {
			return serve("web", "GET", "/", "/", 100, after(fetch("web", "orders", "GET", "/ids", "/ids", 1, 5), inRow(7, 0.1, repeat(8, item)...)...)...)
		}, []string{"n_plus_one_rpc"}},
		{"many calls at once", func(i int) step {
			return serve("web", "GET", "/", "/", 100, after(fetch("web", "orders", "GET", "/ids", "/ids", 1, 5),
				repeat(30, func(j int) step { s := item(j); s.at = 7; return s })...)...)
		}, []string{"n_plus_one_rpc"}},
		{"some calls at once", func(i int) step {
			return serve("web", "GET", "/", "/", 100, after(fetch("web", "orders", "GET", "/ids", "/ids", 1, 5),
				repeat(8, func(j int) step { s := item(j); s.at = 7; return s })...)...)
		}, nil},
		{"a remote procedure per item", func(i int) step {
			row := repeat(8, func(int) step {
				s := fetch("web", "catalog", "POST", "/", "", 0, 8)
				for _, side := range []*step{&s, &s.steps[0]} {
					side.name, side.attributes = "shop.Catalog/GetItem", attributes("rpc.system", "grpc", "rpc.service", "shop.Catalog", "rpc.method", "GetItem")
				}
				return s
			})
			return serve("web", "GET", "/", "/", 100, after(fetch("web", "orders", "GET", "/ids", "/ids", 1, 5), inRow(7, 0.1, row...)...)...)
		}, []string{"n_plus_one_rpc"}},
		{"pages of a result", func(i int) step {
			row := repeat(8, func(j int) step {
				s := fetch("web", "catalog", "GET", "/items", "/items", 0, 8)
				s.attributes = append(s.attributes, attributes("http.target", fmt.Sprintf("/items?size=50&cursor=x%d", j))...)
				return s
			})
			return serve("web", "GET", "/", "/", 100, after(fetch("web", "orders", "GET", "/ids", "/ids", 1, 5), inRow(7, 0.1, row...)...)...)
		}, []string{"paged_read"}},

		// Blocks
		{"a block of two statements per item", func(i int) step {
			var row []step
			for j := range 5 {
				row = append(row, line(j), statement("orders", fmt.Sprintf("SELECT * FROM stock WHERE id = %d", j), 0, 6))
			}
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, []string{"loop"}},
		{"a block with a call and a cache", func(i int) step {
			var row []step
			for j := range 3 {
				row = append(row, command("orders", fmt.Sprintf("GET p:%d", j), 0, 1),
					fetch("orders", "prices", "GET", "/prices/{id}", fmt.Sprint("/prices/", j), 0, 20), statement("orders", fmt.Sprintf("UPDATE t SET a = 1 WHERE id = %d", j), 0, 5))
			}
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, []string{"loop"}},
		{"a block that runs twice", func(i int) step {
			var row []step
			for j := range 2 {
				row = append(row, line(j), statement("orders", fmt.Sprintf("UPDATE stock SET n = 0 WHERE id = %d", j), 0, 15))
			}
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, nil},

		// Duplicates
		{"the same question twice", func(i int) step {
			q := statement("orders", fmt.Sprintf(orders, i), 0, 8)
			return page(after(q, within("orders", "render", 40, 50, statement("orders", fmt.Sprintf(orders, i), 1, 8)))...)
		}, []string{"duplicate"}},
		{"a write in between", func(i int) step {
			q := statement("orders", fmt.Sprintf(orders, i), 0, 8)
			return page(q, statement("orders", fmt.Sprintf("UPDATE orders SET a = 1 WHERE id = %d", i), 20, 3), statement("orders", fmt.Sprintf(orders, i), 30, 8))
		}, nil},
		{"values that are not shown", func(int) step {
			q := statement("orders", "SELECT * FROM orders WHERE customer = ?", 0, 8)
			q2 := q
			q2.at = 30
			return page(q, q2)
		}, nil},
		{"a statement that was cut off", func(int) step {
			q := statement("orders", "SELECT * FROM orders WHERE customer IN (1, 2, 3, ...", 0, 8)
			q2 := q
			q2.at = 30
			return page(q, q2)
		}, nil},
		{"the same call after it failed", func(i int) step {
			q := failing(statement("orders", fmt.Sprintf(orders, i), 0, 8))
			again := statement("orders", fmt.Sprintf(orders, i), 30, 8)
			if i > 1 {
				q.failed = false
				return page(q)
			}
			return page(q, again)
		}, nil},
		{"a literal that looks like a placeholder", func(i int) step {
			q := statement("orders", fmt.Sprintf("SELECT * FROM t WHERE a = 'what?' AND b::text = '%d'", i), 0, 8)
			q2 := q
			q2.at = 30
			return page(q, q2)
		}, []string{"duplicate"}},
		{"waiting for a change", func(i int) step {
			q := statement("orders", fmt.Sprintf(orders, i), 0, 4)
			return serve("orders", "GET", "/wait", "/wait", 400, inRow(0, 95, q, q, q, q)...)
		}, nil},
		{"databases of two tenants", func(i int) step {
			a, b := statement("orders", fmt.Sprintf(orders, i), 0, 8), statement("orders", fmt.Sprintf(orders, i), 40, 8)
			a.attributes = append(a.attributes, attributes("db.namespace", "one")...)
			b.attributes = append(b.attributes, attributes("db.namespace", "two")...)
			return page(a, b)
		}, nil},

		// Rows
		{"independent statements in a row", func(i int) step {
			return page(inRow(2, 0.5, statement("orders", "SELECT * FROM countries", 0, 40), statement("orders", "SELECT * FROM currencies", 0, 40))...)
		}, []string{"serial"}},
		{"calls that knew their values before", func(i int) step {
			row := inRow(2, 0.5,
				fetch("web", "cart", "GET", "/cart/{c}", fmt.Sprint("/cart/", i), 0, 30),
				fetch("web", "orders", "GET", "/orders/{c}", fmt.Sprint("/orders/", i), 0, 30),
				fetch("web", "mail", "GET", "/mail/{c}", fmt.Sprint("/mail/", i), 0, 30))
			return serve("web", "GET", "/home/{c}", fmt.Sprint("/home/", i), 100, row...)
		}, []string{"serial"}},
		{"calls whose order varies", func(i int) step {
			a := fetch("web", "cart", "GET", "/a/{id}", fmt.Sprint("/a/", 3*i+1), 0, 30)
			b := fetch("web", "orders", "GET", "/b/{id}", fmt.Sprint("/b/", 5*i+2), 0, 30)
			c := fetch("web", "mail", "GET", "/c/{id}", fmt.Sprint("/c/", 7*i+3), 0, 30)
			rows := [][]step{{a, b, c}, {b, c, a}, {c, a, b}}
			return serve("web", "GET", "/", "/", 100, inRow(2, 0.5, rows[i%3]...)...)
		}, []string{"serial"}},
		{"a later call needs what the earlier one found", func(i int) step {
			return serve("web", "GET", "/", "/", 100, inRow(2, 0.5,
				fetch("web", "cart", "GET", "/cart", "/cart", 0, 30),
				fetch("web", "orders", "GET", "/orders/{id}", fmt.Sprint("/orders/", i), 0, 30),
				fetch("web", "mail", "GET", "/mail/{id}", fmt.Sprint("/mail/", 9*i), 0, 30))...)
		}, nil},
		{"a later call is made only sometimes", func(i int) step {
			row := inRow(2, 0.5, statement("orders", "SELECT * FROM rates_of_day", 0, 40), statement("orders", "SELECT * FROM currencies", 0, 40))
			if i%4 == 0 {
				row = row[:1]
			}
			return page(row...)
		}, nil},
		{"who is asking comes first", func(i int) step {
			return page(inRow(2, 0.5, statement("orders", "SELECT * FROM auth_tokens", 0, 40), statement("orders", "SELECT * FROM currencies", 0, 40))...)
		}, nil},
		{"writes keep their order", func(i int) step {
			return page(inRow(2, 0.5, statement("orders", "UPDATE a SET b = 1", 0, 40), statement("orders", "UPDATE c SET d = 1", 0, 40))...)
		}, nil},
		{"inside one transaction", func(i int) step {
			return page(inRow(2, 0.5, statement("orders", "BEGIN", 0, 1), statement("orders", "SELECT * FROM countries", 0, 40),
				statement("orders", "SELECT * FROM currencies", 0, 40), statement("orders", "COMMIT", 0, 1))...)
		}, nil},
		{"too little to save", func(i int) step {
			return page(inRow(2, 0.5, statement("orders", "SELECT * FROM countries", 0, 4), statement("orders", "SELECT * FROM currencies", 0, 4))...)
		}, nil},
		{"work between the calls", func(i int) step {
			return page(inRow(2, 20, statement("orders", "SELECT * FROM countries", 0, 30), statement("orders", "SELECT * FROM currencies", 0, 30))...)
		}, nil},

		// Slow statements, retries, waits, chatter
		{"a slow statement", func(i int) step {
			return serve("orders", "GET", "/slow", "/slow", 900, statement("orders", listing, 10, 800))
		}, []string{"slow_query"}},
		{"a slow statement of a report", func(i int) step {
			return within("orders", "monthly report", 0, 900, statement("orders", listing, 10, 800))
		}, nil},
		{"a failed call again", func(i int) step {
			a := failing(fetch("web", "pay", "POST", "/pay", "/pay", 2, 20))
			b := fetch("web", "pay", "POST", "/pay", "/pay", 60, 20)
			if i%5 > 0 {
				return serve("web", "GET", "/", "/", 100, b)
			}
			return serve("web", "GET", "/", "/", 100, a, b)
		}, []string{"retry"}},
		{"a call again that had not failed", func(i int) step {
			a, b := fetch("web", "pay", "POST", "/pay", "/pay", 2, 20), fetch("web", "pay", "POST", "/pay", "/pay", 60, 20)
			return serve("web", "GET", "/", "/", 100, a, b)
		}, nil},
		{"items of which one fails", func(i int) step {
			row := repeat(4, item)
			row[1] = failing(row[1])
			return serve("web", "GET", "/", "/", 100, inRow(2, 0.1, row...)...)
		}, nil},
		{"remote procedures of which one fails", func(i int) step {
			row := repeat(4, func(int) step {
				s := fetch("web", "catalog", "POST", "/", "", 0, 8)
				for _, side := range []*step{&s, &s.steps[0]} {
					side.name, side.attributes = "Catalog/GetItem", attributes("rpc.system", "grpc", "rpc.method", "Catalog/GetItem")
				}
				return s
			})
			row[1] = failing(row[1])
			return serve("web", "GET", "/", "/", 100, inRow(2, 0.1, row...)...)
		}, nil},
		{"retries double the load", func(i int) step {
			a := failing(fetch("web", "pay", "POST", "/pay", "/pay", 2, 20))
			b := fetch("web", "pay", "POST", "/pay", "/pay", 60, 20)
			return serve("web", "GET", "/", "/", 100, a, b)
		}, []string{"retry_storm"}},
		{"retries at two layers", func(i int) step {
			inner := func() []step {
				return []step{failing(fetch("cart", "stock", "GET", "/stock", "/stock", 1, 5)), failing(fetch("cart", "stock", "GET", "/stock", "/stock", 10, 5))}
			}
			outer := func(at float64) step {
				s := fetch("web", "cart", "GET", "/cart", "/cart", at, 20, inner()...)
				s.failed, s.steps[0].failed = true, true
				return s
			}
			return serve("web", "GET", "/", "/", 100, outer(2), outer(40))
		}, []string{"retry_storm", "retry_storm"}},
		{"a wait for a connection", func(i int) step {
			return page(within("orders", "HikariPool.getConnection", 1, 40), statement("orders", fmt.Sprintf(orders, i), 42, 10))
		}, []string{"pool_wait"}},
		{"a short wait for a connection", func(i int) step {
			return page(within("orders", "acquire connection", 1, 5), statement("orders", fmt.Sprintf(orders, i), 42, 10))
		}, nil},
		{"a wait that a long statement dwarfs", func(i int) step {
			return serve("orders", "GET", "/x", "/x", 500, within("orders", "acquire connection", 1, 30), statement("orders", fmt.Sprintf(orders, i), 42, 300))
		}, nil},
		{"back and forth", func(i int) step {
			row := repeat(12, func(j int) step {
				s := fetch("web", "catalog", "POST", fmt.Sprint("/do/", string(rune('a'+j))), fmt.Sprint("/do/", string(rune('a'+j))), 0, 6)
				s.steps[0].at, s.steps[0].took = 1.5, 3
				return s
			})
			return serve("web", "GET", "/", "/", 100, inRow(2, 0.5, row...)...)
		}, []string{"chatty"}},
		{"many cache commands", func(i int) step {
			row := repeat(25, func(j int) step { return command("orders", fmt.Sprintf("SET k:%d %d", j, i), 0, 2) })
			return page(inRow(2, 0.5, row...)...)
		}, []string{"chatty_cache"}},
		{"an ordinary request", func(i int) step {
			return page(source(i), command("orders", "GET a", 20, 1), statement("orders", "UPDATE orders SET seen = 1", 60, 4))
		}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found := pattern.Detect(population(30, c.build), nil, pattern.Options{})
			require.Equal(t, c.want, kinds(found), "%+v", found.Findings)
			for _, f := range found.Findings {
				require.NotEmpty(t, f.Evidence)
				require.NotEmpty(t, f.Advice)
				require.NotEmpty(t, f.Examples)
				require.Equal(t, pattern.Unknown, f.Change)
				require.GreaterOrEqual(t, f.Side.Saved, 0.0)
			}
		})
	}
}
