const failing =
  'sum by (service_name) (rate(http_server_request_duration_seconds_count{http_response_status_code=~"5.."}[5m]))';
const requests = 'sum by (service_name) (rate(http_server_request_duration_seconds_count[5m]))';

/** Metrics under the names of OpenTelemetry and of Tempo's metrics generator. */
export const starters = {
  latency: {
    label: 'Latency',
    title: '95th percentile of HTTP server requests, by service (OpenTelemetry)',
    expr: 'histogram_quantile(0.95, sum by (service_name, le) (rate(http_server_request_duration_seconds_bucket[5m])))',
  },
  requests: { label: 'Requests', title: 'HTTP server requests per second, by service (OpenTelemetry)', expr: requests },
  failing: {
    label: 'Failing share',
    title: 'Share of HTTP server requests that failed, by service (OpenTelemetry)',
    // A service without a failing request has no such series: its rate is 0.
    expr: `(${failing} or 0 * ${requests}) / ${requests}`,
  },
  spans: {
    label: 'Latency of spans',
    title: '95th percentile of server spans, by service (Tempo)',
    expr: 'histogram_quantile(0.95, sum by (service, le) (rate(traces_spanmetrics_latency_bucket{span_kind="SPAN_KIND_SERVER"}[5m])))',
  },
};
