package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOptions(t *testing.T) {
	o, err := parseOptions([]string{"-history", "36h", "-servers", "tempo", "-rate", "30"})
	require.NoError(t, err)
	require.Equal(t, 36*time.Hour, o.history)
	require.Equal(t, []string{"tempo"}, o.servers)
	require.DirExists(t, o.source, "the servers' modules lie beside the source")

	o, err = parseOptions(nil)
	require.NoError(t, err)
	require.Equal(t, 14*24*time.Hour, o.history)
	require.Len(t, o.servers, 2)

	for message, arguments := range map[string][]string{
		"no server":      {"-servers", "mysql"},
		"gets its":       {"-servers", "tempo,mimir-split"},
		"number of days": {"-history", "twod"},
		"negative":       {"-history", "-2d"},
		"give between":   {"-rate", "0"},
		"unexpected":     {"now"},
	} {
		_, err := parseOptions(arguments)
		require.ErrorContains(t, err, message)
	}
}
