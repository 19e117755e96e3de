package grafana

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

var _ upstream.Journal = (*Client)(nil)

// idTag is the tag by which a note is found again.
const idTag = "foresight-id:"

// storedNote is what is read of an annotation that is a note.
type storedNote struct {
	ID      int64
	TimeEnd int64 // milliseconds since the epoch; the begin for an instant
	Tags    []string
}

// Keep implements upstream.Journal by Grafana's annotations API. The token needs
// to be allowed to write annotations, which Editors are.
//
// Grafana takes whatever it is sent, and no id of ours keeps two apart. So what
// counts is what it shows: it is asked before writing, since the note may be told
// again, and after, since an answer may be lost and another replica may write at
// the same time. Of several the first one stays.
func (c *Client) Keep(ctx context.Context, note upstream.Note) (bool, error) {
	ctx, cancel := c.transport.Deadline(ctx)
	defer cancel()
	found, err := c.find(ctx, note)
	if err != nil {
		return false, err
	}
	written := false
	if len(found) == 0 {
		id, failure := c.write(ctx, note)
		if found, err = c.find(ctx, note); err != nil || len(found) == 0 {
			return failure == nil, failure
		}
		written = found[0].ID == id || failure != nil && len(found) == 1
	}
	for _, other := range found[1:] {
		if err := c.send(ctx, http.MethodDelete, c.one(other), nil, nil); err != nil {
			break // whoever reads takes them for one, and whoever keeps it again tries again
		}
	}
	if note.End.IsZero() || found[0].TimeEnd == note.End.UnixMilli() {
		return written, nil
	}
	failure := c.send(ctx, http.MethodPatch, c.one(found[0]), map[string]any{"timeEnd": note.End.UnixMilli()}, nil)
	if failure != nil {
		if found, err = c.find(ctx, note); err == nil && len(found) > 0 && found[0].TimeEnd == note.End.UnixMilli() {
			return true, nil
		}
	}
	return failure == nil, failure
}

// find is where a note stands already, the first that was written first.
func (c *Client) find(ctx context.Context, note upstream.Note) (found []storedNote, err error) {
	var tags []string
	for _, id := range append([]string{note.ID}, note.Earlier...) {
		tags = append(tags, idTag+id)
	}
	address := c.transport.URL("/api/annotations", nil)
	address.RawQuery = url.Values{"tags": tags, "matchAny": {"true"}, "type": {"annotation"}, "limit": {strconv.Itoa(mostAnnotations)}}.Encode()
	body, _, err := c.transport.Get(ctx, address, "application/json")
	if err == nil {
		err = c.decode(body, &found)
	}
	found = slices.DeleteFunc(found, func(one storedNote) bool {
		return !slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(one.Tags, tag) })
	})
	slices.SortFunc(found, func(a, b storedNote) int { return cmp.Compare(a.ID, b.ID) })
	return found, err
}

// write adds a note. That it was taken is known by its id in the answer.
func (c *Client) write(ctx context.Context, note upstream.Note) (id int64, err error) {
	// Without a text Grafana takes nothing.
	text := cmp.Or(upstream.Clean(note.Text, longestText), upstream.Clean(strings.Join(note.Tags, " "), longestText))
	content := map[string]any{"time": note.Start.UnixMilli(), "tags": append(slices.Clone(note.Tags), idTag+note.ID), "text": text}
	if !note.End.IsZero() {
		content["timeEnd"] = note.End.UnixMilli()
	}
	var added struct{ ID int64 }
	err = c.send(ctx, http.MethodPost, c.transport.URL("/api/annotations", nil), content, &added)
	if err == nil && added.ID == 0 {
		err = &upstream.Error{Upstream: Name, Category: upstream.Malformed, Message: "it took an annotation without an id for it", Advice: notItself}
	}
	return added.ID, err
}

func (c *Client) one(note storedNote) *url.URL {
	return c.transport.URL("/api/annotations/:id", map[string]string{"id": strconv.FormatInt(note.ID, 10)})
}

// send sends a change and reads what is answered, which has to be JSON.
func (c *Client) send(ctx context.Context, method string, address *url.URL, content, answer any) error {
	raw, err := json.Marshal(content)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(raw))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	_, body, err := c.transport.Do(ctx, request)
	if err != nil {
		return err
	}
	if answer == nil {
		answer = &struct{ Message string }{}
	}
	return c.decode(body, answer)
}

// notItself is advice after an answer that is not one of Grafana's.
const notItself = "Check that grafana.url is that of Grafana itself"

// decode reads an answer of Grafana.
func (c *Client) decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return &upstream.Error{Upstream: Name, Category: upstream.Malformed, Message: c.transport.Clean(err.Error(), upstream.MaxMessage), Err: err, Advice: notItself}
	}
	return nil
}
