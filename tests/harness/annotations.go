package harness

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Annotations is Grafana's API of annotations in memory. Each token is that of a
// service account with the role Editor in an organisation of its own, and sees
// that organisation's annotations alone.
type Annotations struct {
	mu     sync.Mutex
	last   int64
	stored map[string][]Annotation // by token, the oldest id first
}

// Annotation is one of them, as Grafana writes it.
type Annotation struct {
	ID      int64    `json:"id"`
	Time    int64    `json:"time"`    // milliseconds since the epoch
	TimeEnd int64    `json:"timeEnd"` // the begin for an instant
	Text    string   `json:"text"`
	Tags    []string `json:"tags"`
}

// AnnotationsPath is where Grafana serves them.
const AnnotationsPath = "/api/annotations"

// defaultLimit is how many Grafana lists where the asker does not say.
const defaultLimit = 100

// NewAnnotations makes one organisation for each token.
func NewAnnotations(tokens ...string) *Annotations {
	a := &Annotations{stored: map[string][]Annotation{}}
	for _, token := range tokens {
		a.Admit(token)
	}
	return a
}

// Admit adds an organisation.
func (a *Annotations) Admit(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stored[token] = []Annotation{}
}

// Add writes an annotation down.
func (a *Annotations) Add(token string, one Annotation) (id int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	one.ID, one.TimeEnd = a.last, cmp.Or(one.TimeEnd, one.Time)
	a.stored[token] = append(a.stored[token], one)
	return one.ID
}

// Of are the annotations of an organisation.
func (a *Annotations) Of(token string) []Annotation {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.stored[token])
}

// ServeHTTP implements http.Handler.
func (a *Annotations) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reply := func(status int, body any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	say := func(status int, message string) { reply(status, map[string]any{"message": message}) }
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	a.mu.Lock()
	_, known := a.stored[token]
	a.mu.Unlock()
	if !known {
		say(http.StatusUnauthorized, "Invalid API key")
		return
	}
	named, single := strings.CutPrefix(r.URL.Path, AnnotationsPath+"/")
	id, err := strconv.ParseInt(named, 10, 64)
	if single && err != nil || !single && r.URL.Path != AnnotationsPath {
		say(http.StatusNotFound, "Not found")
		return
	}
	var sent Annotation
	if r.Method == http.MethodPost || r.Method == http.MethodPatch {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			say(http.StatusBadRequest, "bad request data")
			return
		}
	}
	switch {
	case r.Method == http.MethodGet && !single:
		reply(http.StatusOK, a.list(token, r))
	case r.Method == http.MethodPost && !single && sent.Text == "":
		say(http.StatusBadRequest, "Failed to save annotation: text field should not be empty")
	case r.Method == http.MethodPost && !single:
		reply(http.StatusOK, map[string]any{"message": "Annotation added", "id": a.Add(token, sent)})
	case r.Method == http.MethodPatch && single:
		a.change(token, id, func(at int) { a.patch(&a.stored[token][at], sent) }, "Annotation patched", say)
	case r.Method == http.MethodDelete && single:
		a.change(token, id, func(at int) { a.stored[token] = slices.Delete(a.stored[token], at, at+1) }, "Annotation deleted", say)
	default:
		say(http.StatusMethodNotAllowed, fmt.Sprintf("%s is not allowed", r.Method))
	}
}

// list is the newest annotations that a question asks for.
func (a *Annotations) list(token string, r *http.Request) []Annotation {
	query := r.URL.Query()
	number := func(name string) int64 {
		value, _ := strconv.ParseInt(query.Get(name), 10, 64)
		return value
	}
	from, to, tags, limit := number("from"), number("to"), query["tags"], int(cmp.Or(number("limit"), defaultLimit))
	found := []Annotation{}
	for _, one := range a.Of(token) {
		carries := func(tag string) bool { return slices.Contains(one.Tags, tag) }
		lacks := func(tag string) bool { return !carries(tag) }
		wanted := !slices.ContainsFunc(tags, lacks)
		if query.Get("matchAny") == "true" {
			wanted = len(tags) == 0 || slices.ContainsFunc(tags, carries)
		}
		if wanted && (from == 0 || to == 0 || one.Time <= to && one.TimeEnd >= from) {
			found = append(found, one)
		}
	}
	slices.SortStableFunc(found, func(x, y Annotation) int { return cmp.Compare(y.TimeEnd, x.TimeEnd) })
	return found[:min(len(found), limit)]
}

func (a *Annotations) change(token string, id int64, do func(at int), done string, say func(int, string)) {
	a.mu.Lock()
	at := slices.IndexFunc(a.stored[token], func(one Annotation) bool { return one.ID == id })
	if at >= 0 {
		do(at)
	}
	a.mu.Unlock()
	if at < 0 {
		say(http.StatusNotFound, "Could not find annotation to update")
		return
	}
	say(http.StatusOK, done)
}

// patch changes what is given.
func (*Annotations) patch(one *Annotation, sent Annotation) {
	one.Time, one.TimeEnd, one.Text = cmp.Or(sent.Time, one.Time), cmp.Or(sent.TimeEnd, one.TimeEnd), cmp.Or(sent.Text, one.Text)
	if sent.Tags != nil {
		one.Tags = sent.Tags
	}
}
