package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// maxBatch bounds the elements of one request.
const maxBatch = 100

// sender is a tool whose own notifications are read as they are.
type sender struct {
	name  string
	sends func(http.Header, outline) bool
	read  func([]byte) (deployed, error)
}

// outline is what tells the bodies of senders apart.
type outline struct {
	SpecVersion    *lenient.Text `json:"specversion"`
	Context        json.RawMessage
	Phase          *lenient.Text
	Checksum       *lenient.Text
	ObjectKind     lenient.Text `json:"object_kind"`
	InvolvedObject json.RawMessage
	Accesses       json.RawMessage
	Build          json.RawMessage
	Flag           *lenient.Text

	ReportingController lenient.Text
}

// senders in the order in which they are tried; what none of them sends is in
// Foresight's own form. GitHub names its events in a header.
func senders(header http.Header) []sender {
	readGitHub := func(raw []byte) (deployed, error) { return readGitHub(header.Get("X-GitHub-Event"), raw) }
	return []sender{
		{"CloudEvent", func(_ http.Header, o outline) bool { return o.SpecVersion != nil }, readCloudEvent},
		{"event of GitHub", func(h http.Header, _ outline) bool { return h.Get("X-GitHub-Event") != "" }, readGitHub},
		{"event of GitLab", func(_ http.Header, o outline) bool { return o.ObjectKind != "" }, readGitLab},
		{"event of Flux", func(_ http.Header, o outline) bool {
			return len(o.InvolvedObject) > 0 && strings.HasSuffix(string(o.ReportingController), "-controller")
		}, readFlux},
		{"event of Kubernetes", func(_ http.Header, o outline) bool { return len(o.InvolvedObject) > 0 }, readKubernetes},
		{"change of LaunchDarkly", func(_ http.Header, o outline) bool { return len(o.Accesses) > 0 }, readLaunchDarkly},
		{"build of Jenkins", func(_ http.Header, o outline) bool { return strings.HasPrefix(string(o.Build), "{") }, readJenkins},
		{"CDEvent", func(_ http.Header, o outline) bool { return len(o.Context) > 0 }, readCDEvent},
		{"event of Flagger", func(_ http.Header, o outline) bool { return o.Phase != nil && o.Checksum != nil }, readFlaggerEvent},
		{"flag", func(_ http.Header, o outline) bool { return o.Flag != nil }, readFlag},
	}
}

// read reads one announcement of any sender.
func read(header http.Header, raw []byte) (deployed, error) {
	if isBinary(header) {
		return readBinary(header, raw)
	}
	var o outline
	if err := lenient.Unmarshal(raw, &o); err != nil {
		return deployed{}, fmt.Errorf("the body is not a JSON object: %w", err)
	}
	for _, s := range senders(header) {
		if !s.sends(header, o) {
			continue
		}
		d, err := s.read(raw)
		if err != nil && !errors.Is(err, errNotADeploy) {
			return d, fmt.Errorf("the %s cannot be read: %w", s.name, err)
		}
		return d, err
	}
	return readPlain(raw)
}

// elements are those of a batch, or the one that a body is.
func elements(raw []byte) ([]json.RawMessage, error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if !strings.HasPrefix(strings.TrimSpace(string(raw)), "[") {
		return []json.RawMessage{raw}, nil
	}
	var all []json.RawMessage
	if err := lenient.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("the body is not a list of JSON objects: %w", err)
	}
	return all, nil
}
