package main

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

// stage is a lab and a plugin that were started for a bench.
type stage struct {
	*harness.Lab
	plugin *harness.Plugin
}

// startStage starts both; the flags are the lab's.
func startStage(ctx context.Context, log io.Writer, flags ...string) (*stage, error) {
	lab, err := harness.StartLab(ctx, os.Stderr, flags...)
	if err != nil {
		return nil, err
	}
	plugin, err := harness.StartPlugin(ctx, log)
	if err != nil {
		lab.Stop()
		return nil, err
	}
	return &stage{lab, plugin}, nil
}

func (s *stage) stop() {
	s.plugin.Stop()
	s.Lab.Stop()
}

// source is a new data source, which has asked nothing yet.
func (s *stage) source(settings map[string]any) harness.DataSource {
	return harness.DataSource{Plugin: s.plugin, Context: harness.PluginContext(settings, nil)}
}

// work is one request that a server was asked: when it was under way, and how
// many bytes its answer had on the wire.
type work struct {
	from, to time.Time
	bytes    int
}

// watched stands before a server and notes what it is asked.
type watched struct {
	*httptest.Server
	target string
	mu     sync.Mutex
	seen   []work
}

func watch(target string) *watched {
	w := &watched{target: target}
	w.Server = httptest.NewServer(w)
	return w
}

func (w *watched) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	from := time.Now()
	status, header, body, err := w.pass(request)
	w.mu.Lock()
	w.seen = append(w.seen, work{from, time.Now(), len(body)})
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

func (w *watched) pass(request *http.Request) (status int, header http.Header, body []byte, err error) {
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

// take is what was seen since it was last called.
func (w *watched) take() []work {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.seen
	w.seen = nil
	return taken
}
