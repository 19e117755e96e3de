package cost

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/foresight-observability/foresight/tests/harness"
)

// seenLive is what the viewers of a channel see: by line and time the newest
// value, nil for none.
type seenLive struct {
	mutex sync.Mutex
	names []string
	lines map[string]map[int64]*float64
}

func newSeenLive() *seenLive { return &seenLive{lines: map[string]map[int64]*float64{}} }

// add takes a packet as a browser does: with a schema it names the lines,
// without one it adds rows to them.
func (s *seenLive) add(packet json.RawMessage) error {
	var frame struct {
		Schema *struct{ Fields []struct{ Name string } }
		Data   struct{ Values []json.RawMessage }
	}
	if err := json.Unmarshal(packet, &frame); err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if frame.Schema != nil {
		s.names = nil
		for _, field := range frame.Schema.Fields {
			s.names = append(s.names, field.Name)
		}
	}
	if len(frame.Data.Values) != len(s.names) {
		return fmt.Errorf("%d columns for %d lines", len(frame.Data.Values), len(s.names))
	}
	var times []int64
	for i, raw := range frame.Data.Values {
		if i == 0 {
			if err := json.Unmarshal(raw, &times); err != nil {
				return err
			}
			continue
		}
		var values []*float64
		if err := json.Unmarshal(raw, &values); err != nil {
			return err
		}
		line := s.lines[s.names[i]]
		if line == nil {
			line = map[int64]*float64{}
			s.lines[s.names[i]] = line
		}
		for row, value := range values {
			line[times[row]] = value
		}
	}
	return nil
}

// compare asks the query itself over the same window, and counts the cells
// that are not what the viewers see.
func (c *channel) compare(ctx context.Context, a *audience) (compared, different, series int, err error) {
	now := time.Now()
	query := harness.Query("A", now.Add(-time.Duration(c.seconds)*time.Second), now, a.question)
	query.Interval, query.MaxDataPoints = time.Second, 100_000
	answers, err := a.source.AskAll(ctx, query)
	if err == nil {
		err = answers["A"].Error
	}
	if err != nil {
		return 0, 0, 0, err
	}
	c.seen.mutex.Lock()
	defer c.seen.mutex.Unlock()
	for _, frame := range answers["A"].Frames {
		if frame.Rows() > 0 {
			series++
		}
		for _, field := range frame.Fields[min(1, len(frame.Fields)):] {
			line := c.seen.lines[field.Config.DisplayNameFromDS]
			for row := range frame.Rows() {
				at, _ := frame.Fields[0].At(row).(time.Time)
				seen, known := line[at.UnixMilli()]
				if !known && row == frame.Rows()-1 {
					continue // the newest point is on its way
				}
				compared++
				queried, err := field.NullableFloatAt(row)
				if err != nil || !known || (queried == nil) != (seen == nil) || (queried != nil && *queried != *seen) {
					different++
				}
			}
		}
	}
	return compared, different, series, nil
}
