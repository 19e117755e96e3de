package pattern_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

// TestKnownToSentry holds what Sentry's detectors are known to catch and to
// spare, besides what stands in TestPatterns, written anew as spans of
// OpenTelemetry.
func TestKnownToSentry(t *testing.T) {
	get := func(route, path string, at, took float64) step {
		return fetch("web", "catalog", "GET", route, path, at, took)
	}
	select1 := func(table string, took float64) step { return statement("orders", "SELECT * FROM "+table, 0, took) }
	browser := func(steps ...step) step {
		return step{kind: trace.Internal, service: "shop-ui", name: "documentLoad", took: 2000, steps: steps}
	}
	apart := func(gap float64, count int, build func(i int) step) []step {
		return repeat(count, func(i int) step { s := build(i); s.at = 10 + float64(i)*gap; return s })
	}
	prices := func(i int) step {
		return fetch("shop-ui", "catalog", "GET", "/prices/{id}", fmt.Sprint("/prices/", 900+i), 0, 80)
	}
	sized := func(s step, bytes int) step {
		s.attributes = append(s.attributes, attributes("http.response.body.size", strconv.Itoa(bytes))...)
		return s
	}
	nested := func(levels int, inner ...step) step {
		s := within("orders", "load", 0, 14, inner...)
		for range levels - 1 {
			s = within("orders", "wrap", 0, 14, s)
		}
		return s
	}
	block := func(i int) []step {
		return inRow(0, 0.2, line(i), statement("orders", fmt.Sprintf("SELECT * FROM stock WHERE id = %d", 500+i), 0, 6))
	}
	cases := []struct {
		name  string
		build func(i int) step
		want  []string
	}{
		// N+1 statements
		{"two loops below two callers", func(i int) step {
			other := func(j int) step {
				return statement("orders", fmt.Sprintf("SELECT * FROM refunds WHERE id = %d", j), 0, 6)
			}
			return serve("orders", "GET", "/orders", "/orders", 130, source(i),
				within("orders", "lines", 6, 52, inRow(0.5, 0.2, repeat(8, line)...)...), within("orders", "refunds", 60, 52, inRow(0.5, 0.2, repeat(8, other)...)...))
		}, []string{"n_plus_one", "n_plus_one"}},
		{"a statement that was cut off, again and again", func(i int) step {
			row := repeat(8, func(j int) step {
				return statement("orders", fmt.Sprintf("SELECT * FROM order_lines WHERE order_id IN (%d, 2, 3, ...", j), 0, 6)
			})
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, nil},
		{"statements of a waterfall, each another one", func(i int) step {
			row := repeat(8, func(j int) step {
				return statement("orders", fmt.Sprintf("UPDATE t%c SET a = 1 WHERE id = %d", 'a'+j, i), 0, 6)
			})
			for j := range row {
				row[j].at = 6 + 3*float64(j)
			}
			return page(after(source(i), row...)...)
		}, nil},
		{"connections only", func(i int) step {
			row := repeat(12, func(int) step { return within("orders", "db.connection", 0, 6) })
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, nil},
		{"what is looped over came from a cache", func(i int) step {
			return page(after(command("orders", fmt.Sprintf("GET basket:%d", i), 1, 2), inRow(6, 0.2, repeat(8, line)...)...)...)
		}, nil},

		// Blocks
		{"blocks below helpers", func(i int) step {
			row := repeat(5, func(j int) step { return nested(3, block(j)...) })
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, []string{"loop"}},
		{"blocks without a common caller near", func(i int) step {
			row := repeat(5, func(j int) step { return nested(5, block(j)...) })
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, nil},
		{"a block of nine", func(i int) step {
			var row []step
			for j := range 3 {
				for k := range 9 {
					row = append(row, statement("orders", fmt.Sprintf("UPDATE t%c SET a = 1 WHERE id = %d", 'a'+k, j), 0, 3))
				}
			}
			return page(after(source(i), inRow(6, 0.1, row...)...)...)
		}, nil},
		{"a block of a cache alone", func(i int) step {
			var row []step
			for j := range 4 {
				row = append(row, command("orders", fmt.Sprintf("GET a:%d", j), 0, 6), command("orders", fmt.Sprintf("SET b:%d 1", j), 0, 6))
			}
			return page(after(source(i), inRow(6, 0.2, row...)...)...)
		}, nil},
		{"a block with hardly any statement in it", func(i int) step {
			var row []step
			for j := range 4 {
				row = append(row, command("orders", fmt.Sprintf("GET a:%d", j), 0, 20), statement("orders", fmt.Sprintf("UPDATE t SET a = 1 WHERE id = %d", j), 0, 0.2))
			}
			return page(inRow(6, 0.2, row...)...)
		}, nil},

		// Calls per item from a browser
		{"calls at once from a browser", func(int) step { return browser(apart(5, 6, prices)...) }, []string{"n_plus_one_rpc"}},
		{"calls from a browser, one after the other", func(int) step { return browser(apart(100, 4, prices)...) }, nil},
		{"four calls at once from a browser", func(int) step { return browser(apart(5, 4, prices)...) }, nil},
		{"short calls at once from a browser", func(int) step {
			return browser(apart(5, 6, func(i int) step { s := prices(i); s.took, s.steps[0].took = 10, 9; return s })...)
		}, nil},
		{"a browser's assets", func(int) step {
			return browser(apart(5, 6, func(i int) step {
				return fetch("shop-ui", "cdn", "GET", "/static/{id}", fmt.Sprintf("/static/%d.js", 100+i), 0, 80)
			})...)
		}, nil},
		{"a browser's queries of a graph", func(int) step {
			return browser(apart(5, 6, func(i int) step {
				return fetch("shop-ui", "graph", "GET", "/graphql", fmt.Sprintf("/graphql?id=%d", 100+i), 0, 80)
			})...)
		}, nil},
		{"a browser that sends", func(int) step {
			return browser(apart(5, 6, func(i int) step {
				return fetch("shop-ui", "catalog", "POST", "/prices/{id}", fmt.Sprint("/prices/", 900+i), 0, 80)
			})...)
		}, nil},
		{"the very same address from a browser", func(int) step {
			return browser(apart(5, 6, func(int) step { return fetch("shop-ui", "catalog", "GET", "/prices", "/prices", 0, 80) })...)
		}, []string{"duplicate"}},

		// Statements in a row
		{"independent statements and one that depends on them", func(i int) step {
			return serve("orders", "GET", "/o", "/o", 500, inRow(2, 0.5, select1("countries", 150), select1("currencies", 140), statement("orders", fmt.Sprintf("SELECT * FROM rates WHERE id = %d", 7*i+1), 0, 60))...)
		}, []string{"serial"}},
		{"statements that overlap", func(int) step {
			a, b := select1("countries", 150), select1("currencies", 140)
			a.at, b.at = 2, 60
			return serve("orders", "GET", "/o", "/o", 300, a, b)
		}, nil},
		{"statements behind a graph", func(int) step {
			return serve("orders", "POST", "/graphql", "/graphql", 400, inRow(2, 0.5, select1("countries", 150), select1("currencies", 140))...)
		}, nil},
		{"statements with a value of an earlier answer", func(i int) step {
			return serve("orders", "GET", "/o", "/o", 400, inRow(2, 0.5, select1("countries", 150), statement("orders", fmt.Sprintf("SELECT * FROM a WHERE id = %d", 7*i+1), 0, 140))...)
		}, nil},

		// Calls in a row
		{"three long calls in a row", func(int) step {
			return serve("web", "GET", "/", "/", 3000, inRow(5, 40, get("/api/endpoint1", "/api/endpoint1", 0, 900), get("/api/endpoint2", "/api/endpoint2", 0, 800), get("/api/endpoint3", "/api/endpoint3", 0, 800))...)
		}, []string{"serial"}},
		{"two long calls in a row", func(int) step {
			return serve("web", "GET", "/", "/", 3000, inRow(5, 40, get("/api/a", "/api/a", 0, 900), get("/api/b", "/api/b", 0, 800))...)
		}, nil},
		{"three short calls in a long request", func(int) step {
			return serve("web", "GET", "/", "/", 3000, inRow(5, 1, get("/api/a", "/api/a", 0, 30), get("/api/b", "/api/b", 0, 30), get("/api/c", "/api/c", 0, 30))...)
		}, nil},
		{"calls with long pauses", func(int) step {
			return serve("web", "GET", "/", "/", 5000, inRow(5, 700, get("/api/a", "/api/a", 0, 600), get("/api/b", "/api/b", 0, 600), get("/api/c", "/api/c", 0, 600))...)
		}, nil},
		{"an agent that takes one step after the other", func(int) step {
			s := serve("web", "GET", "/", "/", 3000, within("web", "invoke_agent planner", 1, 2900,
				inRow(5, 40, get("/api/a", "/api/a", 0, 900), get("/api/b", "/api/b", 0, 800), get("/api/c", "/api/c", 0, 800))...))
			return s
		}, nil},

		// Slow statements, large answers
		{"a slow statement over several lines", func(int) step {
			return serve("orders", "GET", "/slow", "/slow", 900, statement("orders", "\n\tselect *\n\tfrom orders\n\twhere total > 10", 10, 800))
		}, []string{"slow_query"}},
		{"a slow statement that was cut off", func(int) step {
			return serve("orders", "GET", "/slow", "/slow", 900, statement("orders", "SELECT "+strings.Repeat("a, ", 300)+"...", 10, 800))
		}, nil},
		{"a statement just below slow", func(int) step {
			return serve("orders", "GET", "/slow", "/slow", 900, statement("orders", listing, 10, 490))
		}, nil},
		{"a slow connect", func(int) step {
			return serve("orders", "GET", "/slow", "/slow", 900, statement("orders", "CONNECT", 10, 800))
		}, nil},
		{"a large answer", func(int) step {
			return serve("web", "GET", "/", "/", 300, sized(get("/all", "/all", 10, 200), 900_000))
		}, []string{"large_payload"}},
		{"a large answer that comes quickly", func(int) step {
			return serve("web", "GET", "/", "/", 300, sized(get("/all", "/all", 10, 80), 900_000))
		}, nil},
		{"an answer that is not large", func(int) step {
			return serve("web", "GET", "/", "/", 300, sized(get("/all", "/all", 10, 200), 290_000))
		}, nil},
		{"a download", func(i int) step {
			return serve("web", "GET", "/", "/", 300, sized(get("/files/{name}", fmt.Sprintf("/files/report-%d.pdf", i), 10, 200), 900_000))
		}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found := pattern.Detect(population(30, c.build), nil, pattern.Options{})
			require.Equal(t, c.want, kinds(found), "%+v", found.Findings)
		})
	}
}
