package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// The series that the probe looks for, by name.
var (
	spanMetrics  = spanCalls()
	serviceGraph = []string{wellknown.GraphRequests}
	// A native histogram is stored under the bare name, which a classic one
	// (_bucket, _sum, _count) never uses.
	nativeHistograms = durations()
)

func spanCalls() (names []string) {
	for _, m := range wellknown.SpanCalls() {
		names = append(names, m.Calls)
	}
	return names
}

func durations() (names []string) {
	for _, h := range wellknown.Durations() {
		names = append(names, h.Name)
	}
	return append(names, "prometheus_http_request_duration_seconds")
}

const (
	// recently is how far back the probe looks for series.
	recently = time.Hour
	// exemplary is how far back it looks for exemplars.
	exemplary = 10 * time.Minute
)

// Probe implements upstream.Metrics. It fails if the server cannot be queried;
// what else it could not find out stands in the warnings.
func (c *Client) Probe(ctx context.Context) (upstream.MetricsCapabilities, error) {
	ctx, cancel := c.transport.Deadline(ctx)
	defer cancel()
	var found upstream.MetricsCapabilities
	var names []string
	var build, listing error
	group, together := parallel.WithContext(ctx)
	group.Go(func() error {
		// The endpoint of versions may be missing, or open without credentials:
		// only a query shows that queries work.
		_, _, _, err := c.api.Query(together, "vector(1)", c.now())
		if err != nil {
			return c.failure(err)
		}
		return nil
	})
	group.Go(func() error {
		found.Product, found.Version, build = c.buildInfo(together)
		return nil
	})
	group.Go(func() error {
		selector := selectNames(slices.Concat(spanMetrics, serviceGraph, nativeHistograms))
		names, _, listing = c.LabelValues(together, model.MetricNameLabel, []string{selector}, c.now().Add(-recently), c.now())
		return nil
	})
	if err := group.Wait(); err != nil {
		return upstream.MetricsCapabilities{}, err
	}

	present := func(name string) bool { return slices.Contains(names, name) }
	found.SpanMetrics = slices.ContainsFunc(spanMetrics, present)
	found.ServiceGraph = slices.ContainsFunc(serviceGraph, present)
	var native error
	if bare := slices.DeleteFunc(slices.Clone(nativeHistograms), func(name string) bool { return !present(name) }); len(bare) > 0 {
		found.NativeHistograms, native = c.nativeHistograms(ctx, bare)
	}
	var exemplars error
	if found.SpanMetrics {
		exemplars = c.probeSpanMetrics(ctx, &found)
	}
	for _, err := range []error{build, listing, native, exemplars} {
		if err != nil {
			found.Warnings = append(found.Warnings, err.Error())
		}
	}
	return found, nil
}

// probeSpanMetrics tells whether span metrics know versions, and traces.
func (c *Client) probeSpanMetrics(ctx context.Context, found *upstream.MetricsCapabilities) error {
	versions, _, err := c.LabelValues(ctx, "service_version", []string{selectNames(spanMetrics)}, c.now().Add(-recently), c.now())
	if err != nil {
		return err
	}
	found.SpanVersions = len(versions) > 0
	examples, err := c.Exemplars(ctx, selectNames(wellknown.SpanLatencies()), c.now().Add(-exemplary), c.now())
	found.Exemplars = len(examples) > 0
	return err
}

// nativeHistograms reports whether any of the metrics is a native histogram.
// For other samples histogram_count gives nothing.
func (c *Client) nativeHistograms(ctx context.Context, names []string) (bool, error) {
	value, _, _, err := c.api.Query(ctx, "count(histogram_count("+selectNames(names)+"))", c.now())
	if err != nil {
		return false, c.failure(err)
	}
	counted, ok := value.(model.Vector)
	return ok && len(counted) > 0, nil
}

// selectNames is a selector of metrics by their names, which hold no special
// characters.
func selectNames(names []string) string {
	return `{__name__=~"` + strings.Join(names, "|") + `"}`
}

// buildInfo tells product and version. A server without that endpoint is one
// that speaks Prometheus' API, no more is known.
func (c *Client) buildInfo(ctx context.Context) (product, version string, err error) {
	body, header, err := c.transport.Get(ctx, c.transport.URL("/api/v1/status/buildinfo", nil), "application/json")
	var known *upstream.Error
	if errors.As(err, &known) && known.Status/100 == 4 {
		return Name, "", nil
	}
	if err != nil {
		return Name, "", err
	}
	var info struct {
		Data struct {
			Application string `json:"application"` // Mimir and GEM say who they are
			Version     string `json:"version"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &info); err != nil {
		return Name, "", c.failure(err)
	}
	version = c.transport.Clean(info.Data.Version, 60)
	return productOf(header, c.transport.Clean(info.Data.Application, 60), version), version, nil
}

func productOf(header http.Header, application, version string) string {
	switch {
	case application != "":
		return strings.TrimPrefix(application, "Grafana ")
	case header.Get("X-Server-Hostname") != "":
		return "VictoriaMetrics" // which sets it on every answer, and poses as Prometheus 2.24
	case strings.HasPrefix(version, "0."):
		return "Thanos" // Prometheus left 0.x behind in 2016
	}
	return Name
}
