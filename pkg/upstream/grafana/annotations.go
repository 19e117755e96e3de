// Package grafana reads deploys that were announced as annotations in Grafana.
package grafana

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// Name is how messages call the upstream.
const Name = "Grafana"

const (
	// mostAnnotations is how many annotations one question reads.
	mostAnnotations = 500
	// longestText bounds what is kept of an annotation's text, in bytes.
	longestText = 300
)

// Client implements upstream.Markers over Grafana's annotations.
type Client struct {
	transport *transport.Client
	tags      []string
}

var _ upstream.Markers = (*Client)(nil)

// New makes a client for the annotations that carry any of the tags.
func New(config transport.Config, limits transport.Limits, tags []string) (*Client, error) {
	connection, err := transport.New(Name, config, limits)
	if err != nil {
		return nil, err
	}
	return &Client{transport: connection, tags: tags}, nil
}

// Name is how messages call the upstream.
func (c *Client) Name() string { return Name }

// Close drops idle connections.
func (c *Client) Close() { c.transport.Close() }

type annotationJSON struct {
	Time    int64 // milliseconds since the epoch
	TimeEnd int64 // the begin for an instant
	Text    string
	Tags    []string
}

// Markers implements upstream.Markers by Grafana's annotations API. The start
// of a region is the deploy's instant.
func (c *Client) Markers(ctx context.Context, start, end time.Time) ([]upstream.Marker, []string, error) {
	address := c.transport.URL("/api/annotations", nil)
	address.RawQuery = url.Values{
		"from": {strconv.FormatInt(start.UnixMilli(), 10)}, "to": {strconv.FormatInt(end.UnixMilli(), 10)},
		"tags": c.tags, "matchAny": {"true"}, "type": {"annotation"}, "limit": {strconv.Itoa(mostAnnotations)},
	}.Encode()
	body, _, err := c.transport.Get(ctx, address, "application/json")
	if err != nil {
		return nil, nil, err
	}
	var answer []annotationJSON
	if err := c.decode(body, &answer); err != nil {
		return nil, nil, err
	}
	var warnings []string
	if len(answer) >= mostAnnotations {
		warnings = append(warnings, "Grafana has more annotations with these tags than are read: the oldest are missing. Narrow deploys.annotationTags.")
	}
	var markers []upstream.Marker
	for _, one := range once(answer) {
		at := time.UnixMilli(one.Time).UTC()
		if at.Before(start) || at.After(end) {
			continue // a region that reaches into the time asked for
		}
		markers = append(markers, c.read(one, at))
	}
	slices.SortFunc(markers, func(a, b upstream.Marker) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Text, b.Text))
	})
	return markers, warnings, nil
}

// once are annotations without those that are the same note written twice: by a
// request that Grafana carried out long after it was given up.
func once(all []annotationJSON) (kept []annotationJSON) {
	places := map[string]int{}
	for _, one := range all {
		i := slices.IndexFunc(one.Tags, func(tag string) bool { return strings.HasPrefix(tag, idTag) })
		if i < 0 {
			kept = append(kept, one)
			continue
		}
		place, known := places[one.Tags[i]]
		if !known {
			places[one.Tags[i]] = len(kept)
			kept = append(kept, one)
			continue
		}
		kept[place].TimeEnd = max(kept[place].TimeEnd, one.TimeEnd) // the one may know when it ended
	}
	return kept
}

// The keys under which tags, as "key:value" or "key=value", name the service
// and its version.
var (
	serviceKeys = []string{"service_name", "service.name", "service", "app"}
	versionKeys = []string{"service_version", "service.version", "version", "tag", "release"}
)

// alertKey is the key of the tag that names an alert.
const alertKey = "alertname"

// verdictKey is the key of the tags that say whether an event was real.
const verdictKey = "foresight"

// Acted is the tag of notes on something that was done about a service, Outcome
// that of what came of it.
const (
	Acted   = verdictKey + ":acted"
	Outcome = verdictKey + ":outcome"
)

// playbookKeys are the keys of the tags by which a note of a playbook is read
// again.
var playbookKeys = []string{"playbook", "of", "outcome"}

// Verdicts are the tags of annotations that say whether an event was real, or
// that something was done about it.
func Verdicts() []string {
	return []string{verdictKey + ":true", verdictKey + ":false", Acted, Outcome}
}

// read is the marker that an annotation stands for. Tags without a key are its
// words.
func (c *Client) read(one annotationJSON, at time.Time) upstream.Marker {
	marker := upstream.Marker{At: at, Text: upstream.Clean(one.Text, longestText)}
	if one.TimeEnd > one.Time {
		marker.End = time.UnixMilli(one.TimeEnd).UTC()
	}
	for _, tag := range one.Tags {
		tag = upstream.Clean(tag, longestText)
		separator := strings.IndexAny(tag, ":=")
		if separator <= 0 {
			if !slices.Contains(c.tags, tag) {
				marker.Words = append(marker.Words, tag)
			}
			continue
		}
		key, value := strings.ToLower(tag[:separator]), strings.TrimSpace(tag[separator+1:])
		switch {
		case slices.Contains(serviceKeys, key) && marker.Service == "":
			marker.Service = value
		case slices.Contains(versionKeys, key) && marker.Version == "":
			marker.Version = value
		case slices.Contains(playbookKeys, key):
			if marker.Keys == nil {
				marker.Keys = map[string]string{}
			}
			marker.Keys[key] = value
		case key == alertKey:
			marker.Alert = value
		case key == verdictKey:
			marker.Verdict = strings.ToLower(value)
		}
	}
	return marker
}
