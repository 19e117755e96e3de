package ingest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// cloudEvent is an event in any of the modes of the HTTP binding.
type cloudEvent struct {
	ID, Source, Type, Subject lenient.Text
	Time                      lenient.Time
	Data                      json.RawMessage
	DataBase64                lenient.Text `json:"data_base64"`
}

// readCloudEvent reads an event in structured mode.
func readCloudEvent(raw []byte) (deployed, error) {
	var event cloudEvent
	if err := lenient.Unmarshal(raw, &event); err != nil {
		return deployed{}, err
	}
	if event.DataBase64 != "" {
		data, err := base64.StdEncoding.DecodeString(string(event.DataBase64))
		if err != nil {
			return deployed{}, errors.New("data_base64 is not base64")
		}
		event.Data = data
	}
	return event.deployed()
}

// isBinary says that an event's attributes are headers, and its data the body.
func isBinary(header http.Header) bool { return header.Get("Ce-Specversion") != "" }

// readBinary reads an event in binary mode. Headers are percent-encoded.
func readBinary(header http.Header, raw []byte) (deployed, error) {
	attribute := func(name string) lenient.Text {
		value := header.Get("Ce-" + name)
		if decoded, err := url.PathUnescape(value); err == nil {
			value = decoded
		}
		return lenient.Text(strings.TrimSpace(value))
	}
	event := cloudEvent{ID: attribute("Id"), Source: attribute("Source"), Type: attribute("Type"), Subject: attribute("Subject"), Data: raw}
	if text := attribute("Time"); text != "" {
		at, ok := lenient.ParseTime(string(text))
		if !ok {
			return deployed{}, fmt.Errorf("the header Ce-Time is %.60q, which is not a time like 2026-01-31T12:00:00Z", text)
		}
		event.Time.Time = at
	}
	d, err := event.deployed()
	if err != nil && !errors.Is(err, errNotADeploy) {
		return d, fmt.Errorf("the CloudEvent cannot be read: %w", err)
	}
	return d, err
}

// deployed is the deploy in an event's data: a CDEvent, or any sender's form.
func (e cloudEvent) deployed() (d deployed, err error) {
	switch {
	case strings.HasPrefix(string(e.Type), "dev.cdevents."):
		d, err = readCDEvent(e.Data)
	case len(e.Data) == 0:
	default:
		if d, err = read(http.Header{}, e.Data); err != nil && !errors.Is(err, errNotADeploy) {
			err = fmt.Errorf("data: %w", err)
		}
	}
	d.Service = cmp.Or(d.Service, string(e.Subject))
	if d.Time.IsZero() {
		d.Time = e.Time.Time
	}
	if e.ID != "" {
		d.ID = string(e.Source + " " + e.ID)
	}
	return d, err
}
