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

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Upsert implements annotation.Writer by Grafana's annotations API. The token
// needs to be allowed to write annotations, which Editors are.
//
// Grafana takes whatever it is sent, and no id of ours keeps two apart. So what
// counts is what it shows: it is read before writing, since the same event may be
// reported again, and after, since an answer may be lost and another replica may
// write at the same time. Of several the first one stays.
func (c *Client) Upsert(ctx context.Context, a annotation.Annotation) (bool, error) {
	ctx, cancel := c.transport.Deadline(ctx)
	defer cancel()
	existing, err := c.find(ctx, a)
	if err != nil {
		return false, err
	}
	written := false
	if len(existing) == 0 {
		id, failure := c.create(ctx, a)
		if existing, err = c.find(ctx, a); err != nil || len(existing) == 0 {
			return failure == nil, failure
		}
		written = existing[0].ID == id || failure != nil && len(existing) == 1
	}
	for _, other := range existing[1:] {
		if err := c.send(ctx, http.MethodDelete, c.address(other), nil, nil); err != nil {
			break // readers take them for one, and the next write tries again
		}
	}
	if a.End.IsZero() || existing[0].TimeEnd == a.End.UnixMilli() {
		return written, nil
	}
	failure := c.send(ctx, http.MethodPatch, c.address(existing[0]), map[string]any{"timeEnd": a.End.UnixMilli()}, nil)
	if failure != nil {
		if existing, err = c.find(ctx, a); err == nil && len(existing) > 0 && existing[0].TimeEnd == a.End.UnixMilli() {
			return true, nil
		}
	}
	return failure == nil, failure
}

// find are the rows of an annotation that exist already, the first that was
// written first.
func (c *Client) find(ctx context.Context, a annotation.Annotation) ([]annotationJSON, error) {
	var tags []string
	for _, id := range append([]string{a.ID}, a.Earlier...) {
		tags = append(tags, annotation.IDTag(id))
	}
	rows, err := c.list(ctx, url.Values{"tags": tags})
	rows = slices.DeleteFunc(rows, func(row annotationJSON) bool {
		return !slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(row.Tags, tag) })
	})
	slices.SortFunc(rows, func(a, b annotationJSON) int { return cmp.Compare(a.ID, b.ID) })
	return rows, err
}

// create adds an annotation. That Grafana took it is known by the id in its
// answer.
func (c *Client) create(ctx context.Context, a annotation.Annotation) (id int64, err error) {
	// Without a text Grafana takes nothing.
	text := cmp.Or(upstream.Clean(a.Text, maxText), upstream.Clean(strings.Join(a.Tags, " "), maxText))
	content := map[string]any{"time": a.Start.UnixMilli(), "tags": append(slices.Clone(a.Tags), annotation.IDTag(a.ID)), "text": text}
	if !a.End.IsZero() {
		content["timeEnd"] = a.End.UnixMilli()
	}
	var added struct{ ID int64 }
	err = c.send(ctx, http.MethodPost, c.transport.URL("/api/annotations", nil), content, &added)
	if err == nil && added.ID == 0 {
		err = &upstream.Error{Upstream: Name, Category: upstream.Malformed, Message: "it took an annotation without an id for it", Advice: notGrafana}
	}
	return added.ID, err
}

func (c *Client) address(row annotationJSON) *url.URL {
	return c.transport.URL("/api/annotations/:id", map[string]string{"id": strconv.FormatInt(row.ID, 10)})
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
	_, body, err := c.transport.Do(ctx, request) //nolint:bodyclose // Do closes it
	if err != nil {
		return err
	}
	if answer == nil {
		answer = &struct{ Message string }{}
	}
	return c.decode(body, answer)
}

// notGrafana is advice after an answer that is not one of Grafana's.
const notGrafana = "Check that grafana.url is that of Grafana itself"

// decode reads an answer of Grafana.
func (c *Client) decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return &upstream.Error{Upstream: Name, Category: upstream.Malformed, Message: c.transport.Clean(err.Error(), upstream.MaxMessage), Err: err, Advice: notGrafana}
	}
	return nil
}
