package grafana

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

// TestMarkers checks the question that Grafana's annotations API is asked, and
// what is read off its answer.
func TestMarkers(t *testing.T) {
	at := func(minutes int) int64 { return noon.Add(time.Duration(minutes) * time.Minute).UnixMilli() }
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/sub/api/annotations", r.URL.Path)
		require.Equal(t, "Bearer glsa_x", r.Header.Get("Authorization"))
		query := r.URL.Query()
		require.Equal(t, []string{"deploy", "release"}, query["tags"])
		require.Equal(t, "true", query.Get("matchAny"))
		require.Equal(t, "annotation", query.Get("type"))
		require.Equal(t, fmt.Sprint(at(-60)), query.Get("from"))
		require.Equal(t, fmt.Sprint(at(0)), query.Get("to"))
		_, _ = fmt.Fprintf(w, `[
			{"id": 3, "time": %d, "text": "orders\n2.0.0", "tags": ["deploy", "service:orders", "version=2.0.0"]},
			{"id": 2, "time": %d, "timeEnd": %d, "text": "x", "tags": ["release", "cart", "env:prod"], "newState": "", "dashboardUID": null},
			{"id": 1, "time": %d, "timeEnd": %d, "tags": ["deploy"]},
			{"id": 4, "time": %d, "tags": ["foresight:false", "service:cart"]},
			{"id": 0, "time": %d, "tags": null}
		]`, at(-10), at(-20), at(-5), at(-90), at(-30), at(-8), at(5))
	})
	markers, warnings, err := c.Markers(context.Background(), noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, []upstream.Marker{
		{At: noon.Add(-20 * time.Minute), End: noon.Add(-5 * time.Minute), Text: "x", Words: []string{"cart"}},
		{Service: "orders", Version: "2.0.0", At: noon.Add(-10 * time.Minute), Text: "orders 2.0.0"},
		{Service: "cart", At: noon.Add(-8 * time.Minute), Verdict: "false"},
	}, markers)
}

// TestMarkersFail checks what a person is told of a Grafana that does not
// answer as it should.
func TestMarkersFail(t *testing.T) {
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
			_, _, err := client(t, c.answer).Markers(context.Background(), noon.Add(-time.Hour), noon)
			var known *upstream.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, c.want, known.Category, known)
			require.NotContains(t, err.Error(), "glsa_x")
		})
	}
	_, warnings, err := client(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("[" + strings.TrimSuffix(strings.Repeat(`{"time": 1},`, mostAnnotations), ",") + "]"))
	}).Markers(context.Background(), noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	_, err = New(transport.Config{Mode: transport.Direct, URL: "grafana"}, transport.Limits{}, nil)
	require.Error(t, err)
}

// FuzzMarkers reads answers of any kind: markers, or an error of a category.
func FuzzMarkers(f *testing.F) {
	f.Add([]byte(`[{"time": 1795176000000, "timeEnd": 9223372036854775807, "text": "x", "tags": ["deploy", "service:cart", "version=2", "foresight:true"]}]`))
	f.Add([]byte(`[null, {"tags": null}, {"time": -1}]`))
	f.Add([]byte(`{"message": "no"}`))
	var body []byte
	c := client(f, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	f.Fuzz(func(t *testing.T, input []byte) {
		body = input
		markers, _, err := c.Markers(context.Background(), noon.Add(-time.Hour), noon)
		var known *upstream.Error
		if err != nil && !errors.As(err, &known) {
			t.Fatal(err)
		}
		for _, one := range markers {
			if len(one.Text) > longestText || one.At.Before(noon.Add(-time.Hour)) || one.At.After(noon) || !one.End.IsZero() && one.End.Before(one.At) {
				t.Fatalf("%+v", one)
			}
		}
	})
}

// FuzzRead checks that any tags and text make a marker.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"service:orders", "=", ":", "version=\xff", "deploy", "a=b=c"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, tag, text string) {
		c := Client{tags: []string{"deploy"}}
		marker := c.read(annotationJSON{Text: text, Tags: []string{tag, "service:" + tag}}, noon)
		require.LessOrEqual(t, len(marker.Text), longestText)
		require.True(t, marker.At.Equal(noon))
	})
}
