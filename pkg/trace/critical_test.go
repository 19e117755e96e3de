package trace_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// golden is the benchmark data beside the repository.
const golden = "../../../shared/data/golden/critical-path"

// jaegerFile is the part of Jaeger's JSON that the golden cases use.
type jaegerFile struct {
	Data []struct {
		Processes map[string]struct{ ServiceName string }
		Spans     []struct {
			SpanID, OperationName, ProcessID string
			StartTime, Duration              int64 // microseconds
			References                       []struct{ RefType, SpanID string }
			Tags                             []struct {
				Key   string
				Value any
			}
		}
	}
	// Testing holds CRISP's own expectations; their form differs from case to
	// case.
	Testing json.RawMessage
}

// readJaeger reads the first trace of a file, with short texts as span ids, and
// the times that CRISP expects.
func readJaeger(t *testing.T, path string) (read *trace.Trace, times map[string]float64) {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var file jaegerFile
	require.NoError(t, json.Unmarshal(text, &file))
	read = &trace.Trace{}
	for _, span := range file.Data[0].Spans {
		next := trace.Span{
			ID: shortID(span.SpanID), Name: span.OperationName, Service: file.Data[0].Processes[span.ProcessID].ServiceName,
			Start: span.StartTime * 1000, Duration: span.Duration * 1000,
		}
		for _, reference := range span.References {
			if reference.RefType == "CHILD_OF" {
				next.ParentID = shortID(reference.SpanID)
			}
		}
		for _, tag := range span.Tags {
			if tag.Key == "span.kind" {
				next.Kind = map[any]trace.Kind{"client": trace.Client, "server": trace.Server, "producer": trace.Producer,
					"consumer": trace.Consumer}[tag.Value]
			}
		}
		read.Spans = append(read.Spans, next)
	}
	return read, crispTimes(t, file.Testing)
}

// crispTimes is CRISP's time on the critical path by "[service] operation",
// microseconds.
func crispTimes(t *testing.T, text json.RawMessage) map[string]float64 {
	var list []map[string]float64
	if json.Unmarshal(text, &list) == nil {
		return list[0]
	}
	var object struct{ OpTimeExclusive map[string]float64 }
	require.NoError(t, json.Unmarshal(text, &object))
	return object.OpTimeExclusive
}

func shortID(text string) (id trace.SpanID) {
	copy(id[:], text)
	return id
}

func TestCriticalPathOfCRISPsCases(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(golden, "expected.json"))
	if err != nil {
		t.Skip("benchmark data is not there: ", err)
	}
	var expected struct {
		Cases map[string]struct{ Spans []string }
	}
	require.NoError(t, json.Unmarshal(text, &expected))
	require.NotEmpty(t, expected.Cases)
	for name, want := range expected.Cases {
		t.Run(name, func(t *testing.T) {
			read, times := readJaeger(t, filepath.Join(golden, name))
			tree := build(read, trace.Limits{})
			found, exclusive := map[string]bool{}, map[string]float64{}
			for _, section := range criticalPath(tree) {
				// CRISP names callers as well that only waited for others.
				for at := section.Node; at != trace.None; at = tree.Nodes[at].Parent {
					found[longText(read.Spans[tree.Nodes[at].Span].ID)] = true
				}
				span := &read.Spans[tree.Nodes[section.Node].Span]
				exclusive["["+span.Service+"] "+span.Name] += float64(section.End-section.Start) / 1000
			}
			wanted := map[string]bool{}
			for _, id := range want.Spans {
				wanted[id] = true
			}
			require.Equal(t, wanted, found)
			// Where two calls overlap, CRISP counts the overlap for both and takes it
			// from their caller.
			inaccuracy := float64(tree.Nodes[0].Duration) / 1000 / 50
			for operation, microseconds := range times {
				require.InDelta(t, microseconds, exclusive[operation], inaccuracy, operation)
			}
		})
	}
}

func longText(id trace.SpanID) string { return strings.TrimRight(string(id[:]), "\x00") }
