// Package chaos breaks what the plugin asks, in every way, and looks at what it
// then says: a table of faults by questions, in which every cell is run.
package chaos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Proxy stands before a server and lets a fault come and go: in the connection,
// and in what is answered over it.
type Proxy struct {
	connection *toxiproxy.Proxy
	answers    *httptest.Server
	target     *url.URL
	pass       http.Handler
	fault      atomic.Pointer[Fault]
}

// NewProxy stands before the server with this URL.
func NewProxy(server string) (*Proxy, error) {
	target, err := url.Parse(server)
	if err != nil {
		return nil, fmt.Errorf("a proxy before %q: %w", server, err)
	}
	p := &Proxy{target: target}
	to := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: target.Scheme, Host: target.Host})
			r.Out.Host = r.In.Host
		},
		// What the server does not answer breaks off, as it would without a proxy.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p.pass = to
	p.answers = httptest.NewServer(http.HandlerFunc(p.answer))
	if err := p.open("127.0.0.1:0"); err != nil {
		p.answers.Close()
		return nil, err
	}
	return p, nil
}

// open listens without a fault.
func (p *Proxy) open(address string) error {
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	p.connection = toxiproxy.NewProxy(api, p.target.Host, address, p.answers.Listener.Addr().String())
	if err := p.connection.Start(); err != nil {
		return fmt.Errorf("a proxy before %s: %w", p.target, err)
	}
	return nil
}

// URL is the server's, through the proxy.
func (p *Proxy) URL() string {
	through := *p.target
	through.Scheme, through.Host = "http", p.connection.Listen
	return through.String()
}

func (p *Proxy) answer(w http.ResponseWriter, r *http.Request) {
	if fault := p.fault.Load(); fault != nil && fault.Answer != nil {
		fault.Answer(w, r, p.pass)
		return
	}
	p.pass.ServeHTTP(w, r)
}

// Break makes the server fail.
func (p *Proxy) Break(fault Fault) error {
	p.fault.Store(&fault)
	if fault.Refuses {
		p.connection.Stop()
	}
	for kind, attributes := range fault.Toxics {
		toxic, err := json.Marshal(map[string]any{"type": kind, "attributes": attributes})
		if err != nil {
			return err
		}
		if _, err := p.connection.Toxics.AddToxicJson(strings.NewReader(string(toxic))); err != nil {
			return fmt.Errorf("the fault %q: %w", fault.Name, err)
		}
	}
	return nil
}

// Mend ends the fault.
func (p *Proxy) Mend() error {
	if p.fault.Swap(nil) == nil {
		return nil
	}
	// What is under way goes with the connections: it would come late.
	p.connection.Stop()
	return p.open(p.connection.Listen)
}

// Close ends the proxy.
func (p *Proxy) Close() {
	p.connection.Stop()
	p.answers.CloseClientConnections()
	p.answers.Close()
}
