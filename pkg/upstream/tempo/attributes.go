package tempo

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
)

const (
	// maxListed bounds how many names of a scope Tempo lists, and maxAttributes how
	// many are read of every span.
	maxListed, maxAttributes = 500, 60
)

// selectable is an attribute's name that needs no quotes in TraceQL.
var selectable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// Attributes implements upstream.AttributeLister: the attributes of spans and of
// resources that are there besides the well-known ones.
func (c *Client) Attributes(ctx context.Context, start, end time.Time) ([]string, error) {
	body, _, err := get(ctx, c.transport, asJSON, "/api/v2/search/tags",
		"limit", strconv.Itoa(maxListed), "start", seconds(start), "end", secondsUp(end))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Scopes []struct {
			Name string
			Tags []string
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, c.malformed(err)
	}
	var names []string
	for _, scope := range answer.Scopes {
		if scope.Name != "span" && scope.Name != "resource" {
			continue
		}
		for _, tag := range scope.Tags {
			if selectable.MatchString(tag) && trace.MayExplain(tag) {
				names = append(names, scope.Name+"."+tag)
			}
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(len(names), maxAttributes)], nil
}
