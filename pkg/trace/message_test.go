package trace_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
)

func TestNormalizeMessage(t *testing.T) {
	for message, want := range map[string]string{
		"": "",
		"connection to 10.0.0.7:5432 timed out after 5000ms":                         "connection to ?:? timed out after ?",
		`duplicate key value violates unique constraint "orders_pkey"`:               "duplicate key value violates unique constraint ?",
		"order 6f1c2c7e-0b7e-4b52-9f0e-1d8c6a2f7d11 not found\n\tat com.shop.Orders": "order ? not found",
		"can't read 'a' or `b`":         "can't read ? or ?",
		"Key (id)=(42) already exists.": "Key (id)=(?) already exists.",
	} {
		require.Equal(t, want, trace.NormalizeMessage(message), message)
	}
}
