package history

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/lab/shop"
)

// now is a Monday, 31 seconds past a full minute, so that the history ends
// between two samples.
var now = time.Date(2026, 3, 2, 15, 4, 31, 0, time.UTC)

const length = 26 * time.Hour // crosses midnight and the nightly job

func write(t *testing.T, seed uint64, requests int) (directory string) {
	t.Helper()
	directory = t.TempDir()
	require.NoError(t, Write(context.Background(), Options{
		Directory: directory, Seed: seed, Rate: 15, Load: shop.Rhythm{Seed: seed}, Length: length,
		Now: func() time.Time { return now }, Progress: t.Logf, Requests: requests,
	}))
	return directory
}

type sample struct {
	millis int64
	value  float64
	native *histogram.Histogram
}

// readAll reads the blocks back as Prometheus reads them.
func readAll(t *testing.T, directory string, matchers ...*labels.Matcher) map[string][]sample {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(directory, "wal"), 0o755)) // a running Prometheus has one
	db, err := tsdb.OpenDBReadOnly(directory, "", nil)
	require.NoError(t, err)
	defer db.Close()
	querier, err := db.Querier(math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	defer querier.Close()
	if len(matchers) == 0 {
		matchers = []*labels.Matcher{labels.MustNewMatcher(labels.MatchNotEqual, labels.MetricName, "")}
	}
	found := map[string][]sample{}
	for series := querier.Select(context.Background(), false, nil, matchers...); series.Next(); {
		var samples []sample
		for values := series.At().Iterator(nil); ; {
			kind := values.Next()
			if kind == chunkenc.ValNone {
				require.NoError(t, values.Err())
				break
			}
			var s sample
			if kind == chunkenc.ValHistogram {
				s.millis, s.native = values.AtHistogram(nil)
			} else {
				s.millis, s.value = values.At()
			}
			samples = append(samples, s)
		}
		found[series.At().Labels().String()] = samples
	}
	return found
}

func TestHistory(t *testing.T) {
	directory := write(t, 1, 1500)
	t.Run("Prometheus reads it", func(t *testing.T) { testReadable(t, directory) })
	t.Run("its histograms are consistent", func(t *testing.T) { testConsistent(t, directory) })
	t.Run("it follows the rhythm", func(t *testing.T) { testRhythm(t, directory) })
	t.Run("live traffic continues it", func(t *testing.T) { testLiveContinues(t, directory) })
}

func testReadable(t *testing.T, directory string) {
	all := readAll(t, directory)
	require.Greater(t, len(all), 1000)
	natives := 0
	for series, samples := range all {
		require.Equal(t, now.UnixMilli(), samples[len(samples)-1].millis, "%s reaches the present", series)
		for i, s := range samples[1:] {
			step := s.millis - samples[i].millis
			require.True(t, step > 0 && step <= interval.Milliseconds(), "%s: %d ms between samples", series, step)
		}
		if samples[0].native != nil {
			natives++
			for _, s := range samples {
				require.NoError(t, s.native.Validate(), series)
			}
		}
	}
	require.Positive(t, natives)
}

func testConsistent(t *testing.T, directory string) {
	get := func(name string, extra ...string) []sample {
		matchers := []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, labels.MetricName, name)}
		for i := 0; i < len(extra); i += 2 {
			matchers = append(matchers, labels.MustNewMatcher(labels.MatchEqual, extra[i], extra[i+1]))
		}
		found := readAll(t, directory, matchers...)
		require.Len(t, found, 1, "%s %v", name, extra)
		for _, samples := range found {
			return samples
		}
		return nil
	}
	key := []string{"service", "orders", "span_name", "SELECT orders"}
	counts, sums, calls := get(spanLatency+"_count", key...), get(spanLatency+"_sum", key...), get(spanCalls, key...)
	below := get(spanLatency+"_bucket", append(key, "le", "0.004")...)
	above := get(spanLatency+"_bucket", append(key, "le", "0.008")...)
	infinite := get(spanLatency+"_bucket", append(key, "le", "+Inf")...)
	for i := range counts {
		require.Equal(t, counts[i].value, calls[i].value)
		require.Equal(t, counts[i].value, infinite[i].value)
		require.LessOrEqual(t, below[i].value, above[i].value)
		require.LessOrEqual(t, above[i].value, infinite[i].value)
		if i > 0 {
			require.GreaterOrEqual(t, below[i].value, below[i-1].value, "counters do not fall")
			require.GreaterOrEqual(t, sums[i].value, sums[i-1].value)
		}
	}
	last := len(counts) - 1
	require.InDelta(t, 0.0043, sums[last].value/counts[last].value, 0.0008, "mean seconds of the statement")

	used := get("db_client_connection_count", "service_name", "catalog", "db_client_connection_state", "used")
	idle := get("db_client_connection_count", "service_name", "catalog", "db_client_connection_state", "idle")
	for i := range used {
		require.Equal(t, 16.0, used[i].value+idle[i].value, "used and idle add up to the pool")
	}
}

