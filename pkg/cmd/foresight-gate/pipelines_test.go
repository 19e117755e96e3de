package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const root = "../../.."

// binary is the built command, in a folder of its own.
func binary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "foresight-gate")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	return path
}

// grafana answers verdicts by the version that is asked about, and takes markers.
func grafana(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.Path == "/api/datasources/uid/foresight/resources/hooks/deploy" {
			fmt.Fprint(w, `{"kept":1,"known":0}`)
			return
		}
		q := r.URL.Query()
		if r.URL.Path != "/api/datasources/uid/foresight/resources/verdict" || q.Get("service") != "cart" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"verdict": q.Get("candidate"), "candidate": q.Get("candidate"), "service": "cart", "reason": "so it is",
			"window": map[string]any{"to": time.Now()}, "metrics": []any{map[string]any{"name": "errors", "verdict": q.Get("candidate")}},
		})
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// codes are the exit codes by version; the fake answers with the verdict that
// the version is named after.
var codes = map[string]int{"pass": 0, "fail": 1, "inconclusive": 2, "odd": 3}

// execute runs a command and returns its exit code.
func execute(t *testing.T, command *exec.Cmd, gate string, env map[string]string) (code int, output string) {
	t.Helper()
	command.Env = []string{"PATH=" + filepath.Dir(gate) + ":" + os.Getenv("PATH"), "FORESIGHT_TOKEN=secret", "FORESIGHT_TOLERATE=0s", "FORESIGHT_INTERVAL=10ms"}
	for name, value := range env {
		command.Env = append(command.Env, name+"="+value)
	}
	text, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return command.ProcessState.ExitCode(), string(text)
}

func documents(t *testing.T, path string) (all []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	for part := range bytes.SplitSeq(text, []byte("\n---\n")) {
		var one map[string]any
		require.NoError(t, yaml.Unmarshal(part, &one))
		all = append(all, one)
	}
	return all
}

// at follows keys and indexes.
func at(t *testing.T, value any, path ...any) any {
	t.Helper()
	for _, key := range path {
		switch key := key.(type) {
		case string:
			object, ok := value.(map[string]any)
			require.True(t, ok, "%v", path)
			require.Contains(t, object, key)
			value = object[key]
		case int:
			value = value.([]any)[key]
		}
	}
	return value
}

func texts(value any) (all []string) {
	for _, one := range value.([]any) {
		all = append(all, fmt.Sprint(one))
	}
	return all
}

func TestGitHubAction(t *testing.T) {
	gate, address := binary(t), grafana(t)
	action := documents(t, ".github/actions/gate/action.yml")[0]
	steps := at(t, action, "runs", "steps").([]any)
	inputs := at(t, action, "inputs").(map[string]any)

	// Each input that is used exists, and each is used.
	text, err := os.ReadFile(filepath.Join(root, ".github/actions/gate/action.yml"))
	require.NoError(t, err)
	used := map[string]bool{}
	for _, found := range regexp.MustCompile(`inputs\.([a-z-]+)`).FindAllStringSubmatch(string(text), -1) {
		require.Contains(t, inputs, found[1])
		used[found[1]] = true
	}
	require.Len(t, used, len(inputs))

	release := http.NewServeMux()
	content, err := os.ReadFile(gate)
	require.NoError(t, err)
	name := fmt.Sprintf("foresight-gate_%s_%s", runtime.GOOS, runtime.GOARCH)
	sums := fmt.Sprintf("%x  %s\n", sha256.Sum256(content), name)
	release.HandleFunc("/v1/"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) })
	release.HandleFunc("/v1/SHA256SUMS", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, sums) })
	release.HandleFunc("/forged/"+name, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "#!/bin/sh\nexit 0\n") })
	release.HandleFunc("/forged/SHA256SUMS", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, sums) })
	downloads := httptest.NewServer(release)
	t.Cleanup(downloads.Close)

	architecture := map[string]string{"amd64": "X64", "arm64": "ARM64"}[runtime.GOARCH]
	step := func(i int, env map[string]string) (int, string) {
		return execute(t, exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", at(t, steps[i], "run").(string)), gate, env)
	}
	install := func(release string) (folder string, code int) {
		temp := t.TempDir()
		path := filepath.Join(temp, "path")
		code, output := step(0, map[string]string{
			"RELEASE": release, "DOWNLOADS": downloads.URL, "RUNNER_OS": "Linux", "RUNNER_ARCH": architecture, "RUNNER_TEMP": temp, "GITHUB_PATH": path,
		})
		t.Log(output)
		added, _ := os.ReadFile(path)
		return strings.TrimSpace(string(added)), code
	}
	for _, release := range []string{"forged", "none"} {
		folder, code := install(release)
		require.NotZero(t, code, release)
		require.Empty(t, folder)
	}
	folder, code := install("v1")
	require.Zero(t, code)
	gate = filepath.Join(folder, "foresight-gate")

	for version, want := range codes {
		output, summary := filepath.Join(t.TempDir(), "output"), filepath.Join(t.TempDir(), "summary")
		env := map[string]string{"GITHUB_OUTPUT": output, "GITHUB_STEP_SUMMARY": summary}
		given := map[string]string{"url": address, "token": "secret", "service": "cart", "version": version, "marker": "true", "deadline": "0s"}
		for name, value := range at(t, steps[1], "env").(map[string]any) {
			input := regexp.MustCompile(`^\$\{\{ inputs\.([a-z-]+) \}\}$`).FindStringSubmatch(value.(string))
			require.NotNil(t, input, value)
			value := given[input[1]]
			if initial := inputs[input[1]].(map[string]any)["default"]; value == "" && initial != nil {
				value = fmt.Sprint(initial)
			}
			env[name] = value
		}
		code, said := step(1, env)
		require.Equal(t, want, code, said)
		reported, err := os.ReadFile(output)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("exit-code=%d\n", want), string(reported))
		shown, err := os.ReadFile(summary)
		require.NoError(t, err)
		require.Contains(t, string(shown), "### Foresight: ")
	}
}

