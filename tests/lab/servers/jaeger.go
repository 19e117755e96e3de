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

// Jaeger 2 without its user interface, which is not part of the Go module. Its
// releases of the second major version carry tags of the first.
var Jaeger = Spec{
	Name: "jaeger", Module: "github.com/jaegertracing/jaeger",
	Command: "github.com/jaegertracing/jaeger/cmd/jaeger",
}

//go:embed jaeger.yaml
var jaegerConfig string

// JaegerServer is a running Jaeger with the port that takes traces.
type JaegerServer struct {
	*Process
	OTLP string // OTLP over HTTP
}

// StartJaeger runs Jaeger on loopback ports, with traces in memory. A port of
// 0 takes a free one.
func StartJaeger(ctx context.Context, binary, data string, port int) (*JaegerServer, error) {
	directory := filepath.Join(data, "jaeger")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, fmt.Errorf("create the data directory of Jaeger: %w", err)
	}
	free, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	settings := struct{ HTTP, GRPC, OTLP, OTLPGRPC int }{orElse(port, free[0]), free[1], free[2], free[3]}
	var rendered bytes.Buffer
	parsed := template.Must(template.New("jaeger.yaml").Parse(jaegerConfig))
	if err := parsed.Execute(&rendered, settings); err != nil {
		return nil, fmt.Errorf("render the configuration of Jaeger: %w", err)
	}
	config := filepath.Join(directory, "jaeger.yaml")
	if err := os.WriteFile(config, rendered.Bytes(), 0o644); err != nil {
		return nil, fmt.Errorf("write the configuration of Jaeger: %w", err)
	}
	process, err := start(ctx, "jaeger", directory, binary,
		fmt.Sprintf("http://127.0.0.1:%d", settings.HTTP), "/api/services", "--config", config)
	if err != nil {
		return nil, err
	}
	return &JaegerServer{process, fmt.Sprintf("http://127.0.0.1:%d", settings.OTLP)}, nil
}
