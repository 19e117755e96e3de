package query

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFeedbackTakesMillisecondsAsANumber(t *testing.T) {
	parsed, err := Parse("anomaly", []byte(`{"expr":"up","feedback":[{"time":1795969208100,"real":false},{"time":"-1h","real":true}]}`))
	require.NoError(t, err)
	feedback := parsed.(Anomaly).Feedback
	require.Equal(t, "1795969208100", feedback[0].Time)
	require.False(t, *feedback[0].Real)
	require.Equal(t, "-1h", feedback[1].Time)
}
