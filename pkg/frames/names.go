package frames

import (
	"fmt"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

// Names shapes a list of names for a dashboard variable: Grafana takes the
// first text field of the answer for its options.
func Names(a engine.NamesAnswer, queryType query.Type, format query.Format) (data.Frames, error) {
	if format != query.Panel {
		return nil, noFormat(queryType, format)
	}
	frame := newFrame(string(queryType), data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	frame.Fields = data.Fields{column(a.Names, "name", "", "", func(name string) string { return name })}
	notices := remarksOf(a.Provenance)
	if len(a.Names) == 0 {
		notices.add(data.NoticeSeverityInfo, fmt.Sprintf("No %s were found in this window.", queryType))
	}
	return notices.attach(data.Frames{frame}), nil
}
