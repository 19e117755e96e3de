package transport

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
)

// minSecret is the length from which on a secret is taken out of messages:
// shorter ones would blot out ordinary text.
const minSecret = 4

// secrets are the texts that must never appear in a message.
func (c Config) secrets() []string {
	secrets := []string{c.BasicPassword, c.BearerToken, c.GrafanaToken, c.TLS.Key}
	if c.BasicPassword != "" { // as it is sent
		secrets = append(secrets, base64.StdEncoding.EncodeToString([]byte(c.BasicUser+":"+c.BasicPassword)))
	}
	for _, values := range c.Headers {
		secrets = append(secrets, values...)
	}
	return secrets
}

// redaction puts stars in the place of secrets, also as URLs, JSON and web pages
// write them.
func redaction(secrets []string) *strings.Replacer {
	var replacements []string
	// Of two of which one begins with the other, the longer is looked for first.
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, secret := range secrets {
		if len(secret) < minSecret {
			continue
		}
		quoted, _ := json.Marshal(secret) // of a text it never fails
		for _, written := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret), string(quoted[1 : len(quoted)-1])} {
			replacements = append(replacements, written, "***")
		}
	}
	return strings.NewReplacer(replacements...)
}
