//go:build integration

package integration

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"
)

func TestLiveOverTheShop(t *testing.T) {
	source, _ := shop(t)
	queried := json.RawMessage(`{"query": {"queryType": "anomaly", "expr": "sum(rate(http_server_request_duration_seconds_count[5m]))"}, "seconds": 900}`)
	status, body, err := source.Plugin.Resource(t.Context(), &backend.CallResourceRequest{
		PluginContext: source.Context, Method: "POST", Path: "live", URL: "live", Body: queried,
	})
	require.NoError(t, err)
	require.Equal(t, 200, status, string(body))
	var channel struct{ Path string }
	require.NoError(t, json.Unmarshal(body, &channel))

	allowed, first, err := source.Plugin.Subscribe(t.Context(), &backend.SubscribeStreamRequest{
		PluginContext: source.Context, Path: channel.Path, Data: queried,
	})
	require.NoError(t, err)
	require.Equal(t, backend.SubscribeStreamStatusOK, allowed)
	require.Positive(t, first.Rows(), "the present state comes first")

	foreign := json.RawMessage(`{"query": {"queryType": "anomaly", "expr": "up"}, "seconds": 900}`)
	allowed, _, err = source.Plugin.Subscribe(t.Context(), &backend.SubscribeStreamRequest{
		PluginContext: source.Context, Path: channel.Path, Data: foreign,
	})
	require.NoError(t, err)
	require.Equal(t, backend.SubscribeStreamStatusPermissionDenied, allowed, "nobody feeds another's channel")

	var packets []*data.Frame
	err = source.Plugin.RunStream(t.Context(), &backend.RunStreamRequest{
		PluginContext: source.Context, Path: channel.Path, Data: queried,
	}, func(packet json.RawMessage) bool {
		frame := &data.Frame{}
		if len(packets) == 0 {
			require.NoError(t, json.Unmarshal(packet, frame))
		} else {
			var part struct {
				Schema json.RawMessage              `json:"schema"`
				Data   struct{ Values [][]float64 } `json:"data"`
			}
			require.NoError(t, json.Unmarshal(packet, &part))
			require.Empty(t, part.Schema, "after the first packet only rows are sent")
			require.Len(t, part.Data.Values, len(packets[0].Fields))
			first, ok := packets[0].Fields[0].ConcreteAt(0)
			require.True(t, ok)
			require.Less(t, len(part.Data.Values[0]), packets[0].Rows(), "only rows that are new or that a late sample changed")
			for _, at := range part.Data.Values[0] {
				require.Greater(t, int64(at), first.(time.Time).UnixMilli())
			}
		}
		packets = append(packets, frame)
		return len(packets) < 2
	})
	require.NoError(t, err)
	require.Len(t, packets, 2)
	require.Equal(t, first.Fields[1].Name, packets[0].Fields[1].Name)
}
