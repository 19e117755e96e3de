package query_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/query"
)

// FuzzParse holds the promises of Parse: it never panics, what it accepts is
// valid and complete, and what it accepts survives being written and read
// again.
func FuzzParse(f *testing.F) {
	f.Add("forecast", `{"expr":"sum(rate(http_requests_total[5m]))","horizon":"6h"}`)
	f.Fuzz(func(t *testing.T, queryType, raw string) {
		parsed, err := query.Parse(queryType, json.RawMessage(raw))
		if err != nil {
			require.NotEmpty(t, err.Error())
			require.Nil(t, parsed)
			return
		}
		require.NoError(t, parsed.Validate())
		if diff, ok := parsed.(query.TraceDiff); ok {
			_, _, _, _ = diff.Baseline.Bounds(time.Unix(0, 0), time.Unix(3600, 0))
		}
		written, err := json.Marshal(parsed)
		require.NoError(t, err)
		again, err := query.Parse(string(parsed.Type()), written)
		require.NoError(t, err, "%s", written)
		require.Equal(t, parsed, again)
	})
}
