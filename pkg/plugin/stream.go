package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/telemetry"
)

const (
	// channelPrefix carries a version: when the meaning of a live query changes,
	// its channels must have other names, or browsers would be fed stale ones.
	channelPrefix = "anomaly/v1/"
	// maxStreams bounds the channels of a data source, maxUserStreams those that
	// run for one user.
	maxStreams     = 64
	maxUserStreams = 16
	fastestTick    = 5 * time.Second
	longestLive    = 24 * time.Hour
	// maxLiveCells keeps the first message of a channel below the 4 MiB that
	// Grafana queues for a viewer: a number is written with up to 20 bytes.
	maxLiveCells = 150_000
)

var errDisposed = errors.New("the data source's settings changed; the stream starts again with the new ones")

// liveQuery is what a viewer asks to be kept up to date.
type liveQuery struct {
	Query   json.RawMessage `json:"query"`   // an anomaly query
	Seconds int             `json:"seconds"` // how much of the recent past to show
}

// live is a decoded liveQuery with the channel that belongs to it.
type live struct {
	question query.Anomaly
	window   time.Duration
	path     string
}

// parseLive checks a live query. Equal questions have equal channels however
// their JSON was written, so that many viewers cost one computation.
func parseLive(raw json.RawMessage) (live, error) {
	var queried liveQuery
	if err := json.Unmarshal(raw, &queried); err != nil {
		return live{}, fmt.Errorf("a live query is {\"query\": {…}, \"seconds\": 3600}: %w", err)
	}
	window := time.Duration(queried.Seconds) * time.Second
	if queried.Seconds <= 0 || window > longestLive {
		return live{}, fmt.Errorf("seconds is %d; a live window is between 1 and %d seconds", queried.Seconds, int(longestLive.Seconds()))
	}
	question, err := query.Parse("", queried.Query)
	if err != nil {
		return live{}, err
	}
	anomaly, ok := question.(query.Anomaly)
	if !ok {
		return live{}, fmt.Errorf("only anomaly queries can be watched live, not %s", question.Type())
	}
	anomaly.Live = false // however one came to watch, it is the same question
	canonical, err := json.Marshal(anomaly)
	if err != nil {
		return live{}, err
	}
	sum := sha256.Sum256(fmt.Appendf(canonical, " %d", queried.Seconds))
	return live{question: anomaly, window: window, path: channelPrefix + hex.EncodeToString(sum[:16])}, nil
}

// SubscribeStream lets a viewer in and shows the present state. The channel's
// name must belong to the query: otherwise one viewer could feed another's
// channel with a query of their own.
func (d *DataSource) SubscribeStream(ctx context.Context, request *backend.SubscribeStreamRequest) (*backend.SubscribeStreamResponse, error) {
	if !strings.HasPrefix(request.Path, channelPrefix) {
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusNotFound}, nil
	}
	queried, err := parseLive(request.Data)
	if err != nil || queried.path != request.Path {
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusPermissionDenied}, nil
	}
	ctx = budget.WithCaller(ctx, budget.Of(request.PluginContext, false))
	state, err := d.state(ctx, queried)
	if err != nil {
		return nil, err
	}
	initial, err := state.initial()
	if err != nil {
		return nil, err
	}
	return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusOK, InitialData: initial}, nil
}

// PublishStream refuses: channels carry answers only.
func (d *DataSource) PublishStream(context.Context, *backend.PublishStreamRequest) (*backend.PublishStreamResponse, error) {
	return &backend.PublishStreamResponse{Status: backend.PublishStreamStatusPermissionDenied}, nil
}

