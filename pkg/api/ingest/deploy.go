package ingest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// deployed is a deploy that a pipeline reports.
type deployed struct {
	Service, Version, Environment, Text string
	Time                                time.Time
	// ID tells retries from deploys; empty where only the content does.
	ID string
	// untimed says that the sender named no time.
	untimed bool
}

// readPlain reads a deploy in Foresight's own form.
func readPlain(raw []byte) (deployed, error) {
	var plain struct {
		Service, Version, Environment, Text, ID lenient.Text
		Time                                    lenient.Time
	}
	err := lenient.Unmarshal(raw, &plain)
	return deployed{
		Service: string(plain.Service), Version: string(plain.Version), Environment: string(plain.Environment), Text: string(plain.Text),
		ID: string(plain.ID), Time: plain.Time.Time,
	}, err
}

// errNotADeploy is an event that is understood, and announces nothing.
var errNotADeploy = errors.New("no deploy")

// Deploy takes in a deploy: as plain JSON, as a CloudEvent (CDEvents
// among them), or as an event of Flagger. One that is new is announced to PagerDuty.
func (a *API) Deploy(w http.ResponseWriter, r *http.Request) {
	raw, status, err := respond.Body(w, r)
	if err != nil {
		respond.Error(w, status, err.Error())
		return
	}
	marker, err := readDeploy(r.Header, raw, a.Now())
	switch {
	case errors.Is(err, errNotADeploy):
		respond.JSON(w, http.StatusOK, map[string]int{"kept": 0, "known": 0})
		return
	case err != nil:
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	if a.save(w, r, nil, marker.annotation(a.DeployTag)) > 0 {
		a.Announcer.Announce(r.Context(), webhook.Event{
			Source: a.Source, Type: "foresight.deploy.v1", Subject: marker.Service, Time: marker.Time, Summary: marker.summary(),
			Data: map[string]string{"service": marker.Service, "version": marker.Version, "environment": marker.Environment},
		})
	}
}

// annotation is the deploy as it is saved; mark is the tag of deploys.
func (d deployed) annotation(mark string) annotation.Annotation {
	id := func(what string) string { return annotation.ID("deploy", d.Service, d.Version, d.Environment, what) }
	minute := func(ago int64) string { return id(strconv.FormatInt(d.Time.Unix()/60-ago, 10)) }
	one := annotation.Annotation{
		ID: minute(0), Start: d.Time, Text: d.summary(),
		Tags: annotation.Deploy{Service: d.Service, Version: d.Version, Environment: d.Environment}.Tags(mark),
	}
	if d.ID != "" {
		one.ID = id(d.ID)
	} else if d.untimed {
		for ago := range int64(retryMinutes) {
			one.Earlier = append(one.Earlier, minute(ago+1))
		}
	}
	return one
}

// retryMinutes is for how long the same deploy, sent without a time or an id of
// its own, is taken for a retry.
const retryMinutes = 10

func (d deployed) summary() string {
	return cmp.Or(d.Text, strings.TrimSpace(d.Service+" "+d.Version))
}

func readDeploy(header http.Header, raw []byte, now time.Time) (deployed, error) {
	var shape struct {
		SpecVersion *lenient.Text   `json:"specversion"`
		Context     json.RawMessage `json:"context"`
		Phase       *lenient.Text   `json:"phase"`
		Checksum    *lenient.Text   `json:"checksum"`
	}
	if err := lenient.Unmarshal(raw, &shape); err != nil {
		return deployed{}, fmt.Errorf("the body is not a JSON object: %w", err)
	}
	var marker deployed
	var err error
	switch {
	case shape.SpecVersion != nil:
		marker, err = readCloudEvent(raw)
	case header.Get("Ce-Specversion") != "" || len(shape.Context) > 0:
		marker, err = readCDEvent(raw)
	case shape.Phase != nil && shape.Checksum != nil:
		marker, err = readFlaggerEvent(raw)
	default:
		marker, err = readPlain(raw)
	}
	if err != nil {
		return deployed{}, err
	}
	if marker.Service = strings.TrimSpace(marker.Service); marker.Service == "" {
		return deployed{}, errors.New(`the service is missing: write {"service": "cart", "version": "2.0.0"}, or send a CloudEvent`)
	}
	if marker.Time.IsZero() {
		marker.Time, marker.untimed = now, true
	}
	if age := now.Sub(marker.Time); age > 365*24*time.Hour || age < -24*time.Hour {
		return deployed{}, fmt.Errorf("the deploy's time, %s, is not of this year", marker.Time.Format(time.RFC3339))
	}
	return marker, nil
}

// readCloudEvent reads a CloudEvent in its structured form. Its data is a
// CDEvent or plain.
func readCloudEvent(raw []byte) (deployed, error) {
	var event struct {
		ID, Source, Type lenient.Text
		Time             lenient.Time
		Data             json.RawMessage
	}
	if err := lenient.Unmarshal(raw, &event); err != nil {
		return deployed{}, fmt.Errorf("the CloudEvent cannot be read: %w", err)
	}
	var marker deployed
	var err error
	if strings.HasPrefix(string(event.Type), "dev.cdevents.") {
		marker, err = readCDEvent(event.Data)
	} else if marker, err = readPlain(event.Data); err != nil {
		err = fmt.Errorf("the CloudEvent's data cannot be read: %w", err)
	}
	if marker.Time.IsZero() {
		marker.Time = event.Time.Time
	}
	if event.ID != "" {
		marker.ID = string(event.Source + " " + event.ID)
	}
	return marker, err
}

// readCDEvent reads an event of a service that was deployed, upgraded or rolled
// back, in whatever version of the specification.
func readCDEvent(raw []byte) (deployed, error) {
	var event struct {
		Context struct {
			ID, Source, Type lenient.Text
			Timestamp        lenient.Time
		}
		Subject struct {
			ID      lenient.Text
			Content struct {
				ArtifactID  lenient.Text
				Environment struct{ ID lenient.Text }
			}
		}
	}
	if err := lenient.Unmarshal(raw, &event); err != nil {
		return deployed{}, fmt.Errorf("the CDEvent cannot be read: %w", err)
	}
	kind, found := strings.CutPrefix(string(event.Context.Type), "dev.cdevents.service.")
	what, _, _ := strings.Cut(kind, ".")
	if !found || what != "deployed" && what != "upgraded" && what != "rolledback" {
		return deployed{}, errNotADeploy
	}
	return deployed{
		Service: string(event.Subject.ID), Version: versionOf(string(event.Subject.Content.ArtifactID)), Environment: string(event.Subject.Content.Environment.ID),
		Time: event.Context.Timestamp.Time, Text: string(event.Subject.ID) + " " + what, ID: string(event.Context.Source + " " + event.Context.ID),
	}, nil
}

// versionOf is the version in a package URL, as pkg:oci/cart@sha256:…?tag=2.0.0
// or pkg:npm/cart@2.0.0.
func versionOf(artifact string) string {
	address, query, _ := strings.Cut(artifact, "?")
	if values, err := url.ParseQuery(query); err == nil && values.Get("tag") != "" {
		return values.Get("tag")
	}
	_, version, _ := strings.Cut(address, "@")
	return version
}

// readFlaggerEvent reads what Flagger tells its event webhooks: the begin of a
// rollout is a deploy, all else is progress. The checksum names the revision.
func readFlaggerEvent(raw []byte) (deployed, error) {
	var event struct {
		Name, Namespace, Phase, Checksum lenient.Text
		Metadata                         map[string]lenient.Text
	}
	if err := lenient.Unmarshal(raw, &event); err != nil {
		return deployed{}, fmt.Errorf("the event of Flagger cannot be read: %w", err)
	}
	message := string(event.Metadata["eventMessage"])
	if !strings.HasPrefix(message, "New revision detected") {
		return deployed{}, errNotADeploy
	}
	marker := deployed{
		Service: string(cmp.Or(event.Metadata["service"], event.Name)), Version: string(event.Metadata["version"]), Environment: string(event.Namespace),
		Text: message, ID: string(event.Namespace + "/" + event.Name + " " + event.Checksum),
	}
	if milliseconds, err := strconv.ParseInt(string(event.Metadata["timestamp"]), 10, 64); err == nil {
		marker.Time = time.UnixMilli(milliseconds).UTC()
	}
	return marker, nil
}
