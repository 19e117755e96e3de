package query

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFeedbackAsSendersWriteIt: times in any unit, and booleans as text; what
// cannot be read is named.
func TestFeedbackAsSendersWriteIt(t *testing.T) {
	now := time.UnixMilli(1795969208100).UTC()
	for raw, want := range map[string]time.Time{
		`1795969208100`:          now,
		`"1795969208100"`:        now,
		`1795969208`:             now.Truncate(time.Second),
		`1795969208.1`:           now,
		`1795969208100000`:       now,
		`1795969208100000000`:    now,
		`"2026-11-29T16:20:08Z"`: now.Truncate(time.Second),
		`"-1h"`:                  now.Add(-time.Hour),
	} {
		parsed, err := Parse("anomaly", []byte(`{"expr":"up","feedback":[{"time":`+raw+`,"real":"false"}]}`))
		require.NoError(t, err, raw)
		feedback := parsed.(Anomaly).Feedback
		require.False(t, *feedback[0].Real)
		at, err := feedback[0].At(now)
		require.NoError(t, err)
		require.Equal(t, want, at, raw)
	}
	for raw, want := range map[string]string{
		`[{"time":{},"real":false}]`:                              "feedback[0].time must be text, got an object",
		`[{"time":"-1h","real":true},{"time":"-1h","real":"no"}]`: `feedback[1].real must be true or false, got "no"`,
		`[{"time":"-1h","real":0}]`:                               "feedback[0].real must be true or false, got the number 0",
		`["-1h"]`:                                                 "feedback[0] must be an object, got text",
		`{"time":"-1h","real":true}`:                              "feedback must be a list of objects, got an object",
	} {
		_, err := Parse("anomaly", []byte(`{"expr":"up","feedback":`+raw+`}`))
		require.ErrorContains(t, err, want)
	}
}
