// Package annotation is the grammar of the annotations that Foresight keeps in
// Grafana.
package annotation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// ID is the same for equal parts, on every replica.
func ID(parts ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%q", parts)))
	return hex.EncodeToString(sum[:8])
}

// maxValue is what the databases below Grafana take of a tag's value, in bytes.
const maxValue = 100

// Value makes a text fit for the value of a tag.
func Value(text string) string {
	return upstream.Clean(strings.ReplaceAll(text, ",", ";"), maxValue)
}
