// Package annotation is the grammar of annotations in Grafana, in which deploys,
// alerts, incidents, feedback and the acts of playbooks are kept. There is one
// type for each kind, with the tags that it is written as and how it is read
// again; people and other tools write such annotations too.
package annotation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Annotation is what Grafana keeps of something that happened.
type Annotation struct {
	// ID is the same for the same event, whoever reports it and however often;
	// empty for an annotation that Foresight did not write.
	ID string
	// Earlier are IDs under which the same event may have been saved before,
	// where its sender gives neither a time nor an id.
	Earlier []string
	Start   time.Time
	End     time.Time // the zero time for an instant, or while it lasts
	Text    string
	Tags    []string
}

// Source is where annotations of one kind are read.
type Source[T any] interface {
	// Read returns those that begin in start ≤ t ≤ end, oldest first, and says
	// what was left out.
	Read(ctx context.Context, start, end time.Time) (all []T, warnings []string, err error)
}

// Writer is where annotations are written.
type Writer interface {
	// Upsert writes an annotation once, and its end when that is known. It reports
	// whether this call wrote anything. After an error the annotation may be there
	// or not; writing it again makes it be there once.
	Upsert(ctx context.Context, a Annotation) (written bool, err error)
}

// Decoded reads annotations as values of one kind; those that are of another
// kind are left out.
func Decoded[T any](source Source[Annotation], decode func(Annotation) (T, bool)) Source[T] {
	return decoded[T]{source, decode}
}

type decoded[T any] struct {
	source Source[Annotation]
	decode func(Annotation) (T, bool)
}

func (d decoded[T]) Read(ctx context.Context, start, end time.Time) (all []T, warnings []string, err error) {
	annotations, warnings, err := d.source.Read(ctx, start, end)
	for _, a := range annotations {
		if value, ok := d.decode(a); ok {
			all = append(all, value)
		}
	}
	return all, warnings, err
}

// ID is the same for equal parts, on every replica.
func ID(parts ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%q", parts)))
	return hex.EncodeToString(sum[:8])
}
