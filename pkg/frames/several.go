package frames

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/query"
)

// Part is the answer about one of several services, operations or versions.
type Part struct {
	Name   string            // for people
	Labels map[string]string // that tell it from the other parts
	Frames data.Frames
	// Missing is why there is no answer: what the query names is not in the data;
	// empty where there is one.
	Missing string
	// Unasked says that nobody named what is missing: it is one of all there are, as
	// a database that sends no metrics, and no reason to warn.
	Unasked bool
}

// Several shapes the answers of one query about several things as one answer: an
// alert has an instance for each, tables and annotations have all rows, and
// panels a line for each.
func Several(parts []Part, format query.Format) (data.Frames, error) {
	var notices remarks
	for i := range parts {
		if parts[i].Missing != "" {
			severity := data.NoticeSeverityWarning
			if parts[i].Unasked {
				severity = data.NoticeSeverityInfo
			}
			notices.add(severity, fmt.Sprintf("%s: %s", parts[i].Name, parts[i].Missing))
		}
		for _, frame := range parts[i].Frames {
			if frame.Meta == nil {
				continue
			}
			for _, notice := range frame.Meta.Notices {
				notices.add(notice.Severity, named(parts[i].Name, notice.Text))
			}
			frame.Meta.Notices = nil
		}
	}
	var all data.Frames
	var err error
	if format == query.Alert {
		all, err = severalInstances(parts)
	} else {
		all = severalFrames(parts, format, &notices)
	}
	return notices.attach(all), err
}

// named is a text that says which part it is about.
func named(part, text string) string {
	if strings.Contains(text, part) {
		return text
	}
	return part + ": " + text
}

// severalInstances is one row with the numbers of all parts. What is missing has
// no data, which leaves the others alone.
func severalInstances(parts []Part) (data.Frames, error) {
	var frame *data.Frame
	for _, part := range parts {
		if len(part.Frames) > 0 && frame == nil {
			frame = data.NewFrame(part.Frames[0].Name)
			frame.Meta = part.Frames[0].Meta
		} else if len(part.Frames) > 0 {
			appendExecuted(frame, part.Frames[0])
		}
	}
	if frame == nil {
		return nil, nil
	}
	shared := sharedLabels(parts)
	seen := map[string]bool{}
	for _, part := range parts {
		fields := data.Fields{data.NewField(frame.Name, maps.Clone(shared), []*float64{nil})}
		if len(part.Frames) > 0 && len(part.Frames[0].Fields) > 0 {
			fields = part.Frames[0].Fields
		}
		for _, field := range fields {
			set := data.Labels(maps.Clone(part.Labels))
			maps.Copy(set, field.Labels)
			if field.Labels = set; seen[set.String()] {
				return nil, duplicate(set.String())
			}
			seen[set.String()] = true
			frame.Fields = append(frame.Fields, field)
		}
	}
	return data.Frames{frame}, nil
}

// sharedLabels are those that all instances have alike, but for those that tell
// parts apart.
func sharedLabels(parts []Part) data.Labels {
	var shared data.Labels
	for _, part := range parts {
		for _, frame := range part.Frames {
			for _, field := range frame.Fields {
				if shared == nil {
					shared = maps.Clone(field.Labels)
					continue
				}
				maps.DeleteFunc(shared, func(name, value string) bool { return field.Labels[name] != value })
			}
		}
	}
	for _, part := range parts {
		maps.DeleteFunc(shared, func(name, _ string) bool { return part.Labels[name] != "" })
	}
	return shared
}

