package trace_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/trace"
)

func TestNormalizeSQL(t *testing.T) {
	cases := []struct{ system, statement, want string }{
		{"", "select * from orders o where o.id = 17 and name = 'x''y' limit 5", "SELECT * FROM orders o WHERE o.id = ? AND name = ? LIMIT ?"},
		{"", "SELECT 1 -- why\n, 2 /* a /* nested */ one */ , 3", "SELECT ?, ?, ?"},
		{"", "SELECT a-1, b - -2, -3, (-4), x IN (-5, +6)", "SELECT a - ?, b - ?, ?, (?), x IN (?+)"},
		{"", "SELECT * FROM t WHERE a in (1) AND b IN ('x', 'y', NULL)", "SELECT * FROM t WHERE a IN (?+) AND b IN (?+)"},
		{"", "SELECT * FROM t WHERE a IN (SELECT b FROM u WHERE c IN (1, 2))", "SELECT * FROM t WHERE a IN (SELECT b FROM u WHERE c IN (?+))"},
		{"", "SELECT * FROM t WHERE (a, b) IN ((1, 2), (3, 4))", "SELECT * FROM t WHERE (a, b) IN (?+)"},
		{"", "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y'), (?, ?)", "INSERT INTO t(a, b) VALUES (?+)"},
		{"", "insert into t values (1, now()), (2, now()), (3, now())", "INSERT INTO t VALUES (?, NOW())"},
		{"", "insert into t values (1, now()), (2, other(3))", "INSERT INTO t VALUES (?, NOW()), (?, other(?))"},
		{"", "SELECT count (*), sum(x) FROM \"Order Items\" JOIN \"orders\" USING (id);", `SELECT COUNT(*), SUM(x) FROM "Order Items" JOIN orders USING (id)`},
		{"", "SELECT 1.5e-3, .5, 0xFF, 1_000, 2e5", "SELECT ?, ?, ?, ?, ?"},
		{"", "SELECT 0xFE-1", "SELECT ? - ?"},
		{"", "SELECT * FROM events_20230114 WHERE day = DATE '2023-01-14'", "SELECT * FROM events_{n} WHERE day = DATE ?"},
		{"", "SAVEPOINT sp_17", "SAVEPOINT ?"},
		{"", "ROLLBACK TO sp_17", "ROLLBACK TO ?"},
		{"", "SELECT * FROM t WHERE a = ? AND b = $1 AND c = :name AND d = @p1 AND e = %s AND f = %(key)s", "SELECT * FROM t WHERE a = ? AND b = ? AND c = ? AND d = ? AND e = ? AND f = ?"},
		{"", "SELECT a % 7, b %8", "SELECT a % ?, b % ?"},
		{"", "SELECT 'cut by the instrumentation", "SELECT ?"},
		{"", "", ""},
		{"", ";;", ""},
		{"postgresql", `SELECT E'it\'s', U&'\0061', $tag$a $1 'b'$tag$, $$x$$, ARRAY[1, 2]::int[], a[1]`, "SELECT ?, ?, ?, ?, ARRAY[?+]::int[], a[?+]"},
		{"postgresql", "SELECT data->>'key' FROM t WHERE tags @> '{a}' AND x = ANY(ARRAY[1,2])", "SELECT data -> > ? FROM t WHERE tags @> ? AND x = ANY(ARRAY[?+])"},
		{"postgresql", `SELECT 'c:\' , 2`, "SELECT ?, ?"}, // a backslash is a character
		{"mysql", "SELECT `id`, `odd name` FROM `t` WHERE a = \"text\" AND b = 'it\\'s' # why\n", "SELECT id, \"odd name\" FROM t WHERE a = ? AND b = ?"},
		{"mssql", "SELECT TOP 5 [id], [odd name] FROM [dbo].[t] WHERE a = N'x'", `SELECT TOP ? id, "odd name" FROM dbo.t WHERE a = ?`},
		{"", "SELECT \xff\xfe FROM t WHERE a = '\xff'", "SELECT \xff\xfe FROM t WHERE a = ?"}, // made valid where it is shown
	}
	for _, test := range cases {
		require.Equal(t, test.want, trace.NormalizeSQL(test.statement, test.system), test.statement)
	}
}

func TestStatementsThatDifferInValuesAreOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		literal := rapid.OneOf(
			rapid.Map(rapid.Int64(), func(n int64) string { return fmt.Sprint(n) }),
			rapid.Map(rapid.Float64(), func(f float64) string { return fmt.Sprint(f) }).Filter(func(s string) bool { return !strings.ContainsAny(s, "IN") }),
			rapid.Map(rapid.String(), func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }),
		)
		statement := func(name string) string {
			list := rapid.SliceOfN(literal, 1, 5).Draw(t, name+" list")
			return "SELECT a FROM t /* " + name + " */ WHERE x = " + literal.Draw(t, name) + " AND y IN (" + strings.Join(list, ",") + ")"
		}
		require.Equal(t, "SELECT a FROM t WHERE x = ? AND y IN (?+)", trace.NormalizeSQL(statement("one"), ""))
	})
}

