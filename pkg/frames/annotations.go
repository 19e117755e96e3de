package frames

import (
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
)

// Grafana reads annotations off the fields time, timeEnd, title, text, tags
// and id, found by their names. An event with a timeEnd is drawn as a region,
// one without as a line; tags are one text, split at commas.

// event is one annotation.
type event struct {
	start, end  time.Time // end is the zero time for an instant
	title, text string
	tags        []string
	identity    string // what makes the event this one event
}

// annotationFrames is one frame with a row per event; empty says why there is
// none.
func annotationFrames(name string, events []event, basis engine.Provenance, notices remarks, empty string) data.Frames {
	frame := newFrame(name, data.FrameTypeTable, data.VisTypeTable, basis)
	frame.Fields = data.Fields{
		column(events, "time", "", "", func(e event) time.Time { return e.start.UTC() }),
		column(events, "timeEnd", "", "", func(e event) *time.Time { return nullableTime(e.end) }),
		column(events, "title", "", "", func(e event) string { return e.title }),
		column(events, "text", "", "", func(e event) string { return e.text }),
		column(events, "tags", "", "", func(e event) string { return joinTags(e.tags) }),
		column(events, "id", "", "", func(e event) string { return eventID(name, e) }),
	}
	if len(events) == 0 {
		notices.add(data.NoticeSeverityInfo, empty)
	}
	return notices.attach(data.Frames{frame})
}

func joinTags(tags []string) string {
	var clean []string
	for _, tag := range tags {
		clean = append(clean, strings.ReplaceAll(tag, ",", ";"))
	}
	return strings.Join(clean, ",")
}

// eventID is the same for the same event on every replica and at every
// refresh.
func eventID(name string, e event) string {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s\x00%s\x00%d", name, e.identity, e.start.UnixNano())
	return fmt.Sprintf("%016x", hash.Sum64())
}