// RunStream sends the present state once, then each new point. It ends with an
// error when the instance is replaced: on nil Grafana would not start it again.
func (d *DataSource) RunStream(ctx context.Context, request *backend.RunStreamRequest, sender *backend.StreamSender) error {
	queried, err := parseLive(request.Data)
	if err != nil {
		return err
	}
	ctx = budget.WithCaller(ctx, budget.Of(request.PluginContext, false))
	leave, err := d.channels.open(queried.path, budget.CallerOf(ctx).User)
	if err != nil {
		return err
	}
	defer leave()
	defer telemetry.StreamStarted()()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(d.lifetime, func() { cancel(errDisposed) })()

	var sent sentRows
	var held liveMemory
	defer held.release()
	for {
		wait := fastestTick
		state, err := d.state(ctx, queried)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			err = held.hold(ctx, state.frame)
		}
		if err != nil {
			backend.Logger.FromContext(ctx).Warn("A live query failed; it is tried again", "error", err)
		} else if err := sent.send(state, sender); err != nil {
			return err
		} else {
			wait = max(state.at.Add(fastestTick).Sub(d.engine.Now()), time.Second)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// liveMemory is what a stream holds while it runs: its newest state, the one
// before, and what it has sent.
type liveMemory struct {
	cells int
	give  func()
}

// hold takes memory for a frame before it is kept; what was held before is given
// back.
func (m *liveMemory) hold(ctx context.Context, frame *data.Frame) error {
	const states, bytesPerCell = 3, 16
	cells := cellsOf(frame)
	if cells <= m.cells {
		return nil
	}
	m.release()
	give, err := budget.Process.Live.Acquire(ctx, int64(states*bytesPerCell*cells))
	if err != nil {
		return err
	}
	m.cells, m.give = cells, give
	return nil
}

func (m *liveMemory) release() {
	if m.give != nil {
		m.give()
	}
	m.cells, m.give = 0, nil
}

// state is the newest state of a channel, however many want to know it.
func (d *DataSource) state(ctx context.Context, queried live) (*snapshot, error) {
	return d.channels.state(ctx, queried.path, d.engine.Now, func(ctx context.Context) (*data.Frame, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(d.lifetime, cancel)()
		ctx, end := telemetry.Live(ctx)
		found, leave, err := d.admittedState(ctx, queried)
		end(err)
		if err != nil {
			return nil, err
		}
		defer leave()
		return withinLive(frames.AnomalyLive(found, queried.question))
	})
}

// withinLive refuses what would be cut off on its way to the viewer.
func withinLive(frame *data.Frame) (*data.Frame, error) {
	frames.Within(data.Frames{frame})
	if cells := cellsOf(frame); cells > maxLiveCells {
		return nil, fmt.Errorf("%d lines of %d points are too many to be sent live; choose a shorter time range or fewer series", len(frame.Fields), frame.Rows())
	}
	return frame, nil
}

// sentRows remembers what a channel's viewers already have.
type sentRows struct {
	schema string
	frame  *data.Frame
}

// send sends the whole frame where its columns are new to the viewers, else
// the rows from the first on that they do not have or that changed, as late
// samples change the newest: viewers keep the newest version of each time.
func (s *sentRows) send(state *snapshot, sender *backend.StreamSender) error {
	frame := state.frame
	rows := frame.Rows()
	if rows == 0 && s.schema != "" {
		return nil
	}
	if schema := schemaOf(frame); schema != s.schema {
		if err := sender.SendFrame(frame, data.IncludeAll); err != nil {
			return err
		}
		s.schema = schema
	} else if first := s.firstNews(state); first < rows {
		if err := sender.SendFrame(frames.Rows(frame, first, rows), data.IncludeDataOnly); err != nil {
			return err
		}
	}
	s.frame = frame
	return nil
}

func (s *sentRows) firstNews(state *snapshot) int {
	if s.frame != nil && s.frame == state.older {
		return state.news()
	}
	return firstNews(s.frame, state.frame)
}

// firstNews is the first row of a frame that is later than an older frame of
// the same columns, or differs from the row of the same time there.
func firstNews(older, frame *data.Frame) int {
	known := 0
	for row := range frame.Rows() {
		at := timeAt(frame, row)
		for known < older.Rows() && timeAt(older, known).Before(at) {
			known++
		}
		if known == older.Rows() || timeAt(older, known).Equal(at) && !equalRows(older, known, frame, row) {
			return row
		}
	}
	return frame.Rows()
}

func equalRows(a *data.Frame, i int, b *data.Frame, j int) bool {
	if len(a.Fields) != len(b.Fields) {
		return false
	}
	for column, field := range a.Fields[1:] {
		was, _ := field.At(i).(*float64)
		is, _ := b.Fields[1+column].At(j).(*float64)
		if (was == nil) != (is == nil) || was != nil && *was != *is {
			return false
		}
	}
	return true
}

func timeAt(frame *data.Frame, row int) time.Time {
	at, _ := frame.Fields[0].At(row).(time.Time)
	return at
}

func schemaOf(frame *data.Frame) string {
	var schema strings.Builder
	for _, field := range frame.Fields {
		fmt.Fprintf(&schema, "%s%s%s|", field.Name, field.Labels, field.Type())
	}
	return schema.String()
}
