package frames_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
)

func links(all data.Frames, column string) (titles []string, found []data.DataLink) {
	for _, frame := range all {
		if field, _ := frame.FieldByName(column); field != nil && field.Config != nil {
			for _, link := range field.Config.Links {
				titles, found = append(titles, link.Title), append(found, link)
			}
		}
	}
	return titles, found
}

// TestLinkTraces checks that ids and TraceQL lead to the data source of traces,
// and that the address of a pair is one that Grafana can fill in.
func TestLinkTraces(t *testing.T) {
	made := func() data.Frames {
		all, err := frames.TraceDiff(someTraceDiff(), query.TraceDiff{}, query.Panel)
		require.NoError(t, err)
		return all
	}
	all := made()
	frames.LinkTraces(all, frames.TraceSource{})
	titles, _ := links(all, "candidate_trace")
	require.Empty(t, titles, "no data source, no links")

	frames.LinkTraces(all, frames.TraceSource{UID: "my-tempo", Type: "tempo"})
	titles, found := links(all, "candidate_trace")
	require.Equal(t, []string{"View trace", "Compare the pair"}, titles)
	require.Equal(t, "my-tempo", found[0].Internal.DatasourceUID)
	require.Equal(t, map[string]any{"refId": "A", "query": "${__value.raw}", "queryType": "traceql",
		"datasource": map[string]any{"type": "tempo", "uid": "my-tempo"}}, found[0].Internal.Query)
	titles, _ = links(all, "candidate_traceql")
	require.Equal(t, []string{"Show such traces"}, titles)

	filled := strings.NewReplacer("${__data.fields.baseline_trace}", "aaaa", "${__data.fields.candidate_trace}", "bbbb", "${__from}", "1", "${__to}", "2").Replace(found[1].URL)
	require.NotContains(t, filled, "$")
	address, err := url.Parse(filled)
	require.NoError(t, err)
	require.Equal(t, "/explore", address.Path)
	var panes map[string]struct {
		Datasource string
		Queries    []struct{ Query, QueryType string }
		Range      struct{ From, To string }
	}
	require.NoError(t, json.Unmarshal([]byte(address.Query().Get("panes")), &panes))
	require.Len(t, panes, 2)
	for side, id := range map[string]string{"baseline": "aaaa", "candidate": "bbbb"} {
		require.Equal(t, "my-tempo", panes[side].Datasource)
		require.Equal(t, id, panes[side].Queries[0].Query)
		require.Equal(t, "traceql", panes[side].Queries[0].QueryType)
		require.Equal(t, "1", panes[side].Range.From)
	}

	all = made()
	frames.LinkTraces(all, frames.TraceSource{UID: "my-jaeger", Type: "jaeger"})
	_, found = links(all, "candidate_trace")
	require.NotContains(t, found[0].Internal.Query, "queryType")
	titles, _ = links(all, "candidate_traceql")
	require.Empty(t, titles, "Jaeger has no TraceQL")
}

// TestExplainLinks: a series of an anomaly panel leads to its labels.
func TestExplainLinks(t *testing.T) {
	q := query.Anomaly{Expr: "latency", Filters: []query.Filter{{Key: "env", Value: "prod"}}}
	shaped, err := frames.Anomaly(someAnomaly(), q, query.Panel)
	require.NoError(t, err)
	frames.LinkExplain(shaped, "", q)
	require.Empty(t, shaped[0].Fields[1].Config.Links)
	frames.LinkExplain(shaped, "foresight", q)
	links := shaped[0].Fields[1].Config.Links
	require.Len(t, links, 1)
	require.Equal(t, "foresight", links[0].Internal.DatasourceUID)
	queried, is := links[0].Internal.Query.(map[string]any)
	require.True(t, is)
	require.Equal(t, "explain", queried["queryType"])
	require.Contains(t, queried["filters"], query.Filter{Key: "service_name", Value: "checkout"})
	require.Contains(t, queried["filters"], query.Filter{Key: "env", Value: "prod"})
	require.Empty(t, shaped[0].Fields[2].Config.Links, "what is expected needs no explanation")
}
