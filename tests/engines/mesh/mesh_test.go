// Package mesh validates the resources that Foresight recommends with the types
// of the projects that read them.
package mesh

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	kong "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	istio "istio.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// text is a resource as pkg/sizing/mesh renders it: its own test keeps these
// files equal to what is rendered.
func text(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "pkg", "sizing", "mesh", "testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// strict reads YAML into a protobuf message, which refuses fields it has not.
func strict(t *testing.T, content []byte, into proto.Message) {
	t.Helper()
	asJSON, err := yaml.YAMLToJSONStrict(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := protojson.Unmarshal(asJSON, into); err != nil {
		t.Fatal(err)
	}
}

// object is a Kubernetes object.
type object struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              map[string]any `json:"spec"`
}

func kubernetes(t *testing.T, name string) object {
	t.Helper()
	var o object
	if err := yaml.UnmarshalStrict(text(t, name), &o); err != nil {
		t.Fatal(err)
	}
	for key := range o.Annotations {
		if problems := validation.ValidateAnnotations(map[string]string{key: ""}, nil); len(problems) > 0 {
			t.Fatal(problems)
		}
	}
	if problems := validation.NameIsDNSLabel(o.Name, false); len(problems) > 0 {
		t.Fatal(problems)
	}
	return o
}

func TestIstio(t *testing.T) {
	read := func(name string) *istio.DestinationRule {
		o := kubernetes(t, name)
		if o.APIVersion != "networking.istio.io/v1" || o.Kind != "DestinationRule" {
			t.Fatalf("%s %s", o.APIVersion, o.Kind)
		}
		spec, err := yaml.Marshal(o.Spec)
		if err != nil {
			t.Fatal(err)
		}
		var rule istio.DestinationRule
		strict(t, spec, &rule)
		return &rule
	}
	rule := read("istio-apply")
	outliers, pool := rule.GetTrafficPolicy().GetOutlierDetection(), rule.GetTrafficPolicy().GetConnectionPool()
	if rule.GetHost() != "cart.shop.svc.cluster.local" || outliers.GetConsecutive_5XxErrors().GetValue() < 3 || outliers.GetInterval().AsDuration() < time.Second ||
		outliers.GetMaxEjectionPercent() < 1 || outliers.GetMaxEjectionPercent() > 100 || pool.GetHttp().GetHttp2MaxRequests() < 1 || pool.GetTcp().GetMaxConnections() < 1 {
		t.Fatal(rule)
	}
	if reverted := read("istio-revert"); reverted.GetTrafficPolicy() != nil || reverted.GetHost() != rule.GetHost() {
		t.Fatal(reverted)
	}
}

func TestEnvoy(t *testing.T) {
	read := func(name string) *clusterv3.Cluster {
		var cluster clusterv3.Cluster
		strict(t, text(t, name), &cluster)
		if err := cluster.ValidateAll(); err != nil {
			t.Fatal(err)
		}
		return &cluster
	}
	cluster := read("envoy-apply")
	if cluster.GetOutlierDetection().GetConsecutive_5Xx().GetValue() < 3 || cluster.GetCircuitBreakers().GetThresholds()[0].GetMaxRequests().GetValue() < 1 {
		t.Fatal(cluster)
	}
	reverted := read("envoy-revert")
	cluster.OutlierDetection, cluster.CircuitBreakers = nil, nil
	if !proto.Equal(cluster, reverted) {
		t.Fatal("the resource that reverts differs in more than the breakers")
	}
}

// linkerd are the annotations that Linkerd reads of a Service, and their values:
// policy-controller/k8s/index/src/outbound/index.rs.
var linkerd = map[string]*regexp.Regexp{
	"balancer.linkerd.io/failure-accrual":                          regexp.MustCompile(`^consecutive$`),
	"balancer.linkerd.io/failure-accrual-consecutive-max-failures": regexp.MustCompile(`^[1-9]\d*$`),
	"balancer.linkerd.io/failure-accrual-consecutive-min-penalty":  regexp.MustCompile(`^\d+(ms|s|m|h|d)$`),
	"balancer.linkerd.io/failure-accrual-consecutive-max-penalty":  regexp.MustCompile(`^\d+(ms|s|m|h|d)$`),
	"balancer.linkerd.io/failure-accrual-consecutive-jitter-ratio": regexp.MustCompile(`^\d+(\.\d+)?$`),
}

func TestLinkerd(t *testing.T) {
	service := kubernetes(t, "linkerd-apply")
	found := 0
	for name, value := range service.Annotations {
		if !strings.HasPrefix(name, "balancer.linkerd.io/") {
			continue
		}
		if form := linkerd[name]; form == nil || !form.MatchString(value) {
			t.Fatalf("%s: %s", name, value)
		}
		found++
	}
	if found != 4 || service.Kind != "Service" || service.Spec != nil {
		t.Fatal(service)
	}
	if reverted := kubernetes(t, "linkerd-revert"); len(reverted.Annotations) > 0 || reverted.Name != service.Name {
		t.Fatal(reverted)
	}
}

func TestKong(t *testing.T) {
	read := func(name string) kong.KongUpstreamPolicy {
		policy := kong.KongUpstreamPolicy{}
		if err := yaml.UnmarshalStrict(text(t, name), &policy); err != nil {
			t.Fatal(err)
		}
		if policy.APIVersion != kong.GroupVersion.String() || policy.Kind != "KongUpstreamPolicy" {
			t.Fatal(policy.TypeMeta)
		}
		return policy
	}
	policy := read("kong-apply")
	unhealthy := policy.Spec.Healthchecks.Passive.Unhealthy
	if *unhealthy.HTTPFailures < 3 || *unhealthy.HTTPFailures > 255 || *unhealthy.Timeouts > 255 {
		t.Fatal("outside the limits of Kong's schema: 0 to 255")
	}
	if read("kong-revert").Spec.Healthchecks != nil {
		t.Fatal("not reverted")
	}
}

// circuitBreaker and bulkhead are the fields of Resilience4j's InstanceProperties:
// resilience4j-framework-common, CommonCircuitBreakerConfigurationProperties and
// CommonBulkheadConfigurationProperties. It has no schema outside of Java.
type circuitBreaker struct {
	SlidingWindowType         string  `json:"slidingWindowType"`
	SlidingWindowSize         int     `json:"slidingWindowSize"`
	FailureRateThreshold      float64 `json:"failureRateThreshold"`
	MinimumNumberOfCalls      int     `json:"minimumNumberOfCalls"`
	WaitDurationInOpenState   string  `json:"waitDurationInOpenState"`
	SlowCallDurationThreshold string  `json:"slowCallDurationThreshold"`
	SlowCallRateThreshold     float64 `json:"slowCallRateThreshold"`
}

type bulkhead struct {
	MaxConcurrentCalls int    `json:"maxConcurrentCalls"`
	MaxWaitDuration    string `json:"maxWaitDuration"`
}

func TestResilience4j(t *testing.T) {
	for _, name := range []string{"resilience4j-apply", "resilience4j-revert"} {
		var settings struct {
			Resilience4j struct {
				CircuitBreaker struct {
					Instances map[string]circuitBreaker `json:"instances"`
				} `json:"circuitbreaker"`
				Bulkhead struct {
					Instances map[string]bulkhead `json:"instances"`
				} `json:"bulkhead"`
			} `json:"resilience4j"`
		}
		if err := yaml.UnmarshalStrict(text(t, name), &settings); err != nil {
			t.Fatal(err)
		}
		b := settings.Resilience4j.CircuitBreaker.Instances["cart"]
		// The bounds are those that CircuitBreakerConfig.Builder checks.
		if !slices.Contains([]string{"COUNT_BASED", "TIME_BASED"}, b.SlidingWindowType) || b.SlidingWindowSize < 1 || b.MinimumNumberOfCalls < 1 ||
			b.MinimumNumberOfCalls > b.SlidingWindowSize || b.FailureRateThreshold <= 0 || b.FailureRateThreshold > 100 || b.SlowCallRateThreshold > 100 {
			t.Fatalf("%s: %+v", name, b)
		}
		for _, duration := range []string{b.WaitDurationInOpenState, b.SlowCallDurationThreshold} {
			if d, err := time.ParseDuration(duration); duration != "" && (err != nil || d <= 0) {
				t.Fatalf("%s: %s", name, duration)
			}
		}
	}
}

// TestTheTypesRefuse: the tests above could fail.
func TestTheTypesRefuse(t *testing.T) {
	var rule istio.DestinationRule
	if protojson.Unmarshal([]byte(`{"host": "cart", "trafficPolicy": {"outlierDetection": {"consecutive5xx": 3}}}`), &rule) == nil {
		t.Fatal("Istio's type takes any field")
	}
	var cluster clusterv3.Cluster
	if err := protojson.Unmarshal([]byte(`{"name": "cart", "outlier_detection": {"max_ejection_percent": 101}}`), &cluster); err != nil || cluster.ValidateAll() == nil {
		t.Fatal("Envoy's type takes any number", err)
	}
	if yaml.UnmarshalStrict([]byte("spec: {healthcheck: {}}"), &kong.KongUpstreamPolicy{}) == nil {
		t.Fatal("Kong's type takes any field")
	}
}
