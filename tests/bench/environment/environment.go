// Package environment starts the lab and the plugin for a benchmark.
package environment

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"

	"github.com/foresight-observability/foresight/tests/harness"
)

// Environment is a lab and a plugin that were started for a bench.
type Environment struct {
	*harness.Lab
	Plugin *harness.Plugin
}

// Start starts both; the flags are the lab's.
func Start(ctx context.Context, log io.Writer, flags ...string) (*Environment, error) {
	lab, err := harness.StartLab(ctx, os.Stderr, flags...)
	if err != nil {
		return nil, err
	}
	plugin, err := harness.StartPlugin(ctx, log)
	if err != nil {
		lab.Stop()
		return nil, err
	}
	return &Environment{lab, plugin}, nil
}

// Stop ends the plugin and the lab's servers.
func (s *Environment) Stop() {
	s.Plugin.Stop()
	s.Lab.Stop()
}

// Source is a new data source, which has asked nothing yet.
func (s *Environment) Source(settings map[string]any) harness.DataSource {
	return harness.DataSource{Plugin: s.Plugin, Context: harness.PluginContext(settings, nil)}
}

// Work is one request that a server was asked: when it was under way, and how
// many bytes its answer had on the wire.
type Work struct {
	From, To time.Time
	Bytes    int
}

// Watched stands before a server and notes what it is asked.
type Watched struct {
	*httptest.Server
	target string
	mu     sync.Mutex
	seen   []Work
}

// Watch starts a proxy that records the requests to target.
func Watch(target string) *Watched {
	w := &Watched{target: target}
	w.Server = httptest.NewServer(w)
	return w
}

func (w *Watched) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	from := time.Now()
	status, header, body, err := w.pass(request)
	w.mu.Lock()
	w.seen = append(w.seen, Work{from, time.Now(), len(body)})
	w.mu.Unlock()
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadGateway)
		return
	}
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if value := header.Get(name); value != "" {
			response.Header().Set(name, value)
		}
	}
	response.WriteHeader(status)
	_, _ = response.Write(body)
}

func (w *Watched) pass(request *http.Request) (status int, header http.Header, body []byte, err error) {
	sent, err := io.ReadAll(request.Body)
	if err != nil {
		return 0, nil, nil, err
	}
	onward, err := http.NewRequestWithContext(request.Context(), request.Method, w.target+request.URL.RequestURI(), bytes.NewReader(sent))
	if err != nil {
		return 0, nil, nil, err
	}
	onward.Header = request.Header.Clone()
	// Asked for as the plugin asks, the answer is passed on as it came.
	onward.Header.Set("Accept-Encoding", cmp.Or(request.Header.Get("Accept-Encoding"), "identity"))
	answer, err := http.DefaultTransport.RoundTrip(onward)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, body, err
}

// Take is what was seen since it was last called.
func (w *Watched) Take() []Work {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.seen
	w.seen = nil
	return taken
}
