package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
)

// PluginID is the data source's id in Grafana.
const PluginID = "foresight-observability-datasource"

// Plugin is a running plugin process, asked as Grafana asks it.
type Plugin struct {
	client      *goplugin.Client
	data        grpcplugin.DataClient
	diagnostics grpcplugin.DiagnosticsClient
	resource    grpcplugin.ResourceClient
	stream      grpcplugin.StreamClient
}

// StartPlugin builds the plugin and starts it. Its warnings go to the writer.
func StartPlugin(ctx context.Context, log io.Writer) (*Plugin, error) {
	return StartLoggingPlugin(ctx, hclog.Warn, log)
}

// StartLoggingPlugin builds the plugin and starts it. What it logs at the level
// or above goes to the writer.
func StartLoggingPlugin(ctx context.Context, level hclog.Level, log io.Writer) (*Plugin, error) {
	binary, err := build(ctx, ".", "./pkg", "gpx_foresight", os.Stderr)
	if err != nil {
		return nil, err
	}
	return startPluginBinary(binary, level, log)
}

func startPluginBinary(binary string, level hclog.Level, log io.Writer) (*Plugin, error) {
	client := goplugin.NewClient(&goplugin.ClientConfig{
		Cmd: exec.Command(binary),
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion:  grpcplugin.ProtocolVersion,
			MagicCookieKey:   grpcplugin.MagicCookieKey,
			MagicCookieValue: grpcplugin.MagicCookieValue,
		},
		VersionedPlugins: map[int]goplugin.PluginSet{grpcplugin.ProtocolVersion: {
			"data":        &grpcplugin.DataGRPCPlugin{},
			"diagnostics": &grpcplugin.DiagnosticsGRPCPlugin{},
			"resource":    &grpcplugin.ResourceGRPCPlugin{},
			"stream":      &grpcplugin.StreamGRPCPlugin{},
		}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Name: "plugin", Level: level, Output: log}),
		StartTimeout:     30 * time.Second,
	})
	p := &Plugin{client: client}
	if err := p.connect(); err != nil {
		client.Kill()
		return nil, fmt.Errorf("starting the plugin %s: %w", binary, err)
	}
	return p, nil
}

func (p *Plugin) connect() error {
	protocol, err := p.client.Client()
	if err != nil {
		return err
	}
	for name, assign := range map[string]func(any) bool{
		"data":        func(c any) (ok bool) { p.data, ok = c.(grpcplugin.DataClient); return },
		"diagnostics": func(c any) (ok bool) { p.diagnostics, ok = c.(grpcplugin.DiagnosticsClient); return },
		"resource":    func(c any) (ok bool) { p.resource, ok = c.(grpcplugin.ResourceClient); return },
		"stream":      func(c any) (ok bool) { p.stream, ok = c.(grpcplugin.StreamClient); return },
	} {
		face, err := protocol.Dispense(name)
		if err != nil {
			return err
		}
		if !assign(face) {
			return fmt.Errorf("the plugin's %s service is a %T", name, face)
		}
	}
	return nil
}

// Stop ends the process.
func (p *Plugin) Stop() { p.client.Kill() }

// PID is the process's id.
func (p *Plugin) PID() int { return p.client.ReattachConfig().Pid }

// Query asks the plugin's QueryData.
func (p *Plugin) Query(ctx context.Context, request *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	response, err := p.data.QueryData(ctx, backend.ToProto().QueryDataRequest(request))
	if err != nil {
		return nil, err
	}
	return backend.FromProto().QueryDataResponse(response)
}

// Health asks the plugin's CheckHealth.
func (p *Plugin) Health(ctx context.Context, plugin backend.PluginContext) (*backend.CheckHealthResult, error) {
	response, err := p.diagnostics.CheckHealth(ctx, &pluginv2.CheckHealthRequest{PluginContext: backend.ToProto().PluginContext(plugin)})
	if err != nil {
		return nil, err
	}
	return &backend.CheckHealthResult{
		Status:      backend.HealthStatus(response.Status),
		Message:     response.Message,
		JSONDetails: response.JsonDetails,
	}, nil
}

// Metrics are what the plugin tells of itself, in Prometheus' text format.
func (p *Plugin) Metrics(ctx context.Context) (string, error) {
	response, err := p.diagnostics.CollectMetrics(ctx, &pluginv2.CollectMetricsRequest{})
	if err != nil {
		return "", err
	}
	return string(response.Metrics.GetPrometheus()), nil
}

// Resource asks the plugin's CallResource and reads the whole answer.
func (p *Plugin) Resource(ctx context.Context, request *backend.CallResourceRequest) (status int, body []byte, err error) {
	status, _, body, err = p.resourceWithHeader(ctx, request)
	return status, body, err
}

func (p *Plugin) resourceWithHeader(ctx context.Context, request *backend.CallResourceRequest) (status int, header map[string][]string, body []byte, err error) {
	stream, err := p.resource.CallResource(ctx, backend.ToProto().CallResourceRequest(request))
	if err != nil {
		return 0, nil, nil, err
	}
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return status, header, body, nil
		}
		if err != nil {
			return status, header, body, err
		}
		if part.Code != 0 {
			status = int(part.Code)
		}
		for name, values := range part.Headers {
			if header == nil {
				header = map[string][]string{}
			}
			header[name] = values.Values
		}
		body = append(body, part.Body...)
	}
}

// Subscribe asks whether a live channel may be watched, and for its first
// frame (nil for none).
func (p *Plugin) Subscribe(ctx context.Context, request *backend.SubscribeStreamRequest) (backend.SubscribeStreamStatus, *data.Frame, error) {
	response, err := p.stream.SubscribeStream(ctx, backend.ToProto().SubscribeStreamRequest(request))
	if err != nil {
		return 0, nil, err
	}
	status := backend.SubscribeStreamStatus(response.Status)
	if len(response.Data) == 0 {
		return status, nil, nil
	}
	frame := &data.Frame{}
	return status, frame, json.Unmarshal(response.Data, frame)
}

// RunStream runs a live channel and hands over each packet until the context
// ends, the plugin ends the stream, or the receiver returns false.
func (p *Plugin) RunStream(ctx context.Context, request *backend.RunStreamRequest, receive func(packet json.RawMessage) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := p.stream.RunStream(ctx, backend.ToProto().RunStreamRequest(request))
	if err != nil {
		return err
	}
	for {
		packet, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !receive(packet.Data) {
			return nil
		}
	}
}
