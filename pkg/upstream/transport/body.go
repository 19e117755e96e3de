package transport

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend/httpclient"

	"github.com/foresight-observability/foresight/pkg/budget"
)

const (
	// firstChunk is the size of the first piece of an answer that is read; each
	// further one is twice as long, up to maxChunk. Pieces need no room in a row,
	// so they fit between what else is in memory, unlike a buffer that doubles.
	firstChunk = 16 << 10
	maxChunk   = 512 << 10
)

// DecodedSize estimates what a piece of an answer takes once it is decoded,
// beside its text, in bytes.
type DecodedSize func(piece []byte) int64

// protobuf begins the types of answers in Protocol Buffers. What they hold is
// about as large as they are themselves, names that repeat aside.
const protobuf = "application/protobuf"

// JSONSize is the DecodedSize of JSON whose objects become Go structures: texts
// are copied, and each object takes some more.
func JSONSize(piece []byte) int64 {
	const object = 128
	size := int64(len(piece))
	for _, b := range piece {
		if b == '{' {
			size += object
		}
	}
	return size
}

// ChargeDecoded makes the client charge answers by their decoded size. It is
// charged while an answer is read, so that one that is too large is not read to
// its end.
func (c *Client) ChargeDecoded(size DecodedSize) { c.decoded = size }

// Decode reads what an answer says when a processor is free for it. The error is
// that of the work, or an *upstream.Error.
func (c *Client) Decode(ctx context.Context, work func() error) error {
	begun := false
	err := budget.Compute(ctx, budget.Process.Processors, func(context.Context) error {
		begun = true
		return work()
	})
	if err != nil && !begun {
		return c.failure(ctx, err)
	}
	return err
}

// read reads an answer, and charges what it takes to the request before it is
// allocated.
func (c *Client) read(ctx context.Context, from io.ReadCloser, contentType string) ([]byte, error) {
	decoded := c.decoded
	if strings.HasPrefix(contentType, protobuf) {
		decoded = func(piece []byte) int64 { return int64(len(piece)) / 2 }
	}
	limited := httpclient.MaxBytesReader(from, c.limits.ResponseBytes)
	pieces, held := budget.Part(ctx)
	defer held.Close()
	var all [][]byte
	total := 0
	for size := firstChunk; ; size = min(2*size, maxChunk) {
		if err := budget.Charge(pieces, int64(size)); err != nil {
			return nil, err
		}
		piece := make([]byte, size)
		n, err := fill(piece, limited)
		piece = piece[:n]
		if decoded != nil && n > 0 {
			if err := budget.Charge(ctx, decoded(piece)); err != nil {
				return nil, err
			}
		}
		all, total = append(all, piece), total+n
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if err := budget.Charge(ctx, int64(total)); err != nil {
		return nil, err
	}
	body := make([]byte, 0, total)
	for i, piece := range all {
		body = append(body, piece...)
		all[i] = nil
	}
	return body, nil
}

// fill reads until a piece is full. Unlike io.ReadFull it leaves the end of an
// answer apart from one that was broken off.
func fill(piece []byte, from io.Reader) (n int, err error) {
	for n < len(piece) && err == nil {
		var more int
		more, err = from.Read(piece[n:])
		n += more
	}
	return n, err
}
