// The gateway lets the real code of engines meet the running plugin: it starts
// the plugin process with a data source for each scene, each over a metrics
// server of its own, and serves their resources as Grafana does. It prints its address as JSON and ends
// when its standard input does.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/foresight-observability/foresight/tests/harness"
)

// editorToken is that of a service account which may write.
const editorToken = "editor-token"

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

func serve() error {
	plugin, err := harness.StartPlugin(context.Background(), os.Stderr)
	if err != nil {
		return err
	}
	defer plugin.Stop()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := "http://" + listener.Addr().String()
	sources := map[string]harness.DataSource{}
	for _, scene := range scenes {
		metrics := httptest.NewServer(scene.server())
		defer metrics.CloseClientConnections()
		sources[scene.name] = harness.DataSource{Plugin: plugin, Context: harness.PluginContext(map[string]any{
			"prometheus": map[string]any{"url": metrics.URL},
			"grafana":    map[string]any{"url": address},
			"series":     []any{map[string]any{"name": "load", "expr": "load", "threshold": 1000}},
			"limits":     map[string]any{"timeout": "6s"},
		}, map[string]string{"grafanaToken": editorToken, "webhookSecret": "secret-of-the-stage"})}
	}
	mux := http.NewServeMux()
	mux.Handle("/", harness.Gateway{DataSources: sources, Roles: map[string]string{"viewer-token": "Viewer", editorToken: "Editor"}})
	kept := harness.NewAnnotations(editorToken)
	mux.Handle(harness.AnnotationsPath, kept)
	mux.Handle(harness.AnnotationsPath+"/", kept)
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"url": address}); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}
