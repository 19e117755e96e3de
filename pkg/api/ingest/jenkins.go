package ingest

import (
	"cmp"
	"strings"

	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// readJenkins reads a notification of Jenkins' Notification plugin: a build that
// succeeded. The parameters SERVICE, VERSION and ENVIRONMENT say what it
// deployed; else the job and the build's number do.
func readJenkins(raw []byte) (deployed, error) {
	var job struct {
		Name  lenient.Text
		Build struct {
			Number, Phase, Status lenient.Text
			FullURL               lenient.Text `json:"full_url"`
			URL                   lenient.Text
			Timestamp             lenient.Time
			Parameters            map[string]lenient.Text
		}
	}
	if err := lenient.Unmarshal(raw, &job); err != nil {
		return deployed{}, err
	}
	b := job.Build
	if b.Status != "SUCCESS" || b.Phase != "COMPLETED" && b.Phase != "FINALIZED" {
		return deployed{}, errNotADeploy
	}
	parameter := func(name string) string {
		return string(cmp.Or(b.Parameters[name], b.Parameters[strings.ToLower(name)]))
	}
	return deployed{
		Service: cmp.Or(parameter("SERVICE"), string(job.Name)), Version: cmp.Or(parameter("VERSION"), string(b.Number)),
		Environment: parameter("ENVIRONMENT"), Time: b.Timestamp.Time,
		ID: "jenkins " + string(cmp.Or(b.FullURL, b.URL, job.Name+" "+b.Number)), // both phases are sent
	}, nil
}
