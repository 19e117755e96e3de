package plugin

import (
	"runtime/debug"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"
)

// Each data source may remember as much as its settings say, so the limit of the
// process grows with their number, and shrinks when they are replaced.
func TestMemoryLimit(t *testing.T) {
	open := func(settings string) *DataSource {
		created, err := New(t.Context(), backend.DataSourceInstanceSettings{JSONData: []byte(settings)})
		require.NoError(t, err)
		return created.(*DataSource)
	}
	limit := func() int64 { return debug.SetMemoryLimit(-1) >> 20 }

	first := open(`{"prometheus":{"url":"http://127.0.0.1:9090"},"limits":{"cacheMiB":64}}`)
	one := limit()
	require.GreaterOrEqual(t, one, int64(320+64))
	second := open(`{"prometheus":{"url":"http://127.0.0.1:9090"},"limits":{"cacheMiB":256}}`)
	require.Equal(t, one+256+256/modelsPart, limit())
	second.Dispose()
	require.Equal(t, one, limit())
	first.Dispose()
}
