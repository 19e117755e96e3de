package api

import (
	"cmp"
	"context"
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
	ctx, cancel := context.WithTimeout(r.Context(), h.settings.Timeout)
	defer cancel()
	known := 0
	var failure error
	for _, note := range notes { // one that is refused keeps no other out
		new, err := h.settings.Journal.Keep(ctx, note)
		switch {
		case err != nil:
			backend.Logger.FromContext(ctx).Warn("A note was not kept", "id", note.ID, "error", err)
			failure = cmp.Or(failure, err)
		case new:
			written++
		default:
			known++
		}
	}
	if failure != nil {
		plainFailure(w, http.StatusBadGateway, fmt.Sprintf("%d of %d are kept: %v. %s", written+known, len(notes), failure, sendAgain))
		return written
	}
	reply(w, http.StatusOK, map[string]int{"kept": written, "known": known})
	return written
}

// sendAgain is advice to whoever told what could not be kept.
const sendAgain = "Send it again: what is kept already is not kept twice"

// identity is the same for equal parts, on every replica.
func identity(parts ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%q", parts)))
	return hex.EncodeToString(sum[:8])
}

// longestName is what the databases below Grafana take of a tag's value.
const longestName = 100

// name makes a foreign text fit for a tag.
func name(text string) string {
	return upstream.Clean(strings.ReplaceAll(text, ",", ";"), longestName)
}
