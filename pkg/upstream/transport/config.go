// Package transport carries questions to an upstream: where it is, how to be
// let in, how much may be asked at once, and what a failure means.
package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend/proxy"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Mode is the way to an upstream.
type Mode string

// The modes.
const (
	Direct  Mode = "direct"  // to the upstream's own URL
	Grafana Mode = "grafana" // through Grafana's proxy to an existing data source
)

// Config says where an upstream is and how to be let in. In the grafana mode
// the existing data source knows both; only Grafana itself must let us in.
type Config struct {
	Mode Mode

	// URL of the upstream in the direct mode, of Grafana in the grafana mode.
	URL string

	// For the direct mode; each may be empty.
	BasicUser, BasicPassword string
	BearerToken              string
	Headers                  http.Header
	Tenant                   string // sent as X-Scope-OrgID

	// Parameters are added to the URL of every request.
	Parameters url.Values
	// Method is GET where queries of metrics must not be posted.
	Method string

	// For the grafana mode.
	UID          string // of the data source to ask
	OwnUID       string // of this data source, which must not ask itself
	GrafanaToken string // of a service account

	TLS TLS
	// Proxy is Grafana's secure socks proxy; nil for none.
	Proxy *proxy.Options
	// Labels name the data source in metrics and logs (datasource_uid,
	// datasource_name, datasource_type).
	Labels map[string]string
}

// TLS holds certificates as PEM texts.
type TLS struct {
	CA, Certificate, Key string
	ServerName           string
	SkipVerify           bool
}

// uidPattern is what Grafana allows as the UID of a data source.
var uidPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

// Validate says what is wrong with the configuration of the named upstream, in
// the words of the person who can correct it. The error is an *upstream.Error
// of category Config.
func (c Config) Validate(name string) error {
	var problems []string
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }

	switch c.Mode {
	case Direct:
		problems = append(problems, checkURL("url", c.URL)...)
		if c.BasicPassword != "" && c.BasicUser == "" {
			wrong("there is a password, but no user")
		}
		if c.BearerToken != "" && c.BasicUser != "" {
			wrong("there are both a user and a token; only one of them can be sent")
		}
	case Grafana:
		problems = append(problems, checkURL("Grafana's url", c.URL)...)
		switch {
		case c.UID == "":
			wrong("the uid of the data source to ask is missing")
		case !uidPattern.MatchString(c.UID):
			wrong("the uid %.60q is not the uid of a data source: up to 40 letters, digits, - and _", c.UID)
		case c.UID == c.OwnUID:
			wrong("the uid %q is this data source itself; choose the uid of the %s data source", c.UID, name)
		}
		if c.GrafanaToken == "" {
			wrong("the token of a Grafana service account is missing (grafanaToken)")
		}
	case "":
		wrong(`the mode is missing; use "direct" or "grafana"`)
	default:
		wrong(`the mode %.40q is unknown; use "direct" or "grafana"`, string(c.Mode))
	}
	for header, values := range c.header() {
		switch {
		case validHeader(header, values):
		case header == "Authorization" && c.Headers.Get(header) == "":
			wrong("the token holds a line break or another character that no header may have: store it again")
		default:
			wrong("the header %.60q has a name or a value that HTTP does not allow", header)
		}
	}
	problems = append(problems, c.TLS.problems()...)
	if len(problems) == 0 {
		return nil
	}
	return &upstream.Error{Upstream: name, Category: upstream.Config, Message: strings.Join(problems, "; ")}
}

// checkURL never repeats the URL: it may hold a password.
func checkURL(what, text string) []string {
	if text == "" {
		return []string{"the " + what + " is missing"}
	}
	parsed, err := url.Parse(text)
	var problems []string
	switch {
	case err != nil && !strings.Contains(text, "://"):
		return []string{"the " + what + " must begin with http:// or https://"}
	case err != nil:
		var reason *url.Error
		if errors.As(err, &reason) {
			err = reason.Err
		}
		return []string{"the " + what + " is not a URL: " + upstream.Clean(err.Error(), 100)}
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return []string{"the " + what + " must begin with http:// or https://"}
	case parsed.Hostname() == "":
		return []string{"the " + what + " has no host name"}
	}
	if parsed.User != nil {
		problems = append(problems, "the "+what+" holds a user or password; put them into the fields for credentials")
	}
	if parsed.RawQuery != "" || parsed.Fragment != "" {
		problems = append(problems, "the "+what+" must end before the ? and the #")
	}
	return problems
}

func (t TLS) problems() []string {
	var problems []string
	if t.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(t.CA)) {
		problems = append(problems, "the CA certificate is not a PEM certificate")
	}
	switch {
	case t.Certificate != "" && t.Key == "":
		problems = append(problems, "there is a TLS client certificate, but not its key")
	case t.Certificate == "" && t.Key != "":
		problems = append(problems, "there is the key of a TLS client certificate, but not the certificate")
	case t.Certificate != "":
		if _, err := tls.X509KeyPair([]byte(t.Certificate), []byte(t.Key)); err != nil {
			problems = append(problems, "the TLS client certificate and its key cannot be used: "+upstream.Clean(err.Error(), 200))
		}
	}
	return problems
}

// base is the URL below which the upstream's API lies. The configuration is
// valid.
func (c Config) base() *url.URL {
	base, _ := url.Parse(strings.TrimRight(c.URL, "/"))
	if c.Mode == Grafana {
		base = base.JoinPath("api/datasources/proxy/uid", c.UID)
	}
	return base
}

// header is what is sent with every request.
func (c Config) header() http.Header {
	header := http.Header{}
	if c.Mode == Grafana {
		header.Set("Authorization", "Bearer "+c.GrafanaToken)
		return header
	}
	for name, values := range c.Headers {
		header[http.CanonicalHeaderKey(name)] = values
	}
	if c.Tenant != "" {
		header.Set("X-Scope-OrgID", c.Tenant)
	}
	if c.BearerToken != "" {
		header.Set("Authorization", "Bearer "+c.BearerToken)
	}
	return header
}

// validHeader reports whether the name is a token and the values are field
// values in the sense of RFC 9110, sections 5.1 and 5.5.
func validHeader(name string, values []string) bool {
	for _, r := range name {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) {
			return false
		}
	}
	for _, value := range values {
		for i := range len(value) {
			if value[i] < ' ' && value[i] != '\t' || value[i] == 0x7f {
				return false
			}
		}
	}
	return name != "" && len(values) > 0
}
