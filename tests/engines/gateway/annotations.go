package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// annotations are Grafana's annotations API in memory: what the plugin writes
// down, and what a test looks at.
type annotations struct {
	token  string // that may write
	mu     sync.Mutex
	stored []annotation
}

type annotation struct {
	ID      int64    `json:"id"`
	Time    int64    `json:"time"`
	TimeEnd int64    `json:"timeEnd"`
	Text    string   `json:"text"`
	Tags    []string `json:"tags"`
}

func (a *annotations) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.Header.Get("Authorization") != "Bearer "+a.token {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"message":"You'll need additional permissions: annotations:create"}`))
		return
	}
	switch r.Method {
	case http.MethodGet:
		found := []annotation{}
		for _, one := range a.stored {
			if wanted := r.URL.Query()["tags"]; !slices.ContainsFunc(wanted, func(tag string) bool { return !slices.Contains(one.Tags, tag) }) {
				found = append(found, one)
			}
		}
		_ = json.NewEncoder(w).Encode(found)
		return
	case http.MethodPost:
		one := annotation{ID: int64(len(a.stored) + 1)}
		if json.NewDecoder(r.Body).Decode(&one) == nil {
			a.stored = append(a.stored, one)
		}
	case http.MethodPatch:
		_, id, _ := strings.Cut(r.URL.Path, "/api/annotations/")
		if i, err := strconv.Atoi(id); err == nil && i >= 1 && i <= len(a.stored) {
			_ = json.NewDecoder(r.Body).Decode(&a.stored[i-1])
		}
	}
	_, _ = w.Write([]byte(`{"message":"done"}`))
}
