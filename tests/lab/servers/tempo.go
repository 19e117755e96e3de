package servers

import (
	"context"
	_ "embed"
	"fmt"
	"path/filepath"
	"text/template"
)

//go:embed tempo.yaml
var tempoConfig string

// tempoTargets are the processes of a Tempo that is split.
var tempoTargets = []string{"distributor", "ingester", "ingester", "metrics-generator", "query-frontend", "querier"}

// TempoServer is a running Tempo, of one process or of many, with the ports
// that take traces.
type TempoServer struct {
	Parts  []*Process
	URL    string // where it is asked
	OTLP   string // OTLP over HTTP
	Zipkin string // Zipkin's API, version 2
}

// TempoOptions say what a Tempo is like. A port of 0 is a free one.
type TempoOptions struct {
	Split       bool   // into processes named tempo-<target>, with tenants
	RemoteWrite string // where the metrics generator writes, empty for nowhere
	HTTP, OTLP  int
}

// StartTempo runs Tempo on loopback ports.
func StartTempo(ctx context.Context, binary, data string, o TempoOptions) (*TempoServer, error) {
	targets := []string{"all"}
	if o.Split {
		targets = tempoTargets
	}
	parts, join, err := arrange("tempo", data, targets...)
	if err != nil {
		return nil, err
	}
	receivers, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	otlp := orElse(o.OTLP, receivers[0])
	frontend := 0
	if o.Split {
		frontend = the(parts, "query-frontend").GRPC
	} else {
		parts[0].HTTP = orElse(o.HTTP, parts[0].HTTP)
	}
	blocks := filepath.Join(data, fmt.Sprintf("tempo-store-%d", len(parts)))
	processes, err := startParts(ctx, binary, parts, template.Must(template.New("tempo.yaml").Parse(tempoConfig)), func(p part) any {
		return struct {
			part
			Join                   []int
			Tenants                bool
			Shared, RemoteWrite    string
			Frontend               int
			OTLP, OTLPGRPC, Zipkin int
		}{p, join, o.Split, blocks, o.RemoteWrite, frontend, otlp, receivers[1], receivers[2]}
	})
	if err != nil {
		return nil, err
	}
	return &TempoServer{
		Parts:  processes,
		URL:    the(parts, "query-frontend").url(),
		OTLP:   fmt.Sprintf("http://127.0.0.1:%d", otlp),
		Zipkin: fmt.Sprintf("http://127.0.0.1:%d", receivers[2]),
	}, nil
}

func orElse(port, otherwise int) int {
	if port != 0 {
		return port
	}
	return otherwise
}
