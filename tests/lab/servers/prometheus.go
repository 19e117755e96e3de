package servers

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed prometheus.yaml
var prometheusConfig string

// PrometheusData is the directory below the lab's data directory that holds
// Prometheus' blocks.
func PrometheusData(data string) string { return filepath.Join(data, "prometheus", "tsdb") }

// StartPrometheus runs Prometheus on a loopback port (0: a free one), with its
// remote-write and OTLP receivers on. What it stores it also writes to each of
// the Mimirs.
func StartPrometheus(ctx context.Context, binary, data string, port int, mimirs []*MimirServer) (*Process, error) {
	directory := filepath.Join(data, "prometheus")
	if err := os.MkdirAll(PrometheusData(data), 0o755); err != nil {
		return nil, fmt.Errorf("create the data directory of Prometheus: %w", err)
	}
	config := filepath.Join(directory, "prometheus.yml")
	var rendered bytes.Buffer
	err := template.Must(template.New("prometheus.yaml").Parse(prometheusConfig)).Execute(&rendered, struct {
		Tenant string
		Mimirs []*MimirServer
	}{Tenant, mimirs})
	if err != nil {
		return nil, fmt.Errorf("render the configuration of Prometheus: %w", err)
	}
	if err := os.WriteFile(config, rendered.Bytes(), 0o644); err != nil {
		return nil, fmt.Errorf("write the configuration of Prometheus: %w", err)
	}
	if port == 0 {
		ports, err := freePorts(1)
		if err != nil {
			return nil, err
		}
		port = ports[0]
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	return start(ctx, "prometheus", directory, binary, "http://"+address, "/-/ready",
		"--config.file="+config,
		"--storage.tsdb.path="+PrometheusData(data),
		// One block size: history arrives in blocks that need no compaction.
		"--storage.tsdb.min-block-duration=2h",
		"--storage.tsdb.max-block-duration=2h",
		"--web.listen-address="+address,
		"--web.enable-remote-write-receiver",
		"--web.enable-otlp-receiver",
		"--enable-feature=exemplar-storage",
	)
}
