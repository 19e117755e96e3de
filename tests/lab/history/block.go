package history

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"
	"github.com/prometheus/prometheus/tsdb/tombstones"
)

const samplesPerChunk = 120 // Prometheus' own choice

// track is one series with the chunks that the next block takes.
type track struct {
	labels   labels.Labels
	chunks   []chunks.Meta
	appender chunkenc.Appender
	samples  int // in the open chunk
}

func newTrack(l labels.Labels) *track { return &track{labels: l} }

// open starts a chunk where the last is full, and stretches it to t.
func (t *track) open(millis int64, empty func() chunkenc.Chunk) {
	if t.appender == nil || t.samples == samplesPerChunk {
		chunk := empty()
		t.appender, _ = chunk.Appender() // a new chunk has room
		t.chunks = append(t.chunks, chunks.Meta{Chunk: chunk, MinTime: millis})
		t.samples = 0
	}
	t.samples++
	t.chunks[len(t.chunks)-1].MaxTime = millis
}

func (t *track) append(millis int64, value float64) {
	t.open(millis, func() chunkenc.Chunk { return chunkenc.NewXORChunk() })
	t.appender.Append(0, millis, value)
}

func (t *track) appendHistogram(millis int64, h *histogram.Histogram) error {
	t.open(millis, func() chunkenc.Chunk { return chunkenc.NewHistogramChunk() })
	_, _, _, err := t.appender.AppendHistogram(nil, 0, millis, h, true)
	return err
}

// writeBlock puts what the tracks hold into a block of Prometheus' storage and
// empties them. The block covers [from, to) in milliseconds.
func writeBlock(ctx context.Context, storageDirectory string, from, to int64, tracks []*track) error {
	id := ulid.MustNew(uint64(from), rand.New(rand.NewSource(from)))
	directory := filepath.Join(storageDirectory, id.String())
	if err := os.MkdirAll(filepath.Join(directory, "chunks"), 0o755); err != nil {
		return fmt.Errorf("create a block: %w", err)
	}
	meta := tsdb.BlockMeta{
		ULID: id, MinTime: from, MaxTime: to, Version: 1,
		Compaction: tsdb.BlockMetaCompaction{Level: 1, Sources: []ulid.ULID{id}},
	}

	chunkWriter, err := chunks.NewWriter(filepath.Join(directory, "chunks"))
	if err != nil {
		return fmt.Errorf("create the chunks of a block: %w", err)
	}
	indexWriter, err := index.NewWriter(ctx, filepath.Join(directory, "index"))
	if err != nil {
		return fmt.Errorf("create the index of a block: %w", err)
	}
	tracks = slices.SortedFunc(slices.Values(tracks), func(a, b *track) int { return labels.Compare(a.labels, b.labels) })
	if err := addSymbols(indexWriter, tracks); err != nil {
		return err
	}
	for i, t := range tracks {
		if err := chunkWriter.WriteChunks(t.chunks...); err != nil {
			return fmt.Errorf("write the chunks of %s: %w", t.labels, err)
		}
		if err := indexWriter.AddSeries(storage.SeriesRef(i+1), t.labels, t.chunks...); err != nil {
			return fmt.Errorf("index %s: %w", t.labels, err)
		}
		meta.Stats.NumSeries++
		for _, c := range t.chunks {
			meta.Stats.NumChunks++
			meta.Stats.NumSamples += uint64(c.Chunk.NumSamples())
		}
		*t = track{labels: t.labels}
	}
	if err := chunkWriter.Close(); err != nil {
		return fmt.Errorf("close the chunks of a block: %w", err)
	}
	if err := indexWriter.Close(); err != nil {
		return fmt.Errorf("close the index of a block: %w", err)
	}
	if _, err := tombstones.WriteFile(slog.New(slog.DiscardHandler), directory, tombstones.NewMemTombstones()); err != nil {
		return fmt.Errorf("write the tombstones of a block: %w", err)
	}
	encoded, err := json.MarshalIndent(meta, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, "meta.json"), encoded, 0o644)
}

func addSymbols(w *index.Writer, tracks []*track) error {
	symbols := map[string]struct{}{}
	for _, t := range tracks {
		t.labels.Range(func(l labels.Label) {
			symbols[l.Name], symbols[l.Value] = struct{}{}, struct{}{}
		})
	}
	for _, symbol := range slices.Sorted(maps.Keys(symbols)) {
		if err := w.AddSymbol(symbol); err != nil {
			return fmt.Errorf("add symbol %q: %w", symbol, err)
		}
	}
	return nil
}
