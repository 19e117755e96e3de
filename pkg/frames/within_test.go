package frames

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/series"
)

// TestLegendsAreBounded fills a long label into a legend many times, for many
// series: names stay short and different, and little memory is taken.
func TestLegendsAreBounded(t *testing.T) {
	var labels []series.Labels
	for i := range 100 {
		labels = append(labels, series.Labels{"a": strings.Repeat("ä", 30<<10), "i": strconv.Itoa(i)})
	}
	for name, legend := range map[string]string{"legend": strings.Repeat("{{a}}", 204), "automatic": ""} {
		t.Run(name, func(t *testing.T) {
			var names []string
			allocated := testing.Benchmark(func(b *testing.B) {
				names = seriesNames(legend, "up", labels)
			}).AllocedBytesPerOp()
			require.Less(t, allocated, int64(64<<20))
			seen := map[string]bool{}
			for _, name := range names {
				require.False(t, seen[name], name)
				require.True(t, utf8.ValidString(name))
				for _, role := range roles {
					require.LessOrEqual(t, len(displayName(name, role)), maxDisplayName)
				}
				seen[name] = true
			}
		})
	}
}

func TestTextsAreCut(t *testing.T) {
	long := strings.Repeat("ö", 50<<10)
	labels := data.Labels{"short": "x", "long": long}
	frame := data.NewFrame(long,
		data.NewField("a", labels, []string{"short", long}),
		data.NewField(long, nil, []*string{nil, &long}),
		data.NewField("n", nil, []float64{1, 2}),
	)
	frame.Fields[0].Config = &data.FieldConfig{DisplayNameFromDS: long}
	frame.Meta = &data.FrameMeta{ExecutedQueryString: long, Notices: []data.Notice{{Text: long}}}
	size := Within(data.Frames{frame})
	require.Less(t, size, int64(100<<10))
	raw, err := frame.MarshalJSON()
	require.NoError(t, err)
	require.True(t, utf8.Valid(raw))
	require.Less(t, len(raw), 100<<10)
	require.Equal(t, "short", frame.Fields[0].At(0))
	require.Len(t, labels["long"], 100<<10, "shared with other answers")
	notices := frame.Meta.Notices
	require.Contains(t, notices[len(notices)-1].Text, "were cut")

	untouched := data.NewFrame("a", data.NewField("a", data.Labels{"x": "y"}, []string{"text"}))
	Within(data.Frames{untouched})
	require.Nil(t, untouched.Meta)
	Within(nil)
}
