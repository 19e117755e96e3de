package mesh

import (
	"fmt"
	"regexp"
	"strconv"
)

// mesh is one of those that are known.
type mesh struct {
	name string
	// since is the first version that has what the resource needs, and lacks names
	// it.
	since version
	lacks string
	has   func(v values) bool
	// adapt changes the values to what a version knows, and tells what was left
	// out; nil for nothing.
	adapt func(version, *values) []string
}

const noConcurrency = "It has no limit of concurrent requests: that recommendation is left out."

var meshes = []mesh{
	{
		name: "istio", since: version{1, 5}, lacks: "consecutive5xxErrors in networking.istio.io/v1beta1",
		has: func(v values) bool { return v.Concurrency != nil || v.Outliers != nil },
		adapt: func(of version, v *values) []string {
			notes := []string{"Only one DestinationRule of a host takes effect: merge it into one that there is. The limits hold for each calling proxy."}
			if v.API = "networking.istio.io/v1"; of.before(version{1, 22}) {
				v.API = "networking.istio.io/v1beta1"
				notes = append(notes, "networking.istio.io/v1 begins with Istio 1.22: v1beta1 is used.")
			}
			return notes
		},
	},
	{
		name: "envoy", since: version{1, 14}, lacks: "version 3 of its API",
		has: func(v values) bool { return v.Concurrency != nil || v.Outliers != nil },
		adapt: func(version, *values) []string {
			return []string{"The limits hold for each Envoy: with several callers, divide."}
		},
	},
	{
		name: "linkerd", since: version{2, 13}, lacks: "failure accrual",
		has: func(v values) bool { return v.Outliers != nil },
		adapt: func(_ version, v *values) []string {
			if v.Concurrency != nil {
				return []string{noConcurrency}
			}
			return nil
		},
	},
	{
		name: "kong", since: version{3, 0}, lacks: "KongUpstreamPolicy", // of the Kong Ingress Controller
		has: func(v values) bool { return v.Outliers != nil },
		adapt: func(_ version, v *values) []string {
			notes := []string{"Name it in the Service's annotation konghq.com/upstream-policy."}
			if v.Concurrency != nil {
				notes = append(notes, noConcurrency)
			}
			return notes
		},
	},
	{
		name: "resilience4j", since: version{1, 0}, lacks: "minimumNumberOfCalls",
		has: func(v values) bool { return v.Circuit != nil || v.Concurrency != nil },
	},
}

// Names are the meshes that are known.
func Names() (names []string) {
	for _, m := range meshes {
		names = append(names, m.name)
	}
	return names
}

// version is major and minor; the zero value is the newest.
type version struct{ major, minor int }

func (v version) String() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

func (v version) before(o version) bool {
	return v != version{} && (v.major < o.major || v.major == o.major && v.minor < o.minor)
}

var versionText = regexp.MustCompile(`^v?(\d{1,4})\.(\d{1,4})([.+-].*)?$`)

func parseVersion(text string) (version, error) {
	if text == "" {
		return version{}, nil
	}
	parts := versionText.FindStringSubmatch(text)
	if parts == nil {
		return version{}, fmt.Errorf("%.40q: write it like 1.24", text)
	}
	major, _ := strconv.Atoi(parts[1])
	minor, _ := strconv.Atoi(parts[2])
	return version{major, minor}, nil
}
