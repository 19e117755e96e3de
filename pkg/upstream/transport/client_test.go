package transport_test

import (
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// newCertificate is a self-signed certificate and its key, as PEM.
func newCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	require.NoError(t, err)
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes}))
}

func newClient(t *testing.T, config transport.Config, limits transport.Limits) *transport.Client {
	t.Helper()
	if config.Mode == "" {
		config.Mode = transport.Direct
	}
	client, err := transport.New("Prometheus", config, limits)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func get(client *transport.Client) ([]byte, error) {
	body, _, err := client.Get(context.Background(), client.URL("api", nil), "application/json")
	return body, err
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func TestCredentialsAreSent(t *testing.T) {
	var got *http.Request
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { got = r; _, _ = w.Write([]byte(`{}`)) })

	_, err := get(newClient(t, transport.Config{URL: server.URL, BasicUser: "u", BasicPassword: "p", Tenant: "team-a", Headers: http.Header{"x-extra": {"1"}}}, transport.Limits{}))
	require.NoError(t, err)
	user, password, _ := got.BasicAuth()
	require.Equal(t, []string{"u", "p", "team-a", "1", "application/json"},
		[]string{user, password, got.Header.Get("X-Scope-OrgID"), got.Header.Get("X-Extra"), got.Header.Get("Accept")})

	_, err = get(newClient(t, transport.Config{URL: server.URL, BearerToken: "token"}, transport.Limits{}))
	require.NoError(t, err)
	require.Equal(t, "Bearer token", got.Header.Get("Authorization"))

	_, err = get(newClient(t, transport.Config{Mode: transport.Grafana, URL: server.URL, UID: "prom", GrafanaToken: "glsa_1", Tenant: "ignored", BasicUser: "ignored"}, transport.Limits{}))
	require.NoError(t, err)
	require.Equal(t, "/api/datasources/proxy/uid/prom/api", got.URL.Path)
	require.Equal(t, "Bearer glsa_1", got.Header.Get("Authorization"))
	require.Empty(t, got.Header.Get("X-Scope-OrgID"))
}

func TestFailuresHaveACategory(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	page := `<!DOCTYPE html><html><head><TITLE>Sign in &amp; more</TITLE></head></html>`
	answers := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, test := range map[string]struct {
		handler  http.HandlerFunc
		config   transport.Config
		category upstream.Category
		message  string
	}{
		"refused connection": {config: transport.Config{URL: closed.URL}, category: upstream.Network, message: "refused"},
		"unknown host":       {config: transport.Config{URL: "http://does-not-exist.invalid"}, category: upstream.Network, message: "does-not-exist.invalid"},
		"PromQL error":       {handler: answers(400, "application/json", `{"status":"error","errorType":"bad_data","error":"1:3: parse error"}`), category: upstream.Rejected, message: "1:3: parse error"},
		"TraceQL error":      {handler: answers(400, "text/plain", "invalid TraceQL query: parse error\n"), category: upstream.Rejected, message: "invalid TraceQL query: parse error"},
		"too many samples":   {handler: answers(422, "application/json", `{"errorType":"execution","error":"query processing would load too many samples"}`), category: upstream.Rejected, message: "too many samples"},
		"query timeout":      {handler: answers(503, "application/json", `{"errorType":"timeout","error":"query timed out in expression evaluation"}`), category: upstream.Overload, message: "timed out"},
		"unauthorized":       {handler: answers(401, "text/plain", "no org id"), category: upstream.Auth, message: "tenant"},
		"grafana denies":     {handler: answers(403, "application/json", `{"message":"You'll need additional permissions"}`), config: transport.Config{Mode: transport.Grafana, UID: "prom", GrafanaToken: "glsa_1"}, category: upstream.Auth, message: "service account"},
		"grafana knows none": {handler: answers(404, "application/json", `{"message":"Data source not found"}`), config: transport.Config{Mode: transport.Grafana, UID: "prom", GrafanaToken: "glsa_1"}, category: upstream.NotFound, message: "uid prom"},
		"not found":          {handler: answers(404, "text/plain", "404 page not found"), category: upstream.NotFound, message: "path prefix"},
		"rate limit":         {handler: answers(429, "text/plain", "too many requests"), category: upstream.Overload, message: "too many requests"},
		"gateway timeout":    {handler: answers(504, "text/html", page), category: upstream.Timeout, message: "web page (Sign in"},
		"server error":       {handler: answers(500, "text/plain", "panic"), category: upstream.Server, message: "panic"},
		"not modified":       {handler: answers(304, "text/plain", ""), category: upstream.Malformed},
		"web page":           {handler: answers(200, "text/html", "\n"+page), category: upstream.Malformed, message: "Sign in"},
		"truncated": {category: upstream.Network, message: "in the middle", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"status":`))
		}},
		"aborted": {category: upstream.Network, message: "in the middle", handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"not gzip": {category: upstream.Malformed, message: "compressed", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("this is not compressed at all"))
		}},
		"echoes the secret": {handler: answers(500, "text/plain", "header was Bearer hunter2hunter2\x1b[31m"), config: transport.Config{BearerToken: "hunter2hunter2"}, category: upstream.Server, message: "Bearer ***"},
		"long message":      {handler: answers(500, "text/plain", strings.Repeat("long ", 10000)), category: upstream.Server, message: "…"},
		"other host":        {handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://login.example/", 302) }, category: upstream.Config, message: "redirects to http://login.example"},
		"redirect loop":     {handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", 302) }, category: upstream.Config, message: "redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.handler != nil {
				test.config.URL = serve(t, test.handler).URL
			}
			_, err := get(newClient(t, test.config, transport.Limits{}))
			var known *upstream.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, test.category, known.Category, err)
			require.Contains(t, err.Error(), test.message)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), "\x1b")
			require.Less(t, len(err.Error()), upstream.MaxMessage+400)
		})
	}
}

func TestRedirectOnTheSameServerIsFollowed(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api" {
			http.Redirect(w, r, "/api/", http.StatusPermanentRedirect)
			return
		}
		_, _ = w.Write([]byte(r.Header.Get("Authorization")))
	})
	body, err := get(newClient(t, transport.Config{URL: server.URL, BearerToken: "token"}, transport.Limits{}))
	require.NoError(t, err)
	require.Equal(t, "Bearer token", string(body))
}

func TestTLS(t *testing.T) {
	certificate, key := newCertificate(t)
	trusted := x509.NewCertPool()
	require.True(t, trusted.AppendCertsFromPEM([]byte(certificate)))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, len(r.TLS.PeerCertificates))
	}))
	server.TLS = &tls.Config{ClientCAs: trusted, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})

	for name, test := range map[string]struct {
		url, message string
		tls          transport.TLS
	}{
		"mTLS":               {url: server.URL, tls: transport.TLS{CA: ca, Certificate: certificate, Key: key}},
		"not verified":       {url: server.URL, tls: transport.TLS{SkipVerify: true, Certificate: certificate, Key: key}},
		"named":              {url: server.URL, tls: transport.TLS{CA: ca, ServerName: "example.com", Certificate: certificate, Key: key}},
		"unknown authority":  {url: server.URL, message: "CA certificate"},
		"other name":         {url: server.URL, tls: transport.TLS{CA: ca, ServerName: "other.test"}, message: "server name"},
		"client certificate": {url: server.URL, tls: transport.TLS{CA: ca}, message: "client certificate"},
		"server without TLS": {url: strings.Replace(plain.URL, "http:", "https:", 1), message: "does not speak TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := get(newClient(t, transport.Config{URL: test.url, TLS: test.tls}, transport.Limits{}))
			if test.message == "" {
				require.NoError(t, err)
				require.Equal(t, "1", string(body))
				return
			}
			var known *upstream.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, upstream.TLS, known.Category, err)
			require.Contains(t, err.Error(), test.message)
		})
	}
}

func TestAnswersAreBounded(t *testing.T) {
	chunk := []byte(strings.Repeat("x", 1<<20))
	flood := func(w http.ResponseWriter, _ *http.Request) {
		for range 200 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	bomb := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		compressed := gzip.NewWriter(w)
		for range 200 {
			if _, err := compressed.Write(chunk); err != nil {
				return
			}
		}
		_ = compressed.Close()
	}
	declared := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(200<<20))
		flood(w, r)
	}
	for name, handler := range map[string]http.HandlerFunc{"flood": flood, "gzip bomb": bomb, "declared": declared} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, transport.Config{URL: serve(t, handler).URL}, transport.Limits{ResponseBytes: 4 << 20})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := get(client)
			runtime.ReadMemStats(&after)
			var known *upstream.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, upstream.TooLarge, known.Category, err)
			require.Contains(t, err.Error(), "4 MiB")
			// The test server allocates in the same process.
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(40<<20))
		})
	}
}

func TestDeadline(t *testing.T) {
	release := make(chan struct{})
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	var known *upstream.Error

	t.Run("of the question", func(t *testing.T) {
		_, err := get(newClient(t, transport.Config{URL: server.URL}, transport.Limits{Timeout: 30 * time.Millisecond}))
		require.ErrorAs(t, err, &known)
		require.Equal(t, upstream.Timeout, known.Category)
		require.Contains(t, err.Error(), "30ms")
	})
	t.Run("of the asker", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(10*time.Millisecond, cancel)
		client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Failures: 1})
		_, _, err := client.Get(ctx, client.URL("api", nil), "")
		require.ErrorAs(t, err, &known)
		require.Equal(t, upstream.Cancelled, known.Category)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("while waiting for a turn", func(t *testing.T) {
		client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Timeout: 50 * time.Millisecond, Concurrency: 1, Failures: 100})
		var group sync.WaitGroup
		var waited atomic.Int32
		for range 3 {
			group.Go(func() {
				_, err := get(client)
				var known *upstream.Error
				if isError(err, &known) && known.Category == upstream.Overload && strings.Contains(known.Message, "no turn") {
					waited.Add(1)
				}
			})
		}
		group.Wait()
		require.EqualValues(t, 2, waited.Load())
	})
}

func isError(err error, known **upstream.Error) bool {
	var ok bool
	*known, ok = err.(*upstream.Error)
	return ok
}

func TestConcurrencyIsLimited(t *testing.T) {
	var now, most atomic.Int32
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for {
			old := most.Load()
			if n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		_, _ = w.Write([]byte("{}"))
	})
	client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Concurrency: 3})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			_, err := get(client)
			assert.NoError(t, err)
		})
	}
	group.Wait()
	require.LessOrEqual(t, most.Load(), int32(3))
}

func TestCircuitOpensAndCloses(t *testing.T) {
	var status atomic.Int32
	var asked atomic.Int32
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(int(status.Load()))
		_, _ = w.Write([]byte("words"))
	})
	client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Failures: 3, Pause: 100 * time.Millisecond})
	ask := func() upstream.Category {
		_, err := get(client)
		if err == nil {
			return ""
		}
		var known *upstream.Error
		require.ErrorAs(t, err, &known)
		return known.Category
	}

	status.Store(400) // a refused query is no failure of the server
	for range 10 {
		require.Equal(t, upstream.Rejected, ask())
	}
	status.Store(500)
	for range 3 {
		require.Equal(t, upstream.Server, ask())
	}
	require.Equal(t, upstream.Unavailable, ask())
	require.EqualValues(t, 13, asked.Load(), "an open circuit asks nothing")
	_, err := get(client)
	require.Contains(t, err.Error(), "words")
	require.Contains(t, err.Error(), "tried again")

	status.Store(200)
	require.Eventually(t, func() bool { return ask() == "" }, 5*time.Second, 20*time.Millisecond)
	require.Empty(t, ask())
}
