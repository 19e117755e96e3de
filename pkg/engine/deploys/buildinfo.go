// Package deploys finds the versions of a service and when each was deployed:
// from traces, announcements and build metrics.
package deploys

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// Metrics know of deploys by information that changed: the image of a
// container (kube-state-metrics), the build that a program says it is
// (*_build_info), the resource of an OpenTelemetry target (target_info). And
// span metrics that distinguish versions may know a version before searches do.

// buildQuery counts, for a service or for all, who runs which build, and what
// each has counted of its spans.
func buildQuery(service string) string {
	container, job, name := `container!=""`, `job!=""`, `job!=""`
	if service != "" {
		container = "container=" + strconv.Quote(service)
		job = "job=~" + strconv.Quote("(.+/)?"+regexp.QuoteMeta(service))
		name = "service_name=" + strconv.Quote(service)
	}
	counts := []string{
		fmt.Sprintf("count by (container, image) (%s{%s})", wellknown.ContainerInfo, container),
		fmt.Sprintf(`count by (__name__, job, version) ({__name__=~".+_build_info", version!="", %s})`, job),
		fmt.Sprintf(`count by (job, service_version) (%s{service_version!="", %s})`, wellknown.TargetInfo, job),
	}
	if service != "" {
		counts = append(counts, fmt.Sprintf(`count by (__name__, service_name, version) ({__name__=~".+_build_info", version!="", %s})`, name))
	}
	counts = append(counts, "sum by (service, service_name, service_version) ("+SpanCalls(service, `service_version!=""`)+")")
	return strings.Join(counts, " or ")
}

// SpanCalls selects the counters of span metrics, under both their names, of a
// service or of all.
func SpanCalls(service, matcher string) string {
	var all []string
	for _, m := range wellknown.SpanCalls() {
		if service == "" {
			all = append(all, fmt.Sprintf("%s{%s}", m.Calls, matcher))
		} else {
			all = append(all, fmt.Sprintf("%s{%s=%s, %s}", m.Calls, m.Label, strconv.Quote(service), matcher))
		}
	}
	return strings.Join(all, " or ")
}

// builds are the deploys that metrics show on the grid, and the versions that
// span metrics show to have served.
func (e Detector) builds(ctx context.Context, service string, grid upstream.Range, basis *core.Provenance) (deploys, served []Deploy) {
	if e.Metrics == nil {
		return nil, nil
	}
	promQL := buildQuery(service)
	set, err := e.Metrics.QueryRange(ctx, promQL, grid)
	if err != nil {
		basis.AddNotice(fmt.Sprintf("Deploys that metrics show are unknown: %v", err))
		return nil, nil
	}
	basis.AddNotice(set.Warnings...)
	// Each kind of information is a history of its own: the version of a
	// library beside the program's is no deploy.
	kinds := map[string][]series.Series{}
	for _, one := range set.Series {
		kind, owner, version := buildOf(one.Labels)
		if owner == "" || version == "" {
			continue
		}
		counts := one
		if kind == spanMetrics {
			counts.Values = increments(one.Values)
		}
		counts.Labels = series.Labels{"service_name": owner, "service_version": version}
		kinds[kind] = append(kinds[kind], counts)
	}
	for kind, counts := range kinds {
		for _, d := range deploysFrom(counts) {
			if kind == spanMetrics {
				served = append(served, d)
			}
			if d.Arrived {
				d.Source, d.Note, d.InTraces, d.Share = FromMetrics, kind+changed, kind == spanMetrics, 0
				deploys = append(deploys, d)
			}
		}
	}
	if len(deploys) > 0 {
		basis.AddQuery("%s [%s to %s, step %s]", promQL, core.FormatTime(grid.Start), core.FormatTime(grid.End), grid.Step)
	}
	return deploys, served
}

// increments are by how much a sum of counters grew up to each step: its first
// value is counted, as a version's counters begin with it. A sum that falls has
// lost one of its counters, and says nothing; after a pause it begins anew.
func increments(sums []float64) []float64 {
	grown := make([]float64, len(sums))
	last, paused := 0.0, true
	for i, sum := range sums {
		if grown[i] = math.NaN(); math.IsNaN(sum) {
			paused = true
			continue
		}
		if sum < last && paused {
			last = 0
		}
		grown[i] = math.Max(0, sum-last)
		last, paused = sum, false
	}
	return grown
}

// spanMetrics is the kind of information that spans themselves give.
const spanMetrics = "span metrics"

const (
	changed            = " changed"
	spanMetricsChanged = spanMetrics + changed
)

// placeholders are what builds without a version call theirs.
var placeholders = map[string]bool{"(devel)": true, "unknown": true, "dev": true, "latest": true}

// buildOf reads one series of buildQuery.
func buildOf(labels series.Labels) (kind, owner, version string) {
	if owner = cmp.Or(labels["service_name"], labels["service"]); owner == "" {
		owner = labels["job"][strings.LastIndexByte(labels["job"], '/')+1:]
	}
	switch {
	case labels["image"] != "":
		kind, owner, version = wellknown.ContainerInfo, labels["container"], imageVersion(labels["image"])
	case labels["service_version"] != "" && labels["job"] == "":
		kind, version = spanMetrics, labels["service_version"]
	case labels["service_version"] != "":
		kind, version = wellknown.TargetInfo, labels["service_version"]
	default:
		kind, version = labels["__name__"], labels["version"]
	}
	if placeholders[version] {
		version = ""
	}
	return kind, owner, version
}

// imageVersion is the tag of an image or, without one, the beginning of its
// digest: "2.0.1" of "registry:5000/shop/orders:2.0.1@sha256:…".
func imageVersion(image string) string {
	name, digest, _ := strings.Cut(image, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		if tag := name[colon+1:]; !placeholders[tag] {
			return tag
		}
	}
	_, digest, _ = strings.Cut(digest, ":")
	return digest[:min(len(digest), 12)]
}
