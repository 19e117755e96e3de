package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSecretsAreChangedOneAfterTheOther accepts what either secret signed while
// both are in the settings.
func TestSecretsAreChangedOneAfterTheOther(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	signed := func(secret string) http.Header {
		timestamp := strconv.FormatInt(now.Unix(), 10)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(timestamp + ":body"))
		header := http.Header{}
		header.Set(timestampHeader, timestamp)
		header.Set(signatureHeader, hex.EncodeToString(mac.Sum(nil)))
		return header
	}
	for secrets, accepted := range map[string][]string{
		"new\nold\n":         {"new", "old"},
		"only":               {"only"},
		"words with a space": {"words with a space"},
	} {
		for _, secret := range accepted {
			require.NoError(t, Verify(secrets, signed(secret), []byte("body"), now), secret)
		}
		require.Error(t, Verify(secrets, signed("other"), []byte("body"), now))
		require.Error(t, Verify(secrets, signed(""), []byte("body"), now))
	}
}
