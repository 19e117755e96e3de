package ingest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

type involvedObject struct {
	Kind, Name, Namespace lenient.Text
	Labels                map[string]lenient.Text
}

// appLabels name the service of an object, versionLabel its version.
var appLabels = []string{"app.kubernetes.io/name", "app"}

const versionLabel = "app.kubernetes.io/version"

func (o involvedObject) service() string {
	for _, label := range appLabels {
		if o.Labels[label] != "" {
			return string(o.Labels[label])
		}
	}
	return string(o.Name)
}

// fluxDeployed are the reasons of Flux' controllers for something that now runs.
var fluxDeployed = []string{"ReconciliationSucceeded", "InstallSucceeded", "UpgradeSucceeded", "RollbackSucceeded"}

// readFlux reads an event of Flux' notification controller: a Kustomization or
// HelmRelease of another revision.
func readFlux(raw []byte) (deployed, error) {
	var event struct {
		InvolvedObject  involvedObject
		Reason, Message lenient.Text
		Timestamp       lenient.Time
		Metadata        map[string]lenient.Text
	}
	if err := lenient.Unmarshal(raw, &event); err != nil {
		return deployed{}, err
	}
	kind := string(event.InvolvedObject.Kind)
	if !slices.Contains(fluxDeployed, string(event.Reason)) || kind != "Kustomization" && kind != "HelmRelease" {
		return deployed{}, errNotADeploy
	}
	revision := ""
	for name, value := range event.Metadata {
		if name == "revision" || strings.HasSuffix(name, "/revision") {
			revision = max(revision, string(value)) // either, the same on every replica
		}
	}
	object := string(event.InvolvedObject.Namespace + "/" + event.InvolvedObject.Name)
	return deployed{
		Service: event.InvolvedObject.service(), Version: shortRevision(revision), Environment: string(event.InvolvedObject.Namespace),
		Text: string(event.Message), Time: event.Timestamp.Time, ID: strings.Join([]string{"flux", kind, object, revision, string(event.Reason)}, " "),
	}, nil
}

// shortRevision is the version in a revision of Flux: the commit of
// "main@sha1:…", the version of a chart, "1.2.3" or "1.2.3+digest".
func shortRevision(revision string) string {
	if _, commit, is := strings.Cut(revision, "@sha1:"); is {
		return commit[:min(len(commit), 12)]
	}
	revision, _, _ = strings.Cut(revision, "@sha256:")
	version, _, _ := strings.Cut(revision, "+")
	return version
}

// readKubernetes reads an event of Kubernetes, as event exporters send it: a
// Deployment that begins a new replica set.
func readKubernetes(raw []byte) (deployed, error) {
	var event struct {
		InvolvedObject                involvedObject
		Reason, Message               lenient.Text
		FirstTimestamp, LastTimestamp lenient.Time
		EventTime                     lenient.Time
	}
	if err := lenient.Unmarshal(raw, &event); err != nil {
		return deployed{}, err
	}
	words := strings.Fields(string(event.Message))
	// "Scaled up replica set cart-6f8d9 from 0 to 1": one that had replicas before
	// is scaled, and not new.
	if event.InvolvedObject.Kind != "Deployment" || event.Reason != "ScalingReplicaSet" || len(words) < 7 ||
		words[1] != "up" || words[len(words)-4] != "from" || words[len(words)-3] != "0" {
		return deployed{}, errNotADeploy
	}
	replicaSet := words[len(words)-5]
	hash := strings.TrimPrefix(replicaSet, string(event.InvolvedObject.Name)+"-")
	at := event.FirstTimestamp.Time
	for _, other := range []lenient.Time{event.EventTime, event.LastTimestamp} {
		if at.IsZero() {
			at = other.Time
		}
	}
	return deployed{
		Service: event.InvolvedObject.service(), Version: string(cmp.Or(event.InvolvedObject.Labels[versionLabel], lenient.Text(hash))),
		Environment: string(event.InvolvedObject.Namespace), Time: at, ID: "kubernetes " + string(event.InvolvedObject.Namespace) + "/" + replicaSet,
	}, nil
}
