package preview

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// live sends a channel as server-sent events. Unlike Grafana, which runs one
// stream for all viewers of a channel, each viewer has a stream of their own;
// when it ends, the browser asks again by itself.
func (h *Host) live(w http.ResponseWriter, r *http.Request) {
	source, known := h.sources.find(w, r.PathValue("uid"))
	if !known {
		return
	}
	path, question := r.PathValue("path"), json.RawMessage(r.FormValue("data"))
	status, first, err := source.Plugin.Subscribe(r.Context(), &backend.SubscribeStreamRequest{
		PluginContext: source.Context, Path: path, Data: question,
	})
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	if status != backend.SubscribeStreamStatusOK {
		refuse(w, http.StatusForbidden, fmt.Errorf("the data source does not let this query into the channel %s", path))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(packet json.RawMessage) bool {
		_, err := fmt.Fprintf(w, "data: %s\n\n", packet)
		return err == nil && http.NewResponseController(w).Flush() == nil
	}
	if first != nil {
		packet, err := data.FrameToJSON(first, data.IncludeAll)
		if err != nil || !send(packet) {
			return
		}
	}
	_ = source.Plugin.RunStream(r.Context(), &backend.RunStreamRequest{
		PluginContext: source.Context, Path: path, Data: question,
	}, send)
}
