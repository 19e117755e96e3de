package trace

// CircumstanceAttributes tell under which circumstances a call was made: for
// whom, where, on which instance. They name no operation, but some calls may be
// slow or fail for one tenant, in one zone, on one host. Upstreams fetch these
// beside the describing ones. Personal data is not among them: what has a value
// of its own for every user cannot explain anything.
var CircumstanceAttributes = append([]string{
	"tenant", "tenant.id", "customer", "customer.id", "region", "feature_flag.key", "feature_flag.result.variant",
}, ResourceAttributes...)

// ResourceAttributes are those of the circumstances that belong to whoever
// sends a span, and not to the span.
var ResourceAttributes = []string{
	"cloud.region", "cloud.availability_zone", "host.name", "k8s.node.name", "k8s.pod.name", "service.instance.id",
}
