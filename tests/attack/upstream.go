package attack

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// upstream is a Prometheus and a Jaeger that answer at once, but for queries
// that name one of the ways in which an answer can be too much.
type upstream struct {
	prepare sync.Once
	million []byte // series of one sample
	wide    []byte // series with long labels
	bomb    []byte // gzip
	traces  []byte // giant, and cyclic
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.prepare.Do(u.make)
	_ = r.ParseForm()
	query := r.Form.Get("query")
	switch {
	case strings.HasSuffix(r.URL.Path, "/api/traces"):
		_, _ = w.Write(u.traces)
	case strings.HasSuffix(r.URL.Path, "/api/services"):
		_, _ = w.Write([]byte(`{"data":["shop","cart"]}`))
	case strings.Contains(r.URL.Path, "/label/"):
		_, _ = w.Write([]byte(`{"status":"success","data":["cart"]}`))
	case !strings.HasSuffix(r.URL.Path, "/query_range"):
		_, _ = w.Write([]byte(`{"status":"success","data":{}}`))
	case strings.HasPrefix(query, "slow"):
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	case strings.HasPrefix(query, "million"):
		_, _ = w.Write(u.million)
	case strings.HasPrefix(query, "wide"):
		_, _ = w.Write(u.wide)
	case strings.HasPrefix(query, "bomb"):
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(u.bomb)
	case strings.HasPrefix(query, "nested"):
		_, _ = w.Write([]byte(strings.Repeat(`{"data":[`, 1<<17)))
	case strings.HasPrefix(query, "trickle"):
		for range 600 {
			if _, err := w.Write([]byte(strings.Repeat(" ", 1<<10))); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			time.Sleep(50 * time.Millisecond)
		}
	case strings.HasPrefix(query, "many"):
		u.lines(w, r, 200)
	case strings.HasPrefix(query, "few"):
		u.lines(w, r, 5)
	default:
		u.lines(w, r, 1)
	}
}

// lines are series with the rhythm of a day.
func (u *upstream) lines(w http.ResponseWriter, r *http.Request, count int) {
	number := func(name string) float64 { v, _ := strconv.ParseFloat(r.Form.Get(name), 64); return v }
	start, end, step := number("start"), number("end"), max(number("step"), 1)
	var points bytes.Buffer
	for at := start; at <= end; at += step {
		if points.Len() > 0 {
			points.WriteByte(',')
		}
		fmt.Fprintf(&points, `[%.0f,"%.2f"]`, at, 100-30*math.Cos(2*math.Pi*at/86400)+3*math.Sin(at*1.7))
	}
	_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"matrix","result":[`))
	for i := range count {
		if i > 0 {
			_, _ = w.Write([]byte(","))
		}
		_, _ = fmt.Fprintf(w, `{"metric":{"i":"%d"},"values":[%s]}`, i, points.Bytes())
	}
	_, _ = w.Write([]byte(`]}}`))
}

func (u *upstream) make() {
	now := time.Now().Unix() / 60 * 60
	answer := func(series func(i int) string, count int) []byte {
		var b bytes.Buffer
		b.WriteString(`{"status":"success","data":{"resultType":"matrix","result":[`)
		for i := range count {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(series(i))
		}
		b.WriteString(`]}}`)
		return b.Bytes()
	}
	// As many as fit into what the plugin reads of an answer.
	u.million = answer(func(i int) string { return fmt.Sprintf(`{"metric":{"i":"%d"},"values":[[%d,"1"]]}`, i, now) }, 600_000)
	long := strings.Repeat("x", 60<<10)
	u.wide = answer(func(i int) string {
		return fmt.Sprintf(`{"metric":{"a":"%s%d"},"values":[[%d,"1"],[%d,"2"]]}`, long, i, now-60, now)
	}, 100)
	var bomb bytes.Buffer
	compressed := gzip.NewWriter(&bomb)
	for range 512 {
		_, _ = compressed.Write(make([]byte, 1<<20))
	}
	_ = compressed.Close()
	u.bomb = bomb.Bytes()

	var spans bytes.Buffer
	for i := range 20_000 {
		if i > 0 {
			spans.WriteByte(',')
		}
		// Each span's parent is the one before, and the first one's the last.
		fmt.Fprintf(&spans, `{"traceID":"00000000000000000000000000000001","spanID":"%016x","operationName":"GET /%d","startTime":%d,"duration":%d,"processID":"p1",`+
			`"references":[{"refType":"CHILD_OF","traceID":"00000000000000000000000000000001","spanID":"%016x"}],"tags":[{"key":"db.statement","type":"string","value":"SELECT %d"}]}`,
			i+1, i%500, now*1_000_000+int64(i), 20_000-i, (i+19_999)%20_000+1, i)
	}
	u.traces = []byte(`{"data":[{"traceID":"00000000000000000000000000000001","spans":[` + spans.String() +
		`],"processes":{"p1":{"serviceName":"shop","tags":[{"key":"service.version","type":"string","value":"2"}]}}}]}`)
}
