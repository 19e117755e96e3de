package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// firing is what Grafana's own notifier sends, cut to what is read.
const firing = `{"receiver":"foresight","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Slow","service_name":"cart","severity":"critical"},
	"annotations":{"summary":"cart is slow"},"startsAt":"2026-03-02T11:50:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"57c6d9296de2ad39","values":{"A":92}}],
	"version":"1","groupKey":"{}:{}","truncatedAlerts":0,"orgId":1,"title":"[FIRING:1]","state":"alerting","message":"…"}`

func FuzzDeploy(f *testing.F) {
	f.Add([]byte(`{"specversion":"1.0","type":"dev.cdevents.service.deployed.0.1.0","data":{"subject":{"id":"x"}}}`), "")
	f.Add([]byte(`{"phase":"x","checksum":"y","metadata":{"eventMessage":"New revision detected"}}`), "1.0")
	f.Add([]byte(firing), "")
	f.Fuzz(func(t *testing.T, raw []byte, version string) {
		if marker, err := readDeploy(http.Header{"Ce-Specversion": {version}}, raw, deployed{}, noon); err == nil {
			require.NotEmpty(t, marker.Service)
			require.NotEmpty(t, marker.annotation("deploy").ID)
		}
		_, _, _ = readAlerts(raw)
	})
}

// FuzzSignature forges signatures: what is signed by nobody who knows the secret
// is refused, and so is what somebody signed for another time or body.
func FuzzSignature(f *testing.F) {
	now := strconv.FormatInt(noon.Unix(), 10)
	sign := func(timestamp, body string) string {
		mac := hmac.New(sha256.New, []byte("secret"))
		mac.Write([]byte(timestamp + ":" + body))
		return hex.EncodeToString(mac.Sum(nil))
	}
	f.Add(now, sign(now, "{}"), "[]", "")
	f.Add("+"+now, sign(now, "{}"), "{}", "x")
	f.Add(now, "", "", "")
	f.Add(now, strings.ToUpper(sign(now, "{}")), "{}", "") // the same bytes
	f.Fuzz(func(t *testing.T, timestamp, signature, body, added string) {
		header := http.Header{timestampHeader: {timestamp}, signatureHeader: {signature}}
		if Verify("secret", header, []byte(body), noon) == nil && !strings.EqualFold(signature, sign(timestamp, body)) {
			t.Fatalf("%q of %q at %q is taken", signature, body, timestamp)
		}
		header.Set(signatureHeader, sign(timestamp, body))
		if seconds, err := strconv.ParseInt(timestamp, 10, 64); err == nil && time.Unix(seconds, 0).Sub(noon).Abs() <= replayWindow {
			require.NoError(t, Verify("secret", header, []byte(body), noon))
			require.Error(t, Verify("secret", header, []byte(body), noon.Add(3*replayWindow)), "a replay")
			if added != "" {
				require.Error(t, Verify("secret", header, []byte(body+added), noon), "another body")
			}
		} else {
			require.Error(t, Verify("secret", header, []byte(body), noon))
		}
	})
}
