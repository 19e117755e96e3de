package grafana

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func client(t testing.TB, answer http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	c, err := New(transport.Config{Mode: transport.Direct, URL: server.URL + "/sub", BearerToken: "glsa_x"}, transport.Limits{}, []string{"deploy", "release"})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// TestRead checks the question that Grafana's annotations API is asked, and
// what is read off its answer.
func TestRead(t *testing.T) {
	at := func(minutes int) int64 { return noon.Add(time.Duration(minutes) * time.Minute).UnixMilli() }
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/sub/api/annotations", r.URL.Path)
		require.Equal(t, "Bearer glsa_x", r.Header.Get("Authorization"))
		query := r.URL.Query()
		require.Equal(t, []string{"deploy", "release"}, query["tags"])
		require.Equal(t, "true", query.Get("matchAny"))
		require.Equal(t, "annotation", query.Get("type"))
		require.Equal(t, strconv.FormatInt(at(-60), 10), query.Get("from"))
		require.Equal(t, strconv.FormatInt(at(0), 10), query.Get("to"))
		_, _ = fmt.Fprintf(w, `[
			{"id": 3, "time": %d, "text": "orders\n2.0.0", "tags": ["deploy", "service:orders", "version=2.0.0", "foresight-id:abc"]},
			{"id": 2, "time": %d, "timeEnd": %d, "text": "x", "tags": ["release", "cart", "env:prod"], "newState": "", "dashboardUID": null},
			{"id": 1, "time": %d, "timeEnd": %d, "tags": ["deploy"]},
			{"id": 4, "time": %d, "tags": ["foresight:false", "service:cart"]},
			{"id": 0, "time": %d, "tags": null}
		]`, at(-10), at(-20), at(-5), at(-90), at(-30), at(-8), at(5))
	})
	all, warnings, err := c.Read(context.Background(), noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, []annotation.Annotation{
		{Start: noon.Add(-20 * time.Minute), End: noon.Add(-5 * time.Minute), Text: "x", Tags: []string{"release", "cart", "env:prod"}},
		{Start: noon.Add(-10 * time.Minute), Text: "orders 2.0.0", Tags: []string{"deploy", "service:orders", "version=2.0.0", "foresight-id:abc"}, ID: "abc"},
		{Start: noon.Add(-8 * time.Minute), Tags: []string{"foresight:false", "service:cart"}},
	}, all)
}

// TestReadFails checks what a person is told of a Grafana that does not
// answer as it should.
func TestReadFails(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   upstream.Category
	}{
		"denied":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, upstream.Auth},
		"no list":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"message": "hello"}`)) }, upstream.Malformed},
		"half":       {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`[{"time": 1`)) }, upstream.Malformed},
		"no numbers": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`[{"time": "soon"}]`)) }, upstream.Malformed},
		"broken":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, upstream.Server},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := client(t, c.answer).Read(context.Background(), noon.Add(-time.Hour), noon)
			var known *upstream.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, c.want, known.Category, known)
			require.NotContains(t, err.Error(), "glsa_x")
		})
	}
	_, warnings, err := client(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("[" + strings.TrimSuffix(strings.Repeat(`{"time": 1},`, maxAnnotations), ",") + "]"))
	}).Read(context.Background(), noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	_, err = New(transport.Config{Mode: transport.Direct, URL: "grafana"}, transport.Limits{}, nil)
	require.Error(t, err)
}

// FuzzRead reads answers of any kind: annotations, or an error of a category.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`[{"time": 1795176000000, "timeEnd": 9223372036854775807, "text": "x", "tags": ["deploy", "service:cart", "version=2", "foresight:true"]}]`))
	f.Add([]byte(`[null, {"tags": null}, {"time": -1}]`))
	f.Add([]byte(`{"message": "no"}`))
	var body []byte
	c := client(f, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	f.Fuzz(func(t *testing.T, input []byte) {
		body = input
		all, _, err := c.Read(context.Background(), noon.Add(-time.Hour), noon)
		var known *upstream.Error
		if err != nil && !errors.As(err, &known) {
			t.Fatal(err)
		}
		for _, one := range all {
			if len(one.Text) > maxText || one.Start.Before(noon.Add(-time.Hour)) || one.Start.After(noon) || !one.End.IsZero() && one.End.Before(one.Start) {
				t.Fatalf("%+v", one)
			}
		}
	})
}
