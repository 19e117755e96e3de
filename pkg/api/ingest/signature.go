package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The headers that Grafana's contact point sets: see
// provisioning/alerting/contact-points.yaml.
const (
	signatureHeader = "X-Grafana-Alerting-Signature"
	timestampHeader = "X-Grafana-Alerting-Timestamp"
	// replayWindow is how old a signed request may be.
	replayWindow = 5 * time.Minute
)

// Verify checks a signature as Grafana's contact points write it: the HMAC with
// SHA-256, in hexadecimal, of the timestamp, a colon, and the raw body. Several
// secrets, one a line, are all accepted, so that they can be changed one after
// the other.
func Verify(secrets string, header http.Header, raw []byte, now time.Time) error {
	timestamp := header.Get(timestampHeader)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return errors.New("the request has no timestamp: set the contact point's timestampHeader to " + timestampHeader)
	}
	if age := now.Sub(time.Unix(seconds, 0)).Abs(); age > replayWindow {
		return fmt.Errorf("the request was signed %s away from now; at most %s are allowed", age.Round(time.Second), replayWindow)
	}
	given, err := hex.DecodeString(header.Get(signatureHeader))
	if err != nil || len(given) == 0 {
		return errors.New("the request has no signature: set the contact point's hmacConfig")
	}
	signed := func(secret string) bool {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(timestamp + ":"))
		mac.Write(raw)
		return hmac.Equal(given, mac.Sum(nil))
	}
	if !slices.ContainsFunc(strings.Fields(secrets), signed) && !signed(secrets) {
		return errors.New("the signature is not that of this body with the data source's webhookSecret")
	}
	return nil
}