func TestGitLabComponent(t *testing.T) {
	gate, address := binary(t), grafana(t)
	all := documents(t, "provisioning/engines/gates/gitlab.yml")
	inputs := at(t, all[0], "spec", "inputs").(map[string]any)
	job := at(t, all[1], "$[[ inputs.job ]]")
	require.Equal(t, "foresight-gate.xml", at(t, job, "artifacts", "reports", "junit"))
	for version, want := range codes {
		given := map[string]string{"url": address, "service": "cart", "version": version, "deadline": "0s", "marker": "true"}
		env := map[string]string{}
		for name, value := range at(t, job, "variables").(map[string]any) {
			input := regexp.MustCompile(`^\$\[\[ inputs\.([a-z-]+) \]\]$`).FindStringSubmatch(value.(string))
			require.NotNil(t, input, value)
			require.Contains(t, inputs, input[1])
			value, ok := given[input[1]]
			if !ok {
				value = at(t, inputs, input[1], "default").(string)
			}
			env[name] = value
		}
		command := exec.Command("sh", "-ec", strings.Join(texts(at(t, job, "script")), "\n"))
		command.Dir = t.TempDir()
		code, output := execute(t, command, gate, env)
		require.Equal(t, want, code, output)
		require.FileExists(t, filepath.Join(command.Dir, "foresight-gate.xml"))
		require.FileExists(t, filepath.Join(command.Dir, "foresight-gate.md"))
	}
}

// TestSteps runs the steps of Argo Workflows and Tekton, with their parameters.
func TestSteps(t *testing.T) {
	gate, address := binary(t), grafana(t)
	for name, test := range map[string]struct {
		container func(document any) any
		pattern   string
	}{
		"argo-workflows": {func(d any) any { return at(t, d, "spec", "templates", 0, "container") }, `\{\{inputs\.parameters\.([a-z]+)\}\}`},
		"tekton":         {func(d any) any { return at(t, d, "spec", "steps", 0) }, `\$\(params\.([a-z]+)\)`},
	} {
		document := documents(t, "provisioning/engines/gates/"+name+".yaml")[0]
		container := test.container(document)
		require.Equal(t, []string{"foresight-gate"}, texts(at(t, container, "command")))
		require.Equal(t, "FORESIGHT_TOKEN", at(t, container, "env", 0, "name"))
		for version, want := range codes {
			given := map[string]string{"grafana": address, "service": "cart", "version": version, "deadline": "0s"}
			var arguments []string
			for _, one := range texts(at(t, container, "args")) {
				one = strings.Replace(one, "/tmp/gate.md", filepath.Join(t.TempDir(), "gate.md"), 1)
				arguments = append(arguments, regexp.MustCompile(test.pattern).ReplaceAllStringFunc(one, func(found string) string {
					parameter := regexp.MustCompile(test.pattern).FindStringSubmatch(found)[1]
					require.Contains(t, given, parameter)
					return given[parameter]
				}))
			}
			require.NotContains(t, strings.Join(arguments, " "), "param", "every parameter is one of the step")
			code, output := execute(t, exec.Command(gate, arguments...), gate, nil)
			require.Equal(t, want, code, output)
		}
	}
}

func TestJenkinsfile(t *testing.T) {
	gate, address := binary(t), grafana(t)
	text, err := os.ReadFile(filepath.Join(root, "provisioning/engines/gates/Jenkinsfile"))
	require.NoError(t, err)
	script := regexp.MustCompile(`(?s)script: '''(.*?)'''`).FindSubmatch(text)
	require.NotNil(t, script)
	require.Equal(t, bytes.Count(text, []byte("{")), bytes.Count(text, []byte("}")))
	line := strings.Replace(string(script[1]), "-deadline 30m", "-deadline 0s", 1)
	for version, want := range codes {
		command := exec.Command("sh", "-xe", "-c", line)
		command.Dir = t.TempDir()
		code, output := execute(t, command, gate, map[string]string{"FORESIGHT_URL": address, "FORESIGHT_SERVICE": "cart", "FORESIGHT_VERSION": version})
		require.Equal(t, want, code, output)
		require.FileExists(t, filepath.Join(command.Dir, "foresight-gate.xml"))
	}
}

// TestImage: the image takes the binary that the release writes.
func TestImage(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	require.Contains(t, string(text), "COPY foresight-gate_linux_${TARGETARCH} ")
}
