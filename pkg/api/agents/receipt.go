package agents

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/engine"
)

// receipt proves which question was asked of which data, and what came out. Its ID
// holds the question itself, so that any replica can ask it again.
type receipt struct {
	ID string `json:"id"`
	// Hash is over question, window, version and answer.
	Hash    string `json:"hash"`
	Version string `json:"version"`
}

// asked is the question in a receipt's id.
type asked struct {
	Tool      string                     `json:"t"`
	Arguments map[string]json.RawMessage `json:"a"`
	From      int64                      `json:"f"` // seconds since the epoch
	To        int64                      `json:"u"`
	Version   string                     `json:"v"`
	Hash      string                     `json:"h"`
}

// answer asks a question and adds the receipt.
func (a *API) answer(ctx context.Context, q question) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	found, err := q.tool.answer(ctx, q.arguments, q.window)
	if err != nil {
		return answer{}, err
	}
	rendered := render(found)
	rendered.Question.Tool, rendered.Question.Arguments = q.tool.name, q.arguments
	rendered.Question.From, rendered.Question.To = q.window.From.UTC(), q.window.To.UTC()
	rendered.Receipt, err = receiptOf(rendered, q, version(ctx))
	return rendered, err
}

// receiptOf hashes what was asked and found. How the answer came about (executed
// queries, notices of caches) is no part of it.
func receiptOf(a answer, q question, version string) (receipt, error) {
	content, err := json.Marshal([]any{version, a.Question, a.Finding, a.Tables})
	if err != nil {
		return receipt{}, fmt.Errorf("the answer cannot be written as JSON: %w", err)
	}
	sum := sha256.Sum256(content)
	r := receipt{Hash: hex.EncodeToString(sum[:]), Version: version}
	raw, err := json.Marshal(asked{
		q.tool.name, q.arguments, q.window.From.Unix(), q.window.To.Unix(), version, r.Hash,
	})
	if err != nil {
		return receipt{}, err
	}
	var packed bytes.Buffer
	writer, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return receipt{}, err
	}
	if _, err := writer.Write(raw); err != nil {
		return receipt{}, err
	}
	if err := writer.Close(); err != nil {
		return receipt{}, err
	}
	r.ID = base64.RawURLEncoding.EncodeToString(packed.Bytes())
	return r, nil
}

// maxReceipt bounds the text in a receipt's id, in bytes.
const maxReceipt = maxArguments + 1<<10

// readReceipt reads an id.
func readReceipt(id string) (asked, error) {
	malformed := errors.New("this is no id of a receipt: copy all of receipt.id")
	packed, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil || len(packed) > maxReceipt {
		return asked{}, malformed
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxReceipt+1))
	if err != nil || len(raw) > maxReceipt {
		return asked{}, malformed
	}
	var a asked
	if err := json.Unmarshal(raw, &a); err != nil || a.Tool == "" || a.Hash == "" {
		return asked{}, malformed
	}
	return a, nil
}

// recomputed is the answer of the receipt's route.
type recomputed struct {
	// Same is true where the answer is what it was.
	Same    bool   `json:"same"`
	Was     string `json:"was"` // the hash then
	Version string `json:"version"`
	Reason  string `json:"reason,omitempty"` // why it may differ
	Answer  answer `json:"answer"`
}

// Receipt asks the question of a receipt again, of the same window, and compares
// the answers.
func (a *API) Receipt(w http.ResponseWriter, r *http.Request) {
	was, err := readReceipt(r.PathValue("id"))
	if err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	t, known := a.tools[was.Tool]
	if !known {
		respond.Error(w, http.StatusBadRequest, fmt.Sprintf("this version has no tool %.40q", was.Tool))
		return
	}
	// A receipt can be made up: it is checked as a question is.
	q, err := a.again(t, was)
	if err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	found, err := a.answer(r.Context(), q)
	if err != nil {
		respond.Failure(w, err)
		return
	}
	reply := recomputed{Same: found.Receipt.Hash == was.Hash, Was: was.Hash, Version: was.Version, Answer: found}
	switch {
	case reply.Same:
	case was.Version != found.Receipt.Version:
		reply.Reason = fmt.Sprintf("version %s answered then, %s now", was.Version, found.Receipt.Version)
	default:
		reply.Reason = "the data of the window are others now: samples or spans came late or are kept no longer, or the settings changed"
	}
	respond.JSON(w, http.StatusOK, reply)
}

func (a *API) again(t tool, was asked) (question, error) {
	arguments := map[string]json.RawMessage{}
	for name, value := range was.Arguments {
		arguments[name] = value
	}
	arguments["from"], arguments["to"] = timeJSON(time.Unix(was.From, 0)), timeJSON(time.Unix(was.To, 0))
	if t.fixed != nil { // it sets them itself
		delete(arguments, "from")
		delete(arguments, "to")
	}
	raw, err := json.Marshal(arguments)
	if err != nil {
		return question{}, err
	}
	q, err := a.read(t, raw)
	if err != nil {
		return q, err
	}
	q.window = engine.Window{From: time.Unix(was.From, 0).UTC(), To: time.Unix(was.To, 0).UTC(), Step: q.window.Step}
	if span := q.window.To.Sub(q.window.From); span <= 0 || span > maxSpan || q.window.To.After(a.Now()) {
		return q, errors.New("the window of this receipt cannot be asked for")
	}
	return q, nil
}
