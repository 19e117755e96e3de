// Package gate runs the command foresight-gate against the running plugin,
// through a Grafana's resources.
package gate

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "foresight-gate")
	command := exec.Command("go", "build", "-o", binary, "./pkg/cmd/foresight-gate")
	command.Dir, command.Stderr = filepath.Join("..", "..", ".."), os.Stderr
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
	return binary
}

func TestGate(t *testing.T) {
	binary, grafana := build(t), stage.Start(t)
	run := func(t *testing.T, address, scene, token string, arguments ...string) (int, string) {
		t.Helper()
		command := exec.Command(binary, append([]string{"-url", address, "-datasource", scene, "-service", "cart", "-version", "2", "-baseline", "1",
			"-deadline", "3s", "-interval", "1s", "-tolerate", "2s"}, arguments...)...)
		command.Env = []string{"FORESIGHT_TOKEN=" + token}
		var output bytes.Buffer
		command.Stdout, command.Stderr = &output, &output
		err := command.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return command.ProcessState.ExitCode(), output.String()
	}
	for _, test := range []struct {
		scene, token string
		arguments    []string
		code         int
		said         string
	}{
		{"good", stage.Viewer, nil, 0, "PASS: cart 2 against 1"},
		{"good", stage.Editor, []string{"-marker", "-environment", "production"}, 0, "Deploy marker: posted"},
		{"good", stage.Viewer, []string{"-marker"}, 3, "Editor"},
		{"good", stage.Viewer, []string{"-min-requests", "1e9"}, 2, "requests that are required"},
		{"collapsed", stage.Viewer, nil, 1, "errors is worse"},
		{"collapsed", stage.Viewer, []string{"-dry-run"}, 0, "the exit code would be 1"},
		{"undecided", stage.Viewer, nil, 2, "undecided after 3s"},
		{"over", stage.Viewer, nil, 2, "do not serve at the same time"},
		{"good", "wrong", nil, 3, "check the token"},
		{"unheard", stage.Viewer, nil, 3, "Data source not found"},
	} {
		t.Run(test.scene+" "+strings.Join(test.arguments, " "), func(t *testing.T) {
			code, output := run(t, grafana.Grafana, test.scene, test.token, test.arguments...)
			if code != test.code || !strings.Contains(output, test.said) {
				t.Fatalf("exit code %d, want %d with %q:\n%s", code, test.code, test.said, output)
			}
		})
	}
	for _, scene := range stage.Silent {
		if scene == "young" {
			continue // its canary is like the good one's
		}
		t.Run(scene, func(t *testing.T) {
			t.Parallel()
			if code, output := run(t, grafana.Grafana, scene, stage.Viewer); code != 2 && code != 3 {
				t.Fatalf("exit code %d where nothing can be said:\n%s", code, output)
			}
		})
	}
	if code, output := run(t, stage.Gone(t).Grafana, "good", stage.Viewer); code != 3 {
		t.Fatalf("exit code %d while Grafana is away:\n%s", code, output)
	}
}
