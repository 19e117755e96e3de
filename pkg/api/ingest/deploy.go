package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"mime"
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
	// change is the kind of a change that is no deploy; empty for a deploy.
	change string
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

// Deploy takes in deploys and changes of flags: as plain JSON, as CloudEvents in
// any mode (CDEvents among them), or as the senders of senders.go write them; one,
// or a list. The service, version and environment may stand in the query, the
// service also in the path. Deploys that are new are announced to PagerDuty.
func (a *API) Deploy(w http.ResponseWriter, r *http.Request) {
	raw, status, err := respond.Body(w, r)
	if err != nil {
		respond.Error(w, status, err.Error())
		return
	}
	all, problems, err := readDeploys(r.Header, unwrapped(r.Header, raw), namedIn(r), a.Now())
	if err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	if len(all) == 0 {
		respond.JSON(w, http.StatusOK, saved{Problems: problems})
		return
	}
	annotations := make([]annotation.Annotation, len(all))
	for i, marker := range all {
		annotations[i] = marker.annotation(a.DeployTag)
	}
	created := a.save(w, r, problems, annotations...)
	for i, marker := range all {
		if !created[i] || marker.change != "" {
			continue
		}
		a.Announcer.Announce(r.Context(), webhook.Event{
			Source: a.Source, Type: "foresight.deploy.v1", Subject: marker.Service, Time: marker.Time, Summary: marker.summary(),
			Data: map[string]string{"service": marker.Service, "version": marker.Version, "environment": marker.Environment},
		})
	}
}

// unwrapped is the JSON of a request. GitHub, as it is set up by default, and
// others send it as the field payload of a form.
func unwrapped(header http.Header, raw []byte) []byte {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" {
		return raw
	}
	if form, err := url.ParseQuery(string(raw)); err == nil && form.Get("payload") != "" {
		return []byte(form.Get("payload"))
	}
	return raw
}

// namedIn is what the request's address says of the deploy, for senders whose
// bodies cannot be changed.
func namedIn(r *http.Request) deployed {
	queried := r.URL.Query()
	return deployed{
		Service: cmp.Or(r.PathValue("service"), queried.Get("service")), Version: queried.Get("version"), Environment: queried.Get("environment"),
	}
}

// readDeploys reads a request. One element of a list that cannot be read leaves
// the others; problems name it.
func readDeploys(header http.Header, raw []byte, named deployed, now time.Time) (all []deployed, problems []string, err error) {
	batch, err := elements(raw)
	if err != nil {
		return nil, nil, err
	}
	if more := len(batch) - maxBatch; more > 0 {
		problems = append(problems, fmt.Sprintf("%d of %d elements were left out: send at most %d at once", more, len(batch), maxBatch))
		batch = batch[:maxBatch]
	}
	for i, one := range batch {
		marker, err := readDeploy(header, one, named, now)
		switch {
		case errors.Is(err, errNotADeploy):
		case err != nil && len(batch) == 1:
			return nil, nil, err
		case err != nil:
			problems = append(problems, fmt.Sprintf("element %d: %v", i+1, err))
		default:
			all = append(all, marker)
		}
	}
	if len(all) == 0 && len(problems) > 0 {
		return nil, nil, errors.New(strings.Join(problems, "; "))
	}
	return all, problems, nil
}

// annotation is the deploy as it is saved; mark is the tag of deploys.
func (d deployed) annotation(mark string) annotation.Annotation {
	id := func(what string) string { return annotation.ID("deploy", d.Service, d.Version, d.Environment, what) }
	minute := func(ago int64) string { return id(strconv.FormatInt(d.Time.Unix()/60-ago, 10)) }
	if d.change != "" {
		mark = changeTag
	}
	one := annotation.Annotation{
		ID: minute(0), Start: d.Time, Text: d.summary(),
		Tags: annotation.Deploy{Service: d.Service, Version: d.Version, Environment: d.Environment}.Tags(mark),
	}
	if d.change != "" {
		one.Tags = append(one.Tags, d.change)
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

// changeTag marks changes that are no deploys.
const changeTag = "change"

// retryMinutes is for how long the same deploy, sent without a time or an id of
// its own, is taken for a retry.
const retryMinutes = 10

func (d deployed) summary() string {
	return cmp.Or(d.Text, strings.TrimSpace(d.Service+" "+d.Version))
}

func readDeploy(header http.Header, raw []byte, named deployed, now time.Time) (deployed, error) {
	marker, err := read(header, raw)
	if err != nil {
		return deployed{}, err
	}
	marker.Service = strings.TrimSpace(cmp.Or(named.Service, marker.Service))
	marker.Version, marker.Environment = cmp.Or(named.Version, marker.Version), cmp.Or(named.Environment, marker.Environment)
	if marker.Service == "" {
		return deployed{}, errors.New(`the service is missing: write {"service": "cart", "version": "2.0.0"}, send a CloudEvent, or add ?service=cart to the address`)
	}
	if marker.Time.IsZero() {
		marker.Time, marker.untimed = now, true
	}
	if age := now.Sub(marker.Time); age > 365*24*time.Hour || age < -24*time.Hour {
		return deployed{}, fmt.Errorf("the deploy's time, %s, is not of this year", marker.Time.Format(time.RFC3339))
	}
	return marker, nil
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
		return deployed{}, err
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
		return deployed{}, err
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
