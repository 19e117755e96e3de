package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strconv"
	"time"
)

// Lab is a running lab: a real Prometheus, a real Tempo, and the shop.
type Lab struct {
	Prometheus string `json:"prometheus"`
	Tempo      string `json:"tempo"`
	OTLP       string `json:"otlp"`
	Zipkin     string `json:"zipkin"`
	Jaeger     string `json:"jaeger"`
	Mimir      string `json:"mimir"`
	MimirSplit string `json:"mimirSplit"`
	Ruler      string `json:"ruler"`
	TempoSplit string `json:"tempoSplit"`
	Tenant     string `json:"tenant"`
	Control    string `json:"control"`

	command *exec.Cmd
	stdin   io.Closer
}

// StartLab builds the lab program and starts it; its progress goes to the
// writer. Where the servers are not in the cache yet they are built, which
// takes minutes.
func StartLab(ctx context.Context, progress io.Writer, flags ...string) (*Lab, error) {
	binary, err := build(ctx, "tests/lab", ".", "lab", progress)
	if err != nil {
		return nil, err
	}
	command := exec.Command(binary, flags...)
	command.Stderr = progress
	stdin, err := command.StdinPipe() // the lab ends when its parent's end of this pipe is gone
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting the lab: %w", err)
	}
	lab := &Lab{command: command, stdin: stdin}
	ready := make(chan error, 1)
	go func() {
		line, err := bufio.NewReader(stdout).ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, lab)
		}
		ready <- err
	}()
	select {
	case err = <-ready:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		lab.Stop()
		return nil, fmt.Errorf("the lab did not come up (its messages stand above): %w", err)
	}
	return lab, nil
}

// Stop ends the lab and its servers.
func (l *Lab) Stop() {
	_ = l.stdin.Close()
	done := make(chan struct{})
	go func() { _ = l.command.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = l.command.Process.Kill()
		<-done
	}
}

// Settings are the data source's settings for this lab.
func (l *Lab) Settings() map[string]any {
	return map[string]any{
		"prometheus": map[string]any{"mode": "direct", "url": l.Prometheus},
		"traces":     map[string]any{"kind": "tempo", "mode": "direct", "url": l.Tempo},
		"journeys":   Journeys(),
		"objectives": Objectives(),
	}
}

// Objectives are those of the shop, over a window as short as the lab lives.
func Objectives() []any {
	calls := func(more string) string {
		return `sum(rate(traces_spanmetrics_calls_total{service="web", span_kind="SPAN_KIND_SERVER"` + more + `}[$__rate_interval]))`
	}
	return []any{map[string]any{
		"name": "Availability", "service": "web", "target": 0.99, "window": "1h", "errors": calls(`, status_code="STATUS_CODE_ERROR"`), "total": calls(""),
	}}
}

// Journeys are those of the shop's customers: from browsing to the checkout, and
// to the account.
func Journeys() []any {
	journey := func(name string, operations ...string) map[string]any {
		var steps []any
		for _, operation := range operations {
			steps = append(steps, map[string]any{"service": "web", "operation": operation})
		}
		return map[string]any{"name": name, "steps": steps}
	}
	return []any{
		journey("Browse to checkout", "GET /", "GET /product/{id}", "GET /cart", "POST /checkout"),
		journey("Account", "GET /", "GET /account/orders"),
	}
}

// Deploy brings a new version of a service; fault may be empty.
func (l *Lab) Deploy(ctx context.Context, service, version, fault string) error {
	return l.Canary(ctx, service, version, fault, 1)
}

// Canary brings a new version of a service for a share of its requests.
func (l *Lab) Canary(ctx context.Context, service, version, fault string, share float64) error {
	values := url.Values{"service": {service}, "version": {version}}
	if fault != "" {
		values.Set("fault", fault)
	}
	if share < 1 {
		values.Set("share", strconv.FormatFloat(share, 'g', -1, 64))
	}
	return l.control(ctx, http.MethodPost, "/deploy?"+values.Encode())
}

// Fault switches a fault on, and ClearFault off.
func (l *Lab) Fault(ctx context.Context, name string) error {
	return l.control(ctx, http.MethodPost, "/fault?name="+url.QueryEscape(name))
}

// Ramp switches a fault on, little by little.
func (l *Lab) Ramp(ctx context.Context, name string, ramp time.Duration) error {
	return l.control(ctx, http.MethodPost, "/fault?"+url.Values{"name": {name}, "ramp": {ramp.String()}}.Encode())
}

// ClearFault switches a fault off.
func (l *Lab) ClearFault(ctx context.Context, name string) error {
	return l.control(ctx, http.MethodDelete, "/fault?name="+url.QueryEscape(name))
}

// Do kills a server of the lab, starts it again, pauses or resumes it.
func (l *Lab) Do(ctx context.Context, name, do string) error {
	return l.control(ctx, http.MethodPost, "/servers?"+url.Values{"name": {name}, "do": {do}}.Encode())
}

// Server is one process of the lab.
type Server struct {
	Name   string
	URL    string
	PID    int
	Killed bool
}

// Servers are the processes of the lab.
func (l *Lab) Servers(ctx context.Context) (servers []Server, err error) {
	return servers, l.ask(ctx, http.MethodGet, "/servers", &servers)
}

func (l *Lab) control(ctx context.Context, method, path string) error {
	return l.ask(ctx, method, path, nil)
}

// ask reads the lab's answer into something, nil for nothing.
func (l *Lab) ask(ctx context.Context, method, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, l.Control+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking the lab to %s %s: %w", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
		return fmt.Errorf("the lab refused %s %s: %s: %s", method, path, response.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(into)
}
