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

//go:embed tempo.yaml
var tempoConfig string

// TempoServer is a running Tempo with the ports that take traces.
type TempoServer struct {
	*Process
	OTLP   string // OTLP over HTTP
	Zipkin string // Zipkin's API, version 2
}

// TempoPorts are the loopback ports of Tempo; 0 takes a free one.
type TempoPorts struct{ HTTP, OTLP int }

// StartTempo runs Tempo as a single binary on loopback ports. Its metrics
// generator writes to the Prometheus at remoteWrite, empty for none.
func StartTempo(ctx context.Context, binary, data, remoteWrite string, fixed TempoPorts) (*TempoServer, error) {
	directory := filepath.Join(data, "tempo")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, fmt.Errorf("create the data directory of Tempo: %w", err)
	}
	free, err := freePorts(5)
	if err != nil {
		return nil, err
	}
	settings := struct {
		Directory, RemoteWrite string
		HTTP, GRPC, OTLP       int
		OTLPGRPC, Zipkin       int
	}{directory, remoteWrite, orElse(fixed.HTTP, free[0]), free[1], orElse(fixed.OTLP, free[2]), free[3], free[4]}

	var rendered bytes.Buffer
	parsed := template.Must(template.New("tempo.yaml").Parse(tempoConfig))
	if err := parsed.Execute(&rendered, settings); err != nil {
		return nil, fmt.Errorf("render the configuration of Tempo: %w", err)
	}
	config := filepath.Join(directory, "tempo.yaml")
	if err := os.WriteFile(config, rendered.Bytes(), 0o644); err != nil {
		return nil, fmt.Errorf("write the configuration of Tempo: %w", err)
	}
	process, err := start(ctx, "tempo", directory, binary,
		fmt.Sprintf("http://127.0.0.1:%d", settings.HTTP), "/ready", "-config.file="+config)
	if err != nil {
		return nil, err
	}
	return &TempoServer{process, fmt.Sprintf("http://127.0.0.1:%d", settings.OTLP), fmt.Sprintf("http://127.0.0.1:%d", settings.Zipkin)}, nil
}

func orElse(port, otherwise int) int {
	if port != 0 {
		return port
	}
	return otherwise
}
