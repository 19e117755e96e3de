package plugin

import (
	"context"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// stores are the connected upstreams of one data source.
type stores struct {
	metrics upstream.Metrics
	traces  upstream.Traces
	closers []func()
}

func (s stores) close() {
	for _, closer := range s.closers {
		closer()
	}
}
