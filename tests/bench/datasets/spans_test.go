package datasets

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
)

func write(t *testing.T, name, text string, packed bool) string {
	t.Helper()
	content := []byte(text)
	if packed {
		var buffer bytes.Buffer
		writer := gzip.NewWriter(&buffer)
		_, err := writer.Write(content)
		require.NoError(t, err)
		require.NoError(t, writer.Close())
		content = buffer.Bytes()
	}
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func TestNezhaSpansCountOnce(t *testing.T) {
	const header = "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration\n"
	const root = "0087f677c0a2cf3f80a551987167911b,ee744a66e6efcb2e,root,frontend-579b9bff58-t2dbm,Recv.,1000,5000,4\n"
	const call = "0087f677c0a2cf3f80a551987167911b,a23660ca2e7cc4c8,ee744a66e6efcb2e,ts-auth-service-f5756978c-k8vqf,BasicErrorController.error,2000,3000,1\n"
	traces, err := ReadSpans([]string{write(t, "a.csv.gz", header+root+call, true), write(t, "b.csv", header+root, false)})
	require.NoError(t, err)
	require.Len(t, traces, 1)
	require.Len(t, traces[0].Spans, 2)
	require.Equal(t, "frontend", traces[0].Spans[0].Service)
	require.Zero(t, traces[0].Spans[0].ParentID)
	require.Equal(t, "ts-auth-service", traces[0].Spans[1].Service)
	require.True(t, traces[0].Spans[1].Failed)
	require.EqualValues(t, 1000, traces[0].Spans[1].Duration)

	_, err = ReadSpans([]string{write(t, "c.csv", header+"xyz,1,root,p,o,1,2,1\n", false)})
	require.ErrorContains(t, err, "c.csv: line 2: ")
}

func TestOTLPSpans(t *testing.T) {
	const line = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}},{"key":"service.version","value":{"stringValue":"2"}}]},
"scopeSpans":[{"spans":[{"traceId":"0087f677c0a2cf3f80a551987167911b","spanId":"ee744a66e6efcb2e","name":"GET","kind":2,"startTimeUnixNano":"1661140374351773094","endTimeUnixNano":"1661140374362982609",
"attributes":[{"key":"http.route","value":{"stringValue":"/x"}},{"key":"secret","value":{"stringValue":"y"}},{"key":"http.response.status_code","value":{"intValue":"500"}}],"status":{"code":"STATUS_CODE_ERROR"}}]}]}]}`
	other := bytes.ReplaceAll([]byte(line), []byte("ee744a66e6efcb2e"), []byte("ee744a66e6efcb2f"))
	traces, err := ReadSpans([]string{write(t, "a.json.gz", line+"\n"+string(other), true)})
	require.NoError(t, err)
	require.Len(t, traces, 1)
	require.Len(t, traces[0].Spans, 2)
	span := traces[0].Spans[0]
	require.Equal(t, "web", span.Service)
	require.Equal(t, "2", span.Version)
	require.Equal(t, trace.Server, span.Kind)
	require.True(t, span.Failed)
	require.EqualValues(t, 1661140374351773094, span.Start)
	require.EqualValues(t, 11209515, span.Duration)
	require.Equal(t, []trace.Attribute{{Key: "http.route", Value: "/x"}, {Key: "http.response.status_code", Value: "500"}}, span.Attributes)
}
