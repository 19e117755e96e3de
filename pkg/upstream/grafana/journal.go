package grafana

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

var _ upstream.Journal = (*Client)(nil)

// idTag is the tag by which a note is found again.
const idTag = "foresight-id:"

// storedNote is what is read of an annotation before it is written.
type storedNote struct {
	ID      int64
	TimeEnd int64 // milliseconds since the epoch; the begin for an instant
}

// Keep implements upstream.Journal by Grafana's annotations API. The token needs
// to be allowed to write annotations, which Editors are.
func (c *Client) Keep(ctx context.Context, note upstream.Note) (bool, error) {
	address := c.transport.URL("/api/annotations", nil)
	address.RawQuery = url.Values{"tags": {idTag + note.ID}, "type": {"annotation"}, "limit": {"1"}}.Encode()
	body, _, err := c.transport.Get(ctx, address, "application/json")
	if err != nil {
		return false, err
	}
	var found []storedNote
	if err := json.Unmarshal(body, &found); err != nil {
		return false, &upstream.Error{Upstream: Name, Category: upstream.Malformed, Message: c.transport.Clean(err.Error(), upstream.MaxMessage), Err: err,
			Advice: "Check that grafana.url is that of Grafana itself"}
	}
	if len(found) == 0 {
		written := map[string]any{
			"time": note.Start.UnixMilli(), "tags": append(note.Tags, idTag+note.ID), "text": upstream.Clean(note.Text, longestText),
		}
		if !note.End.IsZero() {
			written["timeEnd"] = note.End.UnixMilli()
		}
		return true, c.send(ctx, http.MethodPost, c.transport.URL("/api/annotations", nil), written)
	}
	if note.End.IsZero() || found[0].TimeEnd == note.End.UnixMilli() {
		return false, nil
	}
	one := c.transport.URL("/api/annotations/:id", map[string]string{"id": strconv.FormatInt(found[0].ID, 10)})
	return true, c.send(ctx, http.MethodPatch, one, map[string]any{"timeEnd": note.End.UnixMilli()})
}

func (c *Client) send(ctx context.Context, method string, address *url.URL, content any) error {
	raw, err := json.Marshal(content)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(raw))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	_, _, err = c.transport.Do(ctx, request)
	return err
}
