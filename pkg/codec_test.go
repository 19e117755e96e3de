package main

import (
	"bytes"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
)

func TestAnswersTakeTheirOwnSize(t *testing.T) {
	codec := encoding.GetCodecV2("proto")
	for _, size := range []int{0, 100, 40_000, 3_000_000} {
		sent := &pluginv2.CallResourceResponse{Code: 200, Body: bytes.Repeat([]byte("x"), size)}
		data, err := codec.Marshal(sent)
		require.NoError(t, err)
		held := 0
		for _, buffer := range data {
			held += cap(buffer.(mem.SliceBuffer))
		}
		require.Less(t, held, size+size/4+100)

		var received pluginv2.CallResourceResponse
		require.NoError(t, codec.Unmarshal(data, &received))
		require.True(t, bytes.Equal(sent.Body, received.Body))
	}
	_, err := codec.Marshal("no message")
	require.ErrorContains(t, err, "want proto.Message")
}
