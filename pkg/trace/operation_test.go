package trace_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
)

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
		"/v1/customers/cus_NffrFeUfNV2Hib":                                       "/v1/customers/{id}",
		"/v1/customers/cus_NffrFeUfNVxHib":                                       "/v1/customers/{id}", // by chance without a digit
		"/events/evt_1234567890":                                                 "/events/{id}",
		"/jobs/job_9f8e7d6c":                                                     "/jobs/{id}",
		"/accounts/acct_1032D82eZvKYlo2C/sk_live_4eC39HqLyj":                     "/accounts/{id}/{id}",
		"/invoices/inv-20240017":                                                 "/invoices/{id}",
		"/oauth2/get_user_by_id/sha256/utf8mb4/getHTTPResponseCode":              "/oauth2/get_user_by_id/sha256/utf8mb4/getHTTPResponseCode",
		"/api/v1beta1/OAuth2Callback/list-items":                                 "/api/v1beta1/OAuth2Callback/list-items",
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
		{trace.Internal, "graphql.resolve orders.7.items", nil, "graphql.resolve orders.{id}.items", "graphql.resolve orders.7.items"},
		{trace.Internal, "GET 10.1.2.3:41235", nil, "GET {id}.{id}.{id}.{id}:{id}", "GET 10.1.2.3:41235"},
		{trace.Internal, "worker 3 of s3.ec2", nil, "worker {id} of s3.ec2", "worker 3 of s3.ec2"},
		{trace.Internal, "charge cus_NffrFeUfNV2Hib", nil, "charge cus_{id}", "charge cus_NffrFeUfNV2Hib"},
		{trace.Internal, "Frontend/Recv.", nil, "Frontend/Recv.", "Frontend/Recv."},
		{trace.Internal, "", nil, "", ""},
		{trace.Internal, "bad \xff name", nil, "bad \uFFFD name", "bad \uFFFD name"},
	}
	for _, test := range cases {
		span := trace.Span{Kind: test.kind, Name: test.name}
		for key, value := range test.attributes {
			span.Attributes = append(span.Attributes, trace.Attribute{Key: key, Value: value})
		}
		operation, example := operationOf(&span)
		require.Equal(t, test.want, operation, "%+v", test)
		require.Equal(t, test.example, example, "%+v", test)
	}
}

func TestLongTextsAreCutBetweenCharacters(t *testing.T) {
	operation, example := operationOf(&trace.Span{Attributes: []trace.Attribute{
		{Key: "db.statement", Value: "SELECT " + strings.Repeat("ä, ", 4000) + "x FROM t"}}})
	for _, text := range []string{operation, example} {
		require.LessOrEqual(t, len(text), 1000)
		require.True(t, utf8.ValidString(text))
		require.True(t, strings.HasSuffix(text, "…"))
	}
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
			operation, example := operationOf(&spans[i])
			for _, shown := range []string{operation, example} {
				if !utf8.ValidString(shown) || len(shown) > 1000 {
					t.Fatalf("%q", shown)
				}
			}
		}
	})
}
