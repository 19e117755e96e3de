// Package mesh renders recommendations for circuit breakers as complete
// resources of Istio, Envoy, Linkerd, Kong and Resilience4j, each with the
// resource that reverts it. It applies nothing.
package mesh

import (
	"embed"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/foresight-observability/foresight/pkg/sizing"
)

// Target is whose breakers are rendered.
type Target struct {
	// Service is its name, which must be one of Kubernetes; Namespace is
	// "default" where it is empty, and Port 80 where it is 0.
	Service, Namespace string
	Port               int
	// Versions are those of the meshes, by name, as "1.24"; the newest where they
	// are not known.
	Versions map[string]string
	At       time.Time
}

// Resource is what one mesh reads.
type Resource struct {
	Mesh string
	// Apply and Revert are YAML; empty where there is a Problem.
	Apply, Revert string
	// Expires is until when the recommendation holds. Nothing reverts it by itself.
	Expires time.Time
	// Notes tell what this mesh, or its version, has no field for.
	Notes   []string
	Problem string
}

// kubernetesName is a DNS label.
var kubernetesName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

//go:embed templates/*.tmpl
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"n": func(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }}).
	ParseFS(files, "templates/*.tmpl"))

// concurrency, outliers and circuit are the recommendations as templates read
// them; nil where there is none.
type (
	concurrency struct{ Requests, Pending, Retries float64 }
	outliers    struct{ Errors, Interval, Percent float64 }
	circuit     struct {
		Window, Failures, Calls, SlowRate float64
		Slow                              string // empty where unknown
	}
	values struct {
		Name, Namespace, Host, API, Expires, At, Ejection string
		Port                                              int
		Concurrency                                       *concurrency
		Outliers                                          *outliers
		Circuit                                           *circuit
	}
)

// Render makes a resource for each mesh.
func Render(t Target, recommended []sizing.Recommendation) []Resource {
	v, expires := valuesOf(t, recommended)
	all := make([]Resource, len(meshes))
	for i, m := range meshes {
		all[i] = m.render(t, v, expires)
	}
	return all
}

func (m mesh) render(t Target, v values, expires time.Time) Resource {
	r := Resource{Mesh: m.name}
	version, err := parseVersion(t.Versions[m.name])
	switch {
	case err != nil:
		r.Problem = fmt.Sprintf("the version of %s is %v", m.name, err)
	case !kubernetesName.MatchString(t.Service):
		r.Problem = fmt.Sprintf("%.80q is not a name of Kubernetes: lower-case letters, digits and dashes", t.Service)
	case t.Namespace != "" && !kubernetesName.MatchString(t.Namespace):
		r.Problem = fmt.Sprintf("%.80q is not a namespace of Kubernetes", t.Namespace)
	case t.Port < 0 || t.Port > 65535:
		r.Problem = fmt.Sprintf("%d is not a port", t.Port)
	case version.before(m.since):
		r.Problem = fmt.Sprintf("%s %s has no %s; %s has: nothing is rendered for it", m.name, t.Versions[m.name], m.lacks, m.since)
	case !m.has(v):
		r.Problem = "not enough data: none of the recommendations that it reads is known"
	}
	if r.Problem != "" {
		return r
	}
	if m.adapt != nil {
		r.Notes = m.adapt(version, &v)
	}
	r.Apply, r.Revert, r.Expires = execute(m.name+"-apply", v), execute(m.name+"-revert", v), expires
	return r
}

// execute fills in a template. It panics where the template asks for what there
// is not, which tests of every template would show.
func execute(name string, v values) string {
	var text strings.Builder
	if err := templates.ExecuteTemplate(&text, name+".tmpl", v); err != nil {
		panic(err)
	}
	return text.String()
}

// valuesOf reads the recommendations, and until when all of them hold.
func valuesOf(t Target, recommended []sizing.Recommendation) (v values, expires time.Time) {
	v = values{Name: t.Service, Namespace: t.Namespace, Port: t.Port, Ejection: sizing.Ejection, At: t.At.UTC().Format(time.RFC3339)}
	if v.Namespace == "" {
		v.Namespace = "default"
	}
	if v.Port == 0 {
		v.Port = 80
	}
	v.Host = fmt.Sprintf("%s.%s.svc.cluster.local", v.Name, v.Namespace)
	holds := time.Duration(math.MaxInt64)
	for _, r := range recommended {
		if r.Problem != "" || r.Subject != "" || !usable(r.Value) {
			continue
		}
		setting := func(name string) float64 {
			for _, s := range r.Settings {
				if s.Name == name {
					return s.Value
				}
			}
			return math.NaN()
		}
		switch r.Sizing {
		case sizing.SizeConcurrency:
			if c := (concurrency{r.Value, setting("pending requests"), setting("concurrent retries")}); usable(c.Pending) && usable(c.Retries) {
				v.Concurrency = &c
			}
		case sizing.SizeOutliers:
			if o := (outliers{r.Value, setting("interval"), setting("max ejected hosts")}); usable(o.Interval) && usable(o.Percent) {
				v.Outliers = &o
			}
		case sizing.SizeBreaker:
			c := circuit{Window: setting("calls looked at"), Failures: r.Value, Calls: setting("fewest calls"), SlowRate: max(r.Value, 50)}
			if slow := setting("a call is slow from"); slow > 0 {
				c.Slow = fmt.Sprintf("%.0fms", math.Ceil(1000*slow-1e-6))
			}
			if usable(c.Window) && usable(c.Calls) {
				v.Circuit = &c
			}
		default:
			continue
		}
		holds = min(holds, r.ValidFor)
	}
	if holds == math.MaxInt64 {
		return v, time.Time{}
	}
	expires = t.At.Add(holds)
	v.Expires = expires.UTC().Format(time.RFC3339)
	return v, expires
}

// usable tells a number that fits a field of 32 bits.
func usable(v float64) bool { return v >= 1 && v <= math.MaxInt32 }
