package enrich

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
)

const (
	// retryTime is for how long the same notification to the same target is taken for
	// a retry. Alertmanager and Grafana repeat themselves after hours.
	retryTime = 10 * time.Minute
	// lease is how long a replica may need for a delivery. One that began longer ago
	// and has no end has failed.
	lease = 40 * time.Second
	// maxKnown bounds the memory for deliveries.
	maxKnown = 5000
	// bookTime is how long Grafana is waited for: a page is not lost because
	// annotations cannot be written.
	bookTime = 3 * time.Second
)

// state is how far a delivery is.
type state int

const (
	unsent state = iota
	sending
	sent
)

// ledger keeps deliveries apart: in memory those of this replica, and in Grafana's
// annotations those of all. An annotation without an end is a delivery under way.
type ledger struct {
	writer annotation.Writer                        // nil for memory alone
	reader annotation.Source[annotation.Annotation] // those with annotation.NotifiedTag
	now    func() time.Time

	mu    sync.Mutex
	known map[string]delivery
}

type delivery struct {
	state state
	at    time.Time
	note  annotation.Annotation
}

// begin claims a delivery. The state tells whether it was sent already, is being
// sent by somebody else, or is to be sent by the caller, who ends it with done.
func (l *ledger) begin(ctx context.Context, target, id, text string) (before state, notice string) {
	now := l.now()
	key := target + " " + id
	l.mu.Lock()
	past, known := l.known[key]
	if known && now.Sub(past.at) < retryTime {
		if past.state == sent || past.state == sending && now.Sub(past.at) < lease {
			l.mu.Unlock()
			return past.state, ""
		}
	}
	l.forget(now)
	l.known[key] = delivery{state: sending, at: now}
	l.mu.Unlock()
	if l.writer == nil {
		return unsent, "Without grafana.url and grafanaToken, only this replica knows what it sent."
	}
	note := noteOf(target, id, text, now)
	others, notice := l.others(ctx, note, now, known && past.state == unsent)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch others {
	case unsent:
		l.known[key] = delivery{sending, now, note}
	case sent:
		l.known[key] = delivery{state: sent, at: now}
	case sending:
		delete(l.known, key)
	}
	return others, notice
}

// others is the state that other replicas, or this one before a restart, know.
// failedHere says that the delivery without an end is one of this replica.
func (l *ledger) others(ctx context.Context, note annotation.Annotation, now time.Time, failedHere bool) (state, string) {
	ctx, cancel := context.WithTimeout(ctx, bookTime)
	defer cancel()
	written, err := l.writer.Upsert(ctx, note)
	if err != nil {
		return unsent, fmt.Sprintf("Whether another replica sent it is unknown: %v.", err)
	}
	if written {
		return unsent, ""
	}
	if l.reader == nil {
		return sent, ""
	}
	found, _, err := l.reader.Read(ctx, now.Add(-retryTime), now.Add(time.Minute))
	if err != nil {
		return unsent, fmt.Sprintf("Whether another replica sent it is unknown: %v.", err)
	}
	for _, one := range found {
		if one.ID != note.ID && !slices.Contains(note.Earlier, one.ID) {
			continue
		}
		switch {
		case !one.End.IsZero() && !one.End.Equal(one.Start):
			return sent, ""
		case now.Sub(one.Start) < lease && !failedHere:
			return sending, ""
		}
	}
	return unsent, ""
}

// done ends a delivery that begin gave to the caller. One that failed can be tried
// again at once.
func (l *ledger) done(ctx context.Context, target, id string, delivered bool) (notice string) {
	key := target + " " + id
	l.mu.Lock()
	one := l.known[key]
	one.state = unsent
	if delivered {
		one.state = sent
	}
	l.known[key] = one
	l.mu.Unlock()
	if !delivered || l.writer == nil || one.note.ID == "" {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, bookTime)
	defer cancel()
	one.note.End = l.now()
	if !one.note.End.After(one.note.Start) {
		one.note.End = one.note.Start.Add(time.Millisecond)
	}
	if _, err := l.writer.Upsert(ctx, one.note); err != nil {
		return fmt.Sprintf("That it was sent could not be written down, so another replica may send it again: %v.", err)
	}
	return ""
}

// forget drops deliveries that are too old to be tried again, and the oldest where
// there are too many. The caller holds the lock.
func (l *ledger) forget(now time.Time) {
	for key, one := range l.known {
		if now.Sub(one.at) >= retryTime {
			delete(l.known, key)
		}
	}
	for len(l.known) >= maxKnown {
		oldest := ""
		for key, one := range l.known {
			if oldest == "" || one.at.Before(l.known[oldest].at) {
				oldest = key
			}
		}
		delete(l.known, oldest)
	}
}

// noteOf is a delivery as an annotation. Its id has the minute in it, since the
// same notification is sent again after hours, and is another delivery then.
func noteOf(target, id, text string, now time.Time) annotation.Annotation {
	minute := func(ago int64) string { return annotation.ID("notified", target, id, now.Unix()/60-ago) }
	note := annotation.Annotation{ID: minute(0), Start: now.Truncate(time.Millisecond), Tags: []string{annotation.NotifiedTag}, Text: fmt.Sprintf("Passed on to %s: %s", target, text)}
	for ago := range int64(retryTime / time.Minute) {
		note.Earlier = append(note.Earlier, minute(ago+1))
	}
	return note
}
