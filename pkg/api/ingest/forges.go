package ingest

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// readGitHub reads a webhook of GitHub: a deployment that succeeded, or a release
// that was published. The repository stands for the service where the
// deployment's payload names none.
func readGitHub(event string, raw []byte) (deployed, error) {
	var body struct {
		Action     lenient.Text
		Repository struct{ Name lenient.Text }
		Deployment struct {
			ID, Ref, Sha, Environment, Description lenient.Text
			Payload                                json.RawMessage
		}
		DeploymentStatus struct {
			State, Environment lenient.Text
			CreatedAt          lenient.Time `json:"created_at"`
		} `json:"deployment_status"`
		Release struct {
			ID          lenient.Text
			TagName     lenient.Text `json:"tag_name"`
			Name        lenient.Text
			PublishedAt lenient.Time `json:"published_at"`
		}
	}
	if err := lenient.Unmarshal(raw, &body); err != nil {
		return deployed{}, err
	}
	repository := string(body.Repository.Name)
	switch {
	case event == "deployment_status" && body.DeploymentStatus.State == "success":
		named := githubPayload(body.Deployment.Payload)
		return deployed{
			Service: cmp.Or(string(named.Service), repository), Version: cmp.Or(string(named.Version), refName(string(body.Deployment.Ref), string(body.Deployment.Sha))),
			Environment: string(cmp.Or(body.DeploymentStatus.Environment, body.Deployment.Environment)), Text: string(body.Deployment.Description),
			Time: body.DeploymentStatus.CreatedAt.Time, ID: "github " + string(body.Deployment.ID),
		}, nil
	case event == "release" && (body.Action == "published" || body.Action == "released"):
		return deployed{
			Service: repository, Version: string(body.Release.TagName), Text: strings.TrimSpace(repository + " " + string(cmp.Or(body.Release.Name, body.Release.TagName))),
			Time: body.Release.PublishedAt.Time, ID: "github release " + string(body.Release.ID),
		}, nil
	}
	return deployed{}, errNotADeploy
}

// payload is what a deployment of GitHub may name.
type payload struct{ Service, Version lenient.Text }

// githubPayload reads a deployment's payload: an object, or one as text. It is
// anyone's to fill, so that what it means else is nothing.
func githubPayload(raw json.RawMessage) (named payload) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	if lenient.Unmarshal(raw, &named) != nil {
		return payload{}
	}
	return named
}

// readGitLab reads a webhook of GitLab: a deployment that succeeded, or a release.
func readGitLab(raw []byte) (deployed, error) {
	var body struct {
		Kind            lenient.Text `json:"object_kind"`
		Status, Action  lenient.Text
		DeploymentID    lenient.Text `json:"deployment_id"`
		ID, Environment lenient.Text
		Ref             lenient.Text
		ShortSha        lenient.Text `json:"short_sha"`
		StatusChangedAt lenient.Time `json:"status_changed_at"`
		Tag, Name       any          // a text of releases, a boolean of deployments
		ReleasedAt      lenient.Time `json:"released_at"`
		Project         struct{ Name lenient.Text }
	}
	if err := lenient.Unmarshal(raw, &body); err != nil {
		return deployed{}, err
	}
	switch {
	case body.Kind == "deployment" && body.Status == "success":
		return deployed{
			Service: string(body.Project.Name), Version: refName(string(body.Ref), string(body.ShortSha)), Environment: string(body.Environment),
			Time: body.StatusChangedAt.Time, ID: "gitlab " + string(body.DeploymentID),
		}, nil
	case body.Kind == "release" && body.Action == "create":
		tag, _ := body.Tag.(string)
		return deployed{Service: string(body.Project.Name), Version: tag, Time: body.ReleasedAt.Time, ID: "gitlab release " + string(body.ID)}, nil
	}
	return deployed{}, errNotADeploy
}

// branches say nothing of the version.
var branches = map[string]bool{"main": true, "master": true, "develop": true, "HEAD": true, "": true}

// refName is the version that a ref names: a tag, or the commit of a branch.
func refName(ref, sha string) string {
	if tag, is := strings.CutPrefix(ref, "refs/tags/"); is {
		return tag
	}
	ref = strings.TrimPrefix(ref, "refs/heads/")
	if sha != "" && (branches[ref] || !strings.ContainsAny(ref, "0123456789")) {
		return sha[:min(len(sha), 12)]
	}
	return ref
}
