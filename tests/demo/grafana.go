package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/tests/harness"
)

// patienceWithGrafana bounds its start: the first one makes its database.
const patienceWithGrafana = 3 * time.Minute

// grafana starts the Grafana of a folder (bin/grafana, conf, public) with the
// plugin of dist/ and everything in provisioning/. Its data lie in a folder
// that is removed at the end.
func grafana(home string, lab *harness.Lab, port int) (page, error) {
	root, err := harness.Root()
	if err != nil {
		return page{}, err
	}
	if port, err = freePort(port); err != nil {
		return page{}, err
	}
	data, err := os.MkdirTemp("", "foresight-grafana-")
	if err != nil {
		return page{}, err
	}
	plugins := filepath.Join(data, "plugins")
	log, err := os.Create(filepath.Join(data, "grafana.log"))
	if err == nil {
		err = os.Mkdir(plugins, 0o755)
	}
	if err == nil {
		err = os.Symlink(filepath.Join(root, "dist"), filepath.Join(plugins, harness.PluginID))
	}
	if err != nil {
		return page{}, err
	}

	command := exec.Command(filepath.Join(home, "bin", "grafana"), "server", "--homepath", home)
	command.Stdout, command.Stderr = log, log
	command.Env = append(os.Environ(),
		"FORESIGHT_PROMETHEUS_URL="+lab.Prometheus,
		"FORESIGHT_TEMPO_URL="+lab.Tempo,
		"GF_PATHS_DATA="+data,
		"GF_PATHS_PLUGINS="+plugins,
		"GF_PATHS_PROVISIONING="+filepath.Join(root, "provisioning"),
		"GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS="+harness.PluginID,
		"GF_PLUGINS_PREINSTALL_DISABLED=true",
		"GF_LOG_MODE=console",
		"GF_RECORDING_RULES_DEFAULT_DATASOURCE_UID=prometheus",
		"GF_SERVER_HTTP_ADDR=127.0.0.1",
		"GF_SERVER_HTTP_PORT="+strconv.Itoa(port),
		"GF_AUTH_ANONYMOUS_ENABLED=true",
		"GF_AUTH_ANONYMOUS_ORG_ROLE=Admin",
		"GF_ANALYTICS_REPORTING_ENABLED=false",
		"GF_ANALYTICS_CHECK_FOR_UPDATES=false",
	)
	if err := command.Start(); err != nil {
		return page{}, fmt.Errorf("GRAFANA_HOME is set, but its Grafana does not start: %w", err)
	}
	address := fmt.Sprintf("http://127.0.0.1:%d", port)
	if err := answers(address+"/api/health", patienceWithGrafana); err != nil {
		_ = command.Process.Kill()
		_ = command.Wait()
		return page{}, fmt.Errorf("the Grafana of %s did not come up (its log: %s): %w", home, log.Name(), err)
	}
	return page{address: address + "/d/foresight-overview", what: "the Grafana of " + home, stop: func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
		_ = os.RemoveAll(data)
	}}, nil
}

// freePort is the port, or a free one for 0: Grafana cannot choose by itself.
func freePort(port int) (int, error) {
	listener, err := listen(port)
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// answers waits until a server does.
func answers(address string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		response, err := http.Get(address)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("it answers %s", response.Status)
		}
		if sleep(ctx, time.Second) != nil {
			return err
		}
	}
}
