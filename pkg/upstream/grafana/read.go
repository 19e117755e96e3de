// Package grafana reads and writes annotations in Grafana.
package grafana

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// Name is how messages call the upstream.
const Name = "Grafana"

const (
	// maxAnnotations is how many annotations are read at once.
	maxAnnotations = 500
	// maxText bounds what is read and written of an annotation's text, in bytes.
	maxText = 300
)

// Client reads the annotations that carry any of its tags, and writes others.
type Client struct {
	transport *transport.Client
	tags      []string
}

var (
	_ annotation.Source[annotation.Annotation] = (*Client)(nil)
	_ annotation.Writer                        = (*Client)(nil)
)

// New makes a client for the annotations that carry any of the tags.
func New(config transport.Config, limits transport.Limits, tags []string) (*Client, error) {
	connection, err := transport.New(Name, config, limits)
	if err != nil {
		return nil, err
	}
	connection.Probe("/api/health")
	return &Client{transport: connection, tags: tags}, nil
}

// Name is how messages call the upstream.
func (c *Client) Name() string { return Name }

// Close drops idle connections.
func (c *Client) Close() { c.transport.Close() }

type annotationJSON struct {
	ID      int64
	Time    int64 // milliseconds since the epoch
	TimeEnd int64 // equal to Time for an instant
	Text    string
	Tags    []string
}

// Read implements annotation.Source by Grafana's annotations API. A region counts
// where it begins.
func (c *Client) Read(ctx context.Context, start, end time.Time) (all []annotation.Annotation, warnings []string, err error) {
	rows, err := c.list(ctx, url.Values{
		"from": {strconv.FormatInt(start.UnixMilli(), 10)}, "to": {strconv.FormatInt(end.UnixMilli(), 10)}, "tags": c.tags,
	})
	if err != nil {
		return nil, nil, err
	}
	if len(rows) >= maxAnnotations {
		warnings = append(warnings, "Grafana has more annotations with these tags than are read: the oldest are missing. Narrow deploys.annotationTags.")
	}
	for _, row := range deduplicated(rows) {
		if a := row.annotation(); !a.Start.Before(start) && !a.Start.After(end) { // else a region that reaches into the range
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b annotation.Annotation) int {
		return cmp.Or(a.Start.Compare(b.Start), slices.Compare(a.Tags, b.Tags), cmp.Compare(a.Text, b.Text))
	})
	return all, warnings, nil
}

// list are the annotations with any of the tags.
func (c *Client) list(ctx context.Context, parameters url.Values) (rows []annotationJSON, err error) {
	parameters.Set("matchAny", "true")
	parameters.Set("type", "annotation")
	parameters.Set("limit", strconv.Itoa(maxAnnotations))
	address := c.transport.URL("/api/annotations", nil)
	address.RawQuery = parameters.Encode()
	body, _, err := c.transport.Get(ctx, address, "application/json")
	if err == nil {
		err = c.decode(body, &rows)
	}
	return rows, err
}

// deduplicated are annotations without those that were written twice: by a
// request that Grafana carried out long after it had timed out.
func deduplicated(rows []annotationJSON) (kept []annotationJSON) {
	index := map[string]int{}
	for _, row := range rows {
		id, tagged := row.id()
		if !tagged {
			kept = append(kept, row)
			continue
		}
		i, seen := index[id]
		if !seen {
			index[id] = len(kept)
			kept = append(kept, row)
			continue
		}
		kept[i].TimeEnd = max(kept[i].TimeEnd, row.TimeEnd) // only one of them may have its end
	}
	return kept
}

// id is the tag that identifies an annotation that Foresight wrote.
func (r annotationJSON) id() (tag string, tagged bool) {
	i := slices.IndexFunc(r.Tags, func(tag string) bool { return strings.HasPrefix(tag, annotation.IDTag("")) })
	if i < 0 {
		return "", false
	}
	return r.Tags[i], true
}

func (r annotationJSON) annotation() annotation.Annotation {
	a := annotation.Annotation{Start: time.UnixMilli(r.Time).UTC(), Text: upstream.Clean(r.Text, maxText)}
	if r.TimeEnd > r.Time {
		a.End = time.UnixMilli(r.TimeEnd).UTC()
	}
	if tag, tagged := r.id(); tagged {
		a.ID = strings.TrimPrefix(tag, annotation.IDTag(""))
	}
	for _, tag := range r.Tags {
		a.Tags = append(a.Tags, upstream.Clean(tag, maxText))
	}
	return a
}
