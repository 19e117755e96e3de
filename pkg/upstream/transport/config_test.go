package transport_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

func TestValidate(t *testing.T) {
	certificate, key := newCertificate(t)
	direct := transport.Config{Mode: transport.Direct, URL: "http://prometheus:9090/prefix"}
	grafana := transport.Config{Mode: transport.Grafana, URL: "https://grafana.example", UID: "prom", OwnUID: "foresight", GrafanaToken: "glsa_x"}
	with := func(config transport.Config, change func(*transport.Config)) transport.Config {
		change(&config)
		return config
	}
	for name, test := range map[string]struct {
		config  transport.Config
		message string // empty: valid
	}{
		"direct":            {config: direct},
		"grafana":           {config: grafana},
		"mTLS":              {config: with(direct, func(c *transport.Config) { c.TLS = transport.TLS{CA: certificate, Certificate: certificate, Key: key} })},
		"no mode":           {with(direct, func(c *transport.Config) { c.Mode = "" }), "the mode is missing"},
		"other mode":        {with(direct, func(c *transport.Config) { c.Mode = "proxy" }), `"proxy" is unknown`},
		"no url":            {with(direct, func(c *transport.Config) { c.URL = "" }), "the url is missing"},
		"no scheme":         {with(direct, func(c *transport.Config) { c.URL = "prometheus:9090" }), "http:// or https://"},
		"address and port":  {with(direct, func(c *transport.Config) { c.URL = "10.0.0.1:9090" }), "http:// or https://"},
		"file":              {with(direct, func(c *transport.Config) { c.URL = "file:///etc/passwd" }), "http:// or https://"},
		"no host":           {with(direct, func(c *transport.Config) { c.URL = "http://:9090" }), "no host name"},
		"not a url":         {with(direct, func(c *transport.Config) { c.URL = "http://a b:9090" }), "is not a URL"},
		"bad port":          {with(direct, func(c *transport.Config) { c.URL = "http://u:hunter2@a:b" }), "is not a URL"},
		"user in url":       {with(direct, func(c *transport.Config) { c.URL = "http://u:hunter2@prometheus" }), "fields for credentials"},
		"query in url":      {with(direct, func(c *transport.Config) { c.URL = "http://prometheus?a=b" }), "before the ?"},
		"password alone":    {with(direct, func(c *transport.Config) { c.BasicPassword = "hunter2" }), "no user"},
		"two credentials":   {with(direct, func(c *transport.Config) { c.BasicUser, c.BearerToken = "u", "t" }), "only one"},
		"cert without key":  {with(direct, func(c *transport.Config) { c.TLS.Certificate = certificate }), "not its key"},
		"key without cert":  {with(direct, func(c *transport.Config) { c.TLS.Key = key }), "not the certificate"},
		"cert is no cert":   {with(direct, func(c *transport.Config) { c.TLS.Certificate, c.TLS.Key = "x", "y" }), "cannot be used"},
		"CA is no cert":     {with(direct, func(c *transport.Config) { c.TLS.CA = "x" }), "CA certificate"},
		"bad header name":   {with(direct, func(c *transport.Config) { c.Headers = http.Header{"a b": {"c"}} }), "header"},
		"bad header value":  {with(direct, func(c *transport.Config) { c.Headers = http.Header{"A": {"hunter2\r\nB: c"}} }), "header"},
		"bad tenant":        {with(direct, func(c *transport.Config) { c.Tenant = "a\nb" }), "header"},
		"no uid":            {with(grafana, func(c *transport.Config) { c.UID = "" }), "uid of the data source to ask is missing"},
		"own uid":           {with(grafana, func(c *transport.Config) { c.UID = "foresight" }), "itself"},
		"path as uid":       {with(grafana, func(c *transport.Config) { c.UID = "../../admin" }), "not the uid of a data source"},
		"no token":          {with(grafana, func(c *transport.Config) { c.GrafanaToken = "" }), "service account is missing"},
		"grafana needs url": {with(grafana, func(c *transport.Config) { c.URL = "" }), "Grafana's url is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.config.Validate("Prometheus")
			_, newErr := transport.New("Prometheus", test.config, transport.Limits{})
			require.Equal(t, err, newErr)
			if test.message == "" {
				require.NoError(t, err)
				return
			}
			var known *upstream.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, upstream.Config, known.Category)
			require.Contains(t, err.Error(), test.message)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestURL(t *testing.T) {
	direct, err := transport.New("Prometheus", transport.Config{Mode: transport.Direct, URL: "http://a/prefix/"}, transport.Limits{})
	require.NoError(t, err)
	require.Equal(t, "http://a/prefix/api/v1/label/a%2Fb%20c/values",
		direct.URL("/api/v1/label/:name/values", map[string]string{"name": "a/b c"}).String())

	grafana, err := transport.New("Tempo", transport.Config{Mode: transport.Grafana, URL: "https://g/sub", UID: "tempo", GrafanaToken: "t"}, transport.Limits{})
	require.NoError(t, err)
	require.Equal(t, "https://g/sub/api/datasources/proxy/uid/tempo/api/search", grafana.URL("api/search", nil).String())
}
