package grafana

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// TestKeep checks that a note is written once, and its end when it is known.
func TestKeep(t *testing.T) {
	type annotation struct {
		ID            int64
		Time, TimeEnd int64
		Text          string
		Tags          []string
	}
	var stored []annotation
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			found := []annotation{}
			for _, one := range stored {
				for _, tag := range one.Tags {
					if tag == r.URL.Query().Get("tags") {
						found = append(found, one)
					}
				}
			}
			require.NoError(t, json.NewEncoder(w).Encode(found))
		case http.MethodPost:
			var one annotation
			require.NoError(t, json.NewDecoder(r.Body).Decode(&one))
			one.ID = int64(len(stored) + 7)
			if one.TimeEnd == 0 {
				one.TimeEnd = one.Time
			}
			stored = append(stored, one)
			_, _ = w.Write([]byte(`{"id":7,"message":"Annotation added"}`))
		case http.MethodPatch:
			require.True(t, strings.HasSuffix(r.URL.Path, "/api/annotations/7"))
			require.NoError(t, json.NewDecoder(r.Body).Decode(&stored[0]))
			_, _ = w.Write([]byte(`{}`))
		}
	})
	note := upstream.Note{ID: "abc", Start: noon, Text: "cart 2.0.0", Tags: []string{"deploy", "service:cart"}}
	for i, want := range []bool{true, false} {
		written, err := c.Keep(context.Background(), note)
		require.NoError(t, err)
		require.Equal(t, want, written, i)
	}
	require.Len(t, stored, 1)
	require.Equal(t, []string{"deploy", "service:cart", "foresight-id:abc"}, stored[0].Tags)
	note.End = noon.Add(time.Hour)
	for _, want := range []bool{true, false} {
		written, err := c.Keep(context.Background(), note)
		require.NoError(t, err)
		require.Equal(t, want, written)
	}
	require.Equal(t, noon.Add(time.Hour).UnixMilli(), stored[0].TimeEnd)
}

func TestKeepFails(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte("[]"))
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"message":"You need permissions: annotations:create, not glsa_x"}`))
	})
	_, err := c.Keep(context.Background(), upstream.Note{ID: "abc", Start: noon})
	var known *upstream.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, upstream.Auth, known.Category)
	require.NotContains(t, err.Error(), "glsa_x")
}
