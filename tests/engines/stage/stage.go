// Package stage starts the gateway in front of the running plugin, for the
// tests of engines. It is a module of its own without dependencies, because
// those of the engines and of the plugin exclude each other.
package stage

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tokens of service accounts, by role.
const (
	Viewer = "viewer-token"
	Editor = "editor-token"
)

// WebhookSecret signs notifications of alerts.
const WebhookSecret = "secret-of-the-stage"

// Silent are the scenes in which no number can be trusted: the metrics server
// has no, old, or infinite samples, too short a history, fails, answers with a
// page, hangs, or breaks the connection; or there is no such data source.
var Silent = []string{"missing", "stale", "prone", "young", "failing", "page", "slow", "restarting", "unheard"}

// Stage is a running gateway.
type Stage struct{ Grafana string }

// Resources is the URL of the resources of a scene's data source.
func (s Stage) Resources(scene string) string {
	return s.Grafana + "/api/datasources/uid/" + scene + "/resources"
}

// Gone is the address of a Grafana that is not there, as while it restarts.
func Gone(t testing.TB) Stage {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	return Stage{"http://" + listener.Addr().String()}
}

// Start builds and starts the gateway. It ends with the test.
func Start(t testing.TB) Stage {
	t.Helper()
	// Tests run in their own folder, tests/engines/NAME.
	root := filepath.Join("..", "..", "..")
	binary := filepath.Join(t.TempDir(), "gateway")
	build := exec.Command("go", "build", "-o", binary, "./tests/engines/gateway")
	build.Dir, build.Stderr = root, os.Stderr
	if err := build.Run(); err != nil {
		t.Fatalf("building the gateway: %v", err)
	}
	gateway := exec.Command(binary)
	gateway.Stderr = os.Stderr
	stdin, err := gateway.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := gateway.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Start(); err != nil {
		t.Fatalf("starting the gateway: %v", err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = gateway.Wait()
	})
	var ready struct{ URL string }
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil {
		t.Fatalf("the gateway did not come up: %v", err)
	}
	return Stage{ready.URL}
}
