package plugin

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"
)

func TestEqualLiveQuestionsShareAChannel(t *testing.T) {
	path := func(raw string) string {
		asked, err := parseLive([]byte(raw))
		require.NoError(t, err)
		return asked.path
	}
	one := path(`{"query": {"queryType": "anomaly", "expr": "up"}, "seconds": 3600}`)
	require.Equal(t, one, path(`{"seconds": 3600, "query": {"expr": "up", "live": true, "refId": "B", "queryType": "anomaly"}}`))
	require.NotEqual(t, one, path(`{"query": {"queryType": "anomaly", "expr": "up"}, "seconds": 900}`))
	require.NotEqual(t, one, path(`{"query": {"queryType": "anomaly", "expr": "up", "direction": "above"}, "seconds": 3600}`))
	require.LessOrEqual(t, len("ds/")+40+len("/")+len(one), 160, "Grafana's limit of a channel's name")
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
