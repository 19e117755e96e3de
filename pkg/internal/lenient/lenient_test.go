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

// TestTimesWithAZone: what date, git and mail write; without a zone it could be
// hours away.
func TestTimesWithAZone(t *testing.T) {
	want := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for _, text := range []string{
		"2026-03-02T10:00:00Z", "2026-03-02T11:00:00+01:00", "2026-03-02T11:00:00+0100", "2026-03-02T11:00:00.000+01", "2026-03-02 11:00:00+01:00",
		"2026-03-02 11:00:00 +0100", "2026-03-02 10:00:00 UTC", "Mon, 02 Mar 2026 10:00:00 GMT", "Mon, 02 Mar 2026 11:00:00 +0100", "1772445600",
	} {
		at, ok := ParseTime(text)
		require.True(t, ok, text)
		require.True(t, want.Equal(at), "%s: %s", text, at)
	}
	for _, text := range []string{"2026-03-02T10:00:00", "2026-03-02", "10:00", "yesterday"} {
		_, ok := ParseTime(text)
		require.False(t, ok, text)
	}
}

func TestErrorsNameTheField(t *testing.T) {
	for body, want := range map[string]string{
		`{"version":{}}`:                 "version must be text, got an object",
		`{"version":[1]}`:                "version must be text, got a list",
		`{"time":"soon"}`:                `time must be a time like 2026-01-31T12:00:00Z, or a number since 1970 in s, ms, µs or ns, got "soon"`,
		`{"time":[]}`:                    "time must be a time",
		`{"time":true}`:                  "time must be a time",
		`{"real":"yes"}`:                 "real must be true or false, got text",
		`{"real":`:                       "it is not JSON",
		`[]`:                             "the body must be an object, got a list",
		`{"list":{"a":1}}`:               "list must be a list, got an object",
		`{"time":1e300}`:                 "time must be a time",
		`{"involvedObject":{"name":[]}}`: "involvedObject.name must be text, got a list",
	} {
		var into struct {
			Version Text
			Time    Time
			Real    *bool
			List    []string

			InvolvedObject struct{ Name Text }
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
