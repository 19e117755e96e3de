package lenient

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTextsAndTimesOfSenders(t *testing.T) {
	at := time.Unix(1795972807, 0).UTC()
	for body, want := range map[string]struct {
		text Text
		time time.Time
	}{
		`{"version":"42","time":"` + at.Format(time.RFC3339) + `"}`: {"42", at},
		`{"version":42,"time":1795972807}`:                          {"42", at},
		`{"version":1.10,"time":1795972807000}`:                     {"1.10", at},
		`{"version":true,"time":1795972807000000}`:                  {"true", at},
		`{"version":null,"time":1795972807000000000}`:               {"", at},
		`{"version":" v1\n","time":"1795972807"}`:                   {"v1", at},
		`{"version":12345678901234567890,"time":1795972807.25}`:     {"12345678901234567890", at.Add(250 * time.Millisecond)},
		`{"time":1.795972807e12}`:                                   {"", at},
		`{"time":null}`:                                             {"", time.Time{}},
		`{"time":""}`:                                               {"", time.Time{}},
	} {
		var got struct {
			Version Text
			Time    Time
		}
		require.NoError(t, Unmarshal([]byte(body), &got), body)
		require.Equal(t, want.text, got.Version, body)
		require.True(t, want.time.Equal(got.Time.Time), "%s: %s", body, got.Time)
	}
}

func TestErrorsNameTheField(t *testing.T) {
	for body, want := range map[string]string{
		`{"version":{}}`:   "version must be text, got an object",
		`{"version":[1]}`:  "version must be text, got a list",
		`{"time":"soon"}`:  `time must be a time like 2026-01-31T12:00:00Z, or a number since 1970 in s, ms, µs or ns, got "soon"`,
		`{"time":[]}`:      "time must be a time",
		`{"time":true}`:    "time must be a time",
		`{"real":"yes"}`:   "real must be true or false, got string",
		`{"real":`:         "it is not JSON",
		`[]`:               "the body must be an object, got array",
		`{"list":{"a":1}}`: "list must be a list, got object",
		`{"time":1e300}`:   "time must be a time",
	} {
		var into struct {
			Version Text
			Time    Time
			Real    *bool
			List    []string
		}
		require.ErrorContains(t, Unmarshal([]byte(body), &into), want, body)
	}
}

// TestUnits: whatever the unit, it is the same instant, in all years that deploys
// are in.
func TestUnits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(1_000_000_000, 9_000_000_000).Draw(t, "seconds")
		for _, unit := range []int64{1, 1e3, 1e6, 1e9} {
			if seconds > 9_000_000_000_000_000_000/unit {
				continue
			}
			at, ok := ParseTime(strconv.FormatInt(seconds*unit, 10))
			require.True(t, ok)
			require.Equal(t, seconds, at.Unix())
		}
	})
}