func TestNormalizeURL(t *testing.T) {
	cases := map[string]string{
		"/users/123/orders/7f3e9a2b41":                                           "/users/{id}/orders/{id}",
		"https://shop.example:8443/a/550e8400-e29b-41d4-a716-446655440000/b#top": "/a/{id}/b",
		"/search?q=red+shoes&page=2&q=1":                                         "/search?page&q",
		"/reports/2024-01-02":                                                    "/reports/{id}",
		"/files/01ARZ3NDEKTSV4RRFFQ69G5FAV":                                      "/files/{id}",
		"/token/eyJhbGciOiJIUzI1NiJ9":                                            "/token/{id}",
		"/mail/jane@example.org":                                                 "/mail/{id}",
		"/api/v2/checkout":                                                       "/api/v2/checkout",
		"/{id}/:name/<x>/*":                                                      "/{id}/:name/<x>/*",
		"/deadbeef":                                                              "/deadbeef", // a word, until digits say otherwise
		"http://host":                                                            "/",
		"":                                                                       "/",
	}
	for url, want := range cases {
		require.Equal(t, want, trace.NormalizeURL(url), url)
	}
}

func TestOperationTakesTheFirstThatNamesIt(t *testing.T) {
	cases := []struct {
		kind          trace.Kind
		name          string
		attributes    map[string]string
		want, example string
	}{
		{trace.Server, "GET /users/{id}", map[string]string{"http.request.method": "GET", "http.route": "/users/{id}", "url.path": "/users/7"}, "GET /users/{id}", "GET /users/{id}"},
		{trace.Server, "GET", map[string]string{"http.method": "GET", "http.target": "/users/77?x=1"}, "GET /users/{id}?x", "GET /users/77?x=1"},
		{trace.Client, "GET", map[string]string{"http.request.method": "GET", "url.template": "/users/{id}"}, "GET /users/{id}", "GET /users/{id}"},
		{trace.Server, "UserController.show", map[string]string{"http.request.method": "GET", "url.path": "/users/7"}, "UserController.show", "UserController.show"},
		{trace.Client, "grpc", map[string]string{"rpc.service": "shop.Cart", "rpc.method": "Get"}, "shop.Cart/Get", "shop.Cart/Get"},
		{trace.Client, "SELECT shop", map[string]string{"db.system": "postgresql", "db.statement": "select 1 from t", "db.query.summary": "SELECT t"}, "SELECT ? FROM t", "select 1 from t"},
		{trace.Client, "query", map[string]string{"db.query.text": "SELECT 2"}, "SELECT ?", "SELECT 2"},
		{trace.Client, "GET", map[string]string{"db.system": "redis", "db.statement": "GET user:17"}, "GET", "GET user:17"},
		{trace.Client, "find users", map[string]string{"db.system.name": "mongodb", "db.operation.name": "find", "db.collection.name": "users"}, "find users", "find users"},
		{trace.Client, "x", map[string]string{"db.system": "cassandra", "db.query.summary": "SELECT t"}, "SELECT t", "SELECT t"},
		{trace.Producer, "orders publish", map[string]string{"messaging.operation.name": "publish", "messaging.destination.name": "orders-7f3e9a2b41"}, "publish orders-{id}", "publish orders-7f3e9a2b41"},
		{trace.Internal, "render page 12345", nil, "render page {id}", "render page 12345"},
		{trace.Internal, "Frontend/Recv.", nil, "Frontend/Recv.", "Frontend/Recv."},
		{trace.Internal, "", nil, "", ""},
		{trace.Internal, "bad \xff name", nil, "bad \uFFFD name", "bad \uFFFD name"},
	}
	for _, test := range cases {
		span := trace.Span{Kind: test.kind, Name: test.name}
		for key, value := range test.attributes {
			span.Attributes = append(span.Attributes, trace.Attribute{Key: key, Value: value})
		}
		operation, example := trace.Operation(&span)
		require.Equal(t, test.want, operation, "%+v", test)
		require.Equal(t, test.example, example, "%+v", test)
	}
}

func TestLongTextsAreCutBetweenCharacters(t *testing.T) {
	operation, example := trace.Operation(&trace.Span{Attributes: []trace.Attribute{
		{Key: "db.statement", Value: "SELECT " + strings.Repeat("ä, ", 4000) + "x FROM t"}}})
	for _, text := range []string{operation, example} {
		require.LessOrEqual(t, len(text), 1000)
		require.True(t, utf8.ValidString(text))
		require.True(t, strings.HasSuffix(text, "…"))
	}
	many := "SELECT * FROM t WHERE a IN (" + strings.Repeat("1, ", 10_000) + "1)"
	require.Equal(t, "SELECT * FROM t WHERE a IN (?+)", trace.NormalizeSQL(many, ""))
}

func FuzzOperation(f *testing.F) {
	for _, seed := range []string{
		"SELECT * FROM t WHERE a = 'it''s' AND b IN (1, 2)", "/* open", "$$", "$a$ x", "'", "\"", "[", "`", "E'\\'", "%(x)s", "0x", "-", "--",
		"GET /users/1?x=2", "\xff\xfe", "INSERT INTO t VALUES ((((", "VALUES (1),(2", ":=::a", "@@x @y", "U&'x' N'y'",
	} {
		f.Add(seed, "mysql")
		f.Add(seed, "mssql")
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, text, system string) {
		spans := []trace.Span{
			{Name: text},
			{Attributes: []trace.Attribute{{Key: "db.statement", Value: text}, {Key: "db.system", Value: system}}},
			{Kind: trace.Client, Attributes: []trace.Attribute{{Key: "http.method", Value: system}, {Key: "url.path", Value: text}}},
			{Attributes: []trace.Attribute{{Key: "http.method", Value: system}, {Key: "http.route", Value: text}}},
		}
		for i := range spans {
			operation, example := trace.Operation(&spans[i])
			for _, shown := range []string{operation, example} {
				if !utf8.ValidString(shown) || len(shown) > 1000 {
					t.Fatalf("%q", shown)
				}
			}
		}
		trace.NormalizeSQL(text, system)
	})
}
