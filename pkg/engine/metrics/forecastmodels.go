package metrics

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/telemetry"
)

const (
	// maxModels is how many learned models are kept: a few dashboards' worth,
	// at about a hundred kilobytes each.
	maxModels = 256
	// minLearnedShare is the share of a history, and minLearned the points, that
	// must lie before the last full hour for learning to end there.
	minLearnedShare = 0.75
	minLearned      = 100
)

// ForecastModels remembers learned forecasting models. It changes no answer: models
// learn up to the last full hour and observe the rest, remembered or not, so
// that every replica says the same.
type ForecastModels struct {
	learned *otter.Cache[[sha256.Size]byte, *learnedModel]
}

// learnedModel is a model with the points it has observed since it learned.
type learnedModel struct {
	mu       sync.Mutex
	model    *forecast.Learned
	observed []float64
}

// NewForecastModels makes an empty memory.
func NewForecastModels() *ForecastModels {
	return &ForecastModels{otter.Must(&otter.Options[[sha256.Size]byte, *learnedModel]{MaximumSize: maxModels})}
}

// Close forgets all models and ends the memory's own work.
func (m *ForecastModels) Close() {
	m.learned.InvalidateAll()
	m.learned.StopAllGoroutines()
}

// Run answers like forecast.Run, with a model that learned up to the last
// full hour. Without a memory (nil) it learns anew.
func (m *ForecastModels) Run(r forecast.Request) (forecast.Result, error) {
	whole := r.History
	cut := whole.Len()
	if hour := whole.Index(core.Floor(whole.Time(cut), time.Hour)); hour >= max(int(minLearnedShare*float64(cut)), minLearned) {
		cut = hour
	}
	recent := whole.Values[cut:]
	r.History.Values = whole.Values[:cut]
	entry := m.entry(r)
	entry.mu.Lock()
	defer entry.mu.Unlock()
	if entry.model == nil || !extends(recent, entry.observed) {
		trained := telemetry.Time(telemetry.Training)
		model, err := forecast.Learn(r)
		trained()
		if err != nil {
			return forecast.Result{}, err
		}
		entry.model, entry.observed = model, nil
	}
	for _, v := range recent[len(entry.observed):] {
		entry.model.Observe(v)
	}
	entry.observed = slices.Clone(recent)
	return entry.model.Forecast(), nil
}

// entry is the remembered model of a request, or an empty one.
func (m *ForecastModels) entry(r forecast.Request) *learnedModel {
	fresh := &learnedModel{}
	if m == nil {
		return fresh
	}
	entry, _ := m.learned.SetIfAbsent(keyOf(r), fresh)
	return entry
}

// extends says whether values begin with those seen; a missing value equals a
// missing one.
func extends(values, seen []float64) bool {
	return len(values) >= len(seen) && slices.EqualFunc(values[:len(seen)], seen, func(a, b float64) bool {
		return a == b || math.IsNaN(a) && math.IsNaN(b)
	})
}

// keyOf is the hash of everything that a model depends on.
func keyOf(r forecast.Request) [sha256.Size]byte {
	hash := sha256.New()
	options := r
	options.History = series.Series{Start: r.History.Start, Step: r.History.Step}
	fmt.Fprintf(hash, "%#v %d", options, r.History.Start.UnixNano())
	bits := make([]byte, 8)
	for _, v := range r.History.Values {
		binary.LittleEndian.PutUint64(bits, math.Float64bits(v))
		hash.Write(bits)
	}
	return [sha256.Size]byte(hash.Sum(nil))
}
