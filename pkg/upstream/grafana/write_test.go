package grafana

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
	"github.com/foresight-observability/foresight/tests/harness"
)

// book is Grafana as the table of faults has it, behind what a test puts before
// it.
func book(t *testing.T, before func(w http.ResponseWriter, r *http.Request, pass http.Handler)) (*Client, func() []harness.Annotation) {
	t.Helper()
	const token = "glsa_x"
	kept := harness.NewAnnotations(token)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { before(w, r, kept) }))
	t.Cleanup(server.Close)
	c, err := New(transport.Config{Mode: transport.Direct, URL: server.URL, BearerToken: token}, transport.Limits{}, []string{"deploy"})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c, func() []harness.Annotation { return kept.Of(token) }
}

func through(w http.ResponseWriter, r *http.Request, pass http.Handler) { pass.ServeHTTP(w, r) }

func someDeploy() annotation.Annotation {
	return annotation.Annotation{ID: "abc", Start: noon, Text: "cart 2.0.0", Tags: []string{"deploy", "service:cart"}}
}

// TestUpsert checks that a note is written once, and its end when it is known.
func TestUpsert(t *testing.T) {
	c, stored := book(t, through)
	note := someDeploy()
	for i, want := range []bool{true, false} {
		written, err := c.Upsert(context.Background(), note)
		require.NoError(t, err)
		require.Equal(t, want, written, i)
	}
	require.Len(t, stored(), 1)
	require.Equal(t, []string{"deploy", "service:cart", "foresight-id:abc"}, stored()[0].Tags)
	note.End = noon.Add(time.Hour)
	for _, want := range []bool{true, false} {
		written, err := c.Upsert(context.Background(), note)
		require.NoError(t, err)
		require.Equal(t, want, written)
	}
	require.Equal(t, noon.Add(time.Hour).UnixMilli(), stored()[0].TimeEnd)
	note.ID, note.Earlier = "def", []string{"cde", "abc"}
	written, err := c.Upsert(context.Background(), note)
	require.NoError(t, err)
	require.False(t, written, "it was told before under another id")
	require.Len(t, stored(), 1)
	_, err = c.Upsert(context.Background(), annotation.Annotation{ID: "wordless", Start: noon, Text: " \n", Tags: []string{"alert"}})
	require.NoError(t, err, "Grafana refuses an annotation without a text")
	require.Len(t, stored(), 2)
}

// TestAWriteWhoseAnswerIsLost checks that what counts is what Grafana shows.
func TestAWriteWhoseAnswerIsLost(t *testing.T) {
	c, stored := book(t, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.Method == http.MethodGet {
			pass.ServeHTTP(w, r)
			return
		}
		pass.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	for _, want := range []bool{true, false} {
		written, err := c.Upsert(context.Background(), someDeploy())
		require.NoError(t, err)
		require.Equal(t, want, written)
		require.Len(t, stored(), 1)
	}
	ended := someDeploy()
	ended.End = noon.Add(time.Minute)
	for _, want := range []bool{true, false} {
		written, err := c.Upsert(context.Background(), ended)
		require.NoError(t, err)
		require.Equal(t, want, written)
		require.Equal(t, ended.End.UnixMilli(), stored()[0].TimeEnd)
	}
}

// TestAWriteThatIsSwallowed checks that an answer which is not Grafana's does not
// pass for one.
func TestAWriteThatIsSwallowed(t *testing.T) {
	for name, answer := range map[string]string{"nothing": "", "another": `{"status":"ok"}`, "no object": "7", "garbage": "{{"} {
		t.Run(name, func(t *testing.T) {
			swallowing := true
			c, stored := book(t, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
				if r.Method == http.MethodGet || !swallowing {
					pass.ServeHTTP(w, r)
					return
				}
				_, _ = w.Write([]byte(answer))
			})
			_, err := c.Upsert(context.Background(), someDeploy())
			var known *upstream.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, upstream.Malformed, known.Category)
			require.Empty(t, stored())
			swallowing = false
			written, err := c.Upsert(context.Background(), someDeploy())
			require.NoError(t, err)
			require.True(t, written)
			require.Len(t, stored(), 1)
		})
	}
}

// TestReplicasKeepOnce lets replicas write the same at the same moment: one note
// stays, and one of them wrote it.
func TestReplicasKeepOnce(t *testing.T) {
	const replicas = 4
	var looked sync.WaitGroup
	looked.Add(replicas)
	c, stored := book(t, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.Method == http.MethodPost { // all have found nothing by then
			looked.Done()
			looked.Wait()
		}
		pass.ServeHTTP(w, r)
	})
	var wrote [replicas]bool
	var group sync.WaitGroup
	for i := range replicas {
		group.Go(func() {
			var err error
			if wrote[i], err = c.Upsert(context.Background(), someDeploy()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	require.Len(t, stored(), 1)
	writers := 0
	for _, one := range wrote {
		if one {
			writers++
		}
	}
	require.Equal(t, 1, writers)
}

// TestANoteThatStandsTwice checks that readers take two for one, and that
// whoever tells it again leaves one: Grafana may carry out a request long after
// it was given up.
func TestANoteThatStandsTwice(t *testing.T) {
	c, stored := book(t, through)
	note := someDeploy()
	note.End = noon.Add(10 * time.Minute)
	_, err := c.Upsert(context.Background(), note)
	require.NoError(t, err)
	late := map[string]any{"time": noon.UnixMilli(), "text": note.Text, "tags": stored()[0].Tags}
	require.NoError(t, c.send(context.Background(), http.MethodPost, c.transport.URL("/api/annotations", nil), late, &json.RawMessage{}))
	require.Len(t, stored(), 2)
	all, _, err := c.Read(context.Background(), noon.Add(-time.Hour), noon.Add(time.Hour))
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, note.End, all[0].End, "the one that knows its end")
	written, err := c.Upsert(context.Background(), note)
	require.NoError(t, err)
	require.False(t, written)
	require.Len(t, stored(), 1)
	require.Equal(t, note.End.UnixMilli(), stored()[0].TimeEnd)
}

func TestUpsertFails(t *testing.T) {
	c, stored := book(t, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.Method == http.MethodGet {
			pass.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"message":"You need permissions: annotations:create, not glsa_x"}`))
	})
	_, err := c.Upsert(context.Background(), someDeploy())
	var known *upstream.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, upstream.Auth, known.Category)
	require.NotContains(t, err.Error(), "glsa_x")
	require.Empty(t, stored())
}
