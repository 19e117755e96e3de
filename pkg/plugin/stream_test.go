package plugin

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"
)

func TestEqualLiveQuestionsShareAChannel(t *testing.T) {
	path := func(raw string) string {
		queried, err := parseLive([]byte(raw))
		require.NoError(t, err)
		return queried.path
	}
	one := path(`{"query": {"queryType": "anomaly", "expr": "up"}, "seconds": 3600}`)
	require.Equal(t, one, path(`{"seconds": 3600, "query": {"expr": "up", "live": true, "refId": "B", "queryType": "anomaly"}}`))
	require.NotEqual(t, one, path(`{"query": {"queryType": "anomaly", "expr": "up"}, "seconds": 900}`))
	require.NotEqual(t, one, path(`{"query": {"queryType": "anomaly", "expr": "up", "direction": "above"}, "seconds": 3600}`))
	require.LessOrEqual(t, len("ds/")+40+len("/")+len(one), 160, "Grafana's limit of a channel's name")
}

// packets keeps what a channel's viewers are sent.
type packets struct{ sent []string }

func (p *packets) Send(packet *backend.StreamPacket) error {
	p.sent = append(p.sent, string(packet.Data))
	return nil
}

func TestViewersAreSentWhatIsNewOrChanged(t *testing.T) {
	const minute = 60_000
	frame := func(first int, values ...float64) *data.Frame {
		times, line := make([]time.Time, len(values)), make([]*float64, len(values))
		for i, value := range values {
			times[i] = time.UnixMilli(int64(first+i) * minute)
			if value >= 0 {
				line[i] = &value
			}
		}
		return data.NewFrame("anomaly", data.NewField("time", nil, times), data.NewField("orders", nil, line))
	}
	var viewers packets
	sender, sent := backend.NewStreamSender(&viewers), sentRows{}
	for _, step := range []struct {
		about string
		frame *data.Frame
		sends string // a part of it; empty for nothing
	}{
		{"no series yet", data.NewFrame("anomaly"), ""},
		{"the past comes first", frame(1, 5, 6, 7), `"values":[[60000,120000,180000],[5,6,7]]`},
		{"nothing new", frame(1, 5, 6, 7), ""},
		{"the window moves on", frame(2, 6, 7, 8), `{"data":{"values":[[240000],[8]]}}`},
		{"a late sample", frame(2, 6, 9, 8), `{"data":{"values":[[180000,240000],[9,8]]}}`},
		{"it moves on while another comes late", frame(3, 9, 3, 4), `{"data":{"values":[[240000,300000],[3,4]]}}`},
		{"a point goes missing", frame(3, 9, 3, -1), `{"data":{"values":[[300000],[null]]}}`},
		{"the series are away", data.NewFrame("anomaly"), ""},
		{"they come back much later", frame(9, 1, 2), `{"data":{"values":[[540000,600000],[1,2]]}}`},
	} {
		viewers.sent = nil
		require.NoError(t, sent.send(&snapshot{frame: step.frame}, sender), step.about)
		if step.sends == "" {
			require.Empty(t, viewers.sent, step.about)
			continue
		}
		require.Len(t, viewers.sent, 1, step.about)
		require.Contains(t, viewers.sent[0], step.sends, step.about)
	}
}

func TestLiveFramesFitIntoAViewersQueue(t *testing.T) {
	frame := func(lines, rows int) *data.Frame {
		made := data.NewFrame("anomaly")
		for range lines {
			made.Fields = append(made.Fields, data.NewField("line", nil, make([]time.Time, rows)))
		}
		return made
	}
	_, err := withinLive(frame(100, 1441))
	require.NoError(t, err)
	_, err = withinLive(frame(1001, 1441))
	require.ErrorContains(t, err, "1001 lines of 1441 points are too many to be sent live")
}