// appendExecuted adds the queries of another frame, each once.
func appendExecuted(frame, other *data.Frame) {
	if frame.Meta == nil || other.Meta == nil {
		return
	}
	lines := strings.Split(frame.Meta.ExecutedQueryString, "\n")
	for line := range strings.SplitSeq(other.Meta.ExecutedQueryString, "\n") {
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	frame.Meta.ExecutedQueryString = strings.Join(lines, "\n")
}

// severalFrames joins the tables of equal form, and leaves other frames beside
// each other, named after their part.
func severalFrames(parts []Part, format query.Format, notices *remarks) data.Frames {
	var all data.Frames
	tables := map[string]*data.Frame{} // by name and form
	identify := format == query.Panel
	added := identifyingColumns(parts)
	drawn := map[string]int{}
	for _, part := range parts {
		for _, frame := range part.Frames {
			name := frame.Name
			if !isTable(frame) {
				drawn[name]++
				nameFrame(frame, part.Name)
				all = append(all, frame)
				continue
			}
			if identify {
				for _, label := range added[name] {
					frame.Fields = append(data.Fields{identifying(label, part.Labels[label], frame.Rows())}, frame.Fields...)
				}
			}
			key := formOf(frame)
			if tables[key] == nil {
				tables[key] = frame
				all = append(all, frame)
				continue
			}
			appendRows(tables[key], frame)
			appendExecuted(tables[key], frame)
		}
	}
	if drawn["flamegraph"] > 1 || drawn["flameGraph"] > 1 {
		notices.add(data.NoticeSeverityInfo, "A flame graph panel draws the first of several only: repeat the panel by its variable.")
	}
	return all
}

// isTable says whether the rows of another frame can follow a frame's.
func isTable(frame *data.Frame) bool {
	return frame.Meta != nil && (frame.Meta.Type == data.FrameTypeTable || frame.Meta.PreferredVisualization == data.VisTypeNodeGraph)
}

// formOf is equal for frames whose rows can follow each other.
func formOf(frame *data.Frame) string {
	var form strings.Builder
	form.WriteString(frame.Name)
	for _, field := range frame.Fields {
		fmt.Fprintf(&form, "\x00%s\x00%s", field.Name, field.Type())
	}
	return form.String()
}

// appendRows adds the rows of another frame; those of a node graph once for each
// id.
func appendRows(frame, other *data.Frame) {
	known := map[any]bool{}
	id := slices.IndexFunc(frame.Fields, func(f *data.Field) bool { return f.Name == "id" })
	if frame.Meta.PreferredVisualization != data.VisTypeNodeGraph {
		id = -1
	}
	if id >= 0 {
		for row := range frame.Rows() {
			known[frame.Fields[id].At(row)] = true
		}
	}
	for row := range other.Rows() {
		if id >= 0 && known[other.Fields[id].At(row)] {
			continue
		}
		for i, field := range frame.Fields {
			field.Append(other.Fields[i].At(row))
		}
	}
}

// nameFrame tells a frame, and its lines, from those of other parts.
func nameFrame(frame *data.Frame, part string) {
	frame.Name = named(part, frame.Name)
	for _, field := range frame.Fields {
		if field.Config != nil && field.Config.DisplayNameFromDS != "" {
			field.Config.DisplayNameFromDS = named(part, field.Config.DisplayNameFromDS)
		}
	}
}

// asked are the columns that say which part a row is about.
var queried = map[string]struct{ column, title string }{
	"service_name": {"service", "Service"}, "operation": {"operation", "Operation"},
	"baseline_version": {"baseline_version", "Baseline version"}, "candidate_version": {"candidate_version", "Candidate version"},
}

// identifyingColumns are the labels of parts that tables do not tell, by the
// tables' names.
func identifyingColumns(parts []Part) map[string][]string {
	missing := map[string][]string{}
	for _, part := range parts {
		for _, frame := range part.Frames {
			if !isTable(frame) || frame.Meta.PreferredVisualization == data.VisTypeNodeGraph {
				continue
			}
			for _, label := range slices.Sorted(maps.Keys(part.Labels)) {
				if !slices.Contains(missing[frame.Name], label) && !tells(frame, label, part.Labels[label]) {
					missing[frame.Name] = append(missing[frame.Name], label)
				}
			}
		}
	}
	return missing
}

// tells says whether a column of the table holds a value in every row.
func tells(frame *data.Frame, label, value string) bool {
	column := queried[label].column
	return slices.ContainsFunc(frame.Fields, func(f *data.Field) bool {
		if f.Name != column && f.Name != "asked_"+column || f.Type() != data.FieldTypeString {
			return false
		}
		for row := range f.Len() {
			if f.At(row) != value {
				return false
			}
		}
		return true
	})
}

func identifying(label, value string, rows int) *data.Field {
	values := make([]string, rows)
	for i := range values {
		values[i] = value
	}
	field := data.NewField("asked_"+queried[label].column, nil, values)
	field.Config = &data.FieldConfig{DisplayNameFromDS: "Asked " + strings.ToLower(queried[label].title)}
	return field
}