func testRhythm(t *testing.T, directory string) {
	load := shop.Rhythm{Seed: 1}
	requests := readAll(t, directory, labels.MustNewMatcher(labels.MatchEqual, labels.MetricName, "http_server_request_duration_seconds_count"),
		labels.MustNewMatcher(labels.MatchEqual, "service_name", "web"))
	between := func(from, to time.Time) (events float64) {
		for _, samples := range requests {
			events += at(samples, to) - at(samples, from)
		}
		return events / to.Sub(from).Seconds()
	}
	for hour := time.Hour; hour < 25*time.Hour; hour += 3 * time.Hour {
		from := now.Truncate(time.Hour).Add(-hour)
		expected := 15 * load.Factor(from.Add(15*time.Minute))
		require.InEpsilon(t, expected, between(from, from.Add(30*time.Minute)), 0.06, "at %s", from)
	}

	jobs := readAll(t, directory, labels.MustNewMatcher(labels.MatchEqual, labels.MetricName, spanCalls),
		labels.MustNewMatcher(labels.MatchEqual, "span_name", "reindex products"))
	require.Len(t, jobs, 1)
	night := now.Truncate(24 * time.Hour).Add(2 * time.Hour)
	for _, samples := range jobs {
		require.InDelta(t, 4*900, at(samples, night.Add(20*time.Minute))-at(samples, night.Add(-10*time.Minute)), 250)
		require.Equal(t, at(samples, now), at(samples, night.Add(20*time.Minute)), "it runs at night only")
	}
}

// testLiveContinues compares the end of the history with what the shop itself
// does from then on.
func testLiveContinues(t *testing.T, directory string) {
	load := shop.Rhythm{Seed: 1}
	live, err := measure(context.Background(), level{load.Factor(now), false}, 99, 15, 3000)
	require.NoError(t, err)
	written := readAll(t, directory)
	compared := 0
	for key, r := range live.rates {
		if r.kind != classic || r.calls {
			continue
		}
		total := 0.0
		for _, perSecond := range r.buckets {
			total += perSecond
		}
		if total < 1 {
			continue // too rare to tell
		}
		compared++
		samples, known := written[named(r.labels, r.name+"_count").String()]
		require.True(t, known, "the history has %s", key)
		from := now.Add(-40 * time.Minute)
		before := (at(samples, now) - at(samples, from)) / now.Sub(from).Seconds()
		require.InEpsilon(t, total, before, 0.2, key)
	}
	require.Greater(t, compared, 15)
}

func TestEqualSeedsGiveEqualBlocks(t *testing.T) {
	require.Equal(t, fingerprint(t, write(t, 4, 100)), fingerprint(t, write(t, 4, 100)))
	require.NotEqual(t, fingerprint(t, write(t, 4, 100)), fingerprint(t, write(t, 5, 100)))
}

func fingerprint(t *testing.T, directory string) map[string][32]byte {
	t.Helper()
	sums := map[string][32]byte{}
	require.NoError(t, filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		relative, _ := filepath.Rel(directory, path)
		sums[relative] = sha256.Sum256(content)
		return err
	}))
	require.NotEmpty(t, sums)
	return sums
}

// at is the last value up to a time.
func at(samples []sample, t time.Time) (value float64) {
	for _, s := range samples {
		if s.millis > t.UnixMilli() {
			break
		}
		value = s.value
	}
	return value
}
