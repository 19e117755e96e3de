package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// What is told to Foresight is kept in Grafana, as annotations: Foresight itself
// keeps nothing, and every replica reads the same.

// editors lets those in who may write: everyone who can view a data source can
// call its routes.
func editors(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if user := httpadapter.UserFromContext(r.Context()); user == nil || user.Role != "Editor" && user.Role != "Admin" {
			plainFailure(w, http.StatusForbidden, "this writes, which needs the role Editor or Admin")
			return
		}
		handler(w, r)
	}
}

// keep writes notes down, answers with how many were new, and returns that.
func (h *Hooks) keep(w http.ResponseWriter, r *http.Request, notes ...upstream.Note) (written int) {
	if h.settings.Journal == nil {
		plainFailure(w, http.StatusNotImplemented, "there is nowhere to keep this: set grafana.url, and grafanaToken of a service account with the role Editor")
		return 0
	}
	for _, note := range notes {
		new, err := h.settings.Journal.Keep(r.Context(), note)
		if err != nil {
			backend.Logger.FromContext(r.Context()).Warn("A note was not kept", "id", note.ID, "error", err)
			plainFailure(w, http.StatusBadGateway, err.Error())
			return written
		}
		if new {
			written++
		}
	}
	reply(w, http.StatusOK, map[string]int{"kept": written, "known": len(notes) - written})
	return written
}

// identity is the same for equal parts, on every replica.
func identity(parts ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%q", parts)))
	return hex.EncodeToString(sum[:8])
}

const longestName = 200

// name makes a foreign text fit for a tag.
func name(text string) string {
	return upstream.Clean(strings.ReplaceAll(text, ",", ";"), longestName)
}
