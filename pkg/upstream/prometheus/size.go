package prometheus

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"net/http"

	"github.com/prometheus/common/model"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

const (
	// minPoints is what a series counts as that has fewer points: its labels
	// take as much as so many.
	minPoints = 256
	// maxLabelValue is the length to which values of labels are cut, in bytes, and
	// maxLabels the number of labels that a series may have.
	maxLabelValue = 1 << 10
	maxLabels     = 256

	// What decoding takes, in bytes: of a series, its labels apart, of a sample,
	// and of a value in a list.
	decodedSeries, decodedSample, decodedText = 512, 32, 32
)

// decoding waits for a processor before an answer is decoded: that of the turn
// that QueryRange gives back when it has seen the result.
type decoding struct{ *transport.Client }

// Do implements api.Client.
func (d decoding) Do(ctx context.Context, request *http.Request) (*http.Response, []byte, error) {
	response, body, err := d.Client.Do(ctx, request)
	if err != nil {
		return response, body, err
	}
	if err := budget.TurnOf(ctx).Take(ctx); err != nil {
		return nil, nil, d.Failure(ctx, err)
	}
	return response, body, nil
}

// decodedSize is what a piece of an answer takes when it is decoded, from above,
// its text apart. The decoder copies the data out of the envelope first.
func decodedSize(body []byte) int64 {
	found := int64(bytes.Count(body, []byte(`"metric"`)))
	samples := int64(bytes.Count(body, []byte(`],`))) + found
	texts := int64(bytes.Count(body, []byte(`",`)))
	return 2*int64(len(body)) + found*decodedSeries + samples*decodedSample + texts*decodedText
}

// labels are those of a metric, each value cut to a length. What is cut ends with
// a hash, so that values that begin alike stay different.
func (g *grid) labels(metric model.Metric) (labels series.Labels, size int64, err error) {
	if len(metric) > maxLabels {
		return nil, 0, &upstream.Error{
			Upstream: Name, Category: upstream.Rejected,
			Message: fmt.Sprintf("a series has %d labels, more than %d", len(metric), maxLabels),
			Advice:  "Aggregate, as with sum by (...)",
		}
	}
	labels = make(series.Labels, len(metric))
	for name, value := range metric {
		text := string(value)
		if len(text) > maxLabelValue {
			g.cut++
			text = cutLabel(text)
		}
		labels[string(name)] = text
		size += int64(len(name)+len(text)) + sizeOfLabel
	}
	return labels, size, nil
}

// sizeOfLabel is what an entry of a map takes beside its texts.
const sizeOfLabel = 64

func cutLabel(text string) string {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(text))
	return upstream.Clean(text, maxLabelValue-20) + fmt.Sprintf(" (%016x)", hash.Sum64())
}
