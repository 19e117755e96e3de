package frames

import (
	"fmt"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/internal/shorten"
)

// The lengths to which texts of an answer are cut, in bytes. What upstreams
// return has no limit of its own, and a browser draws all of it.
const (
	maxDisplayName = 256
	maxLabelValue  = 1 << 10
	maxText        = 8 << 10 // of a cell, or of a notice
	maxExecuted    = 16 << 10
)

// Within cuts the texts of an answer to lengths that a browser can draw, and
// adds a notice where it did. It returns the answer's size in bytes, roughly.
func Within(all data.Frames) (size int64) {
	cut := 0
	text := func(value string, limit int) string {
		if len(value) > limit {
			cut++
			value = shorten.Bytes(value, limit)
		}
		size += int64(len(value))
		return value
	}
	for _, frame := range all {
		frame.Name = text(frame.Name, maxDisplayName)
		if frame.Meta != nil {
			frame.Meta.ExecutedQueryString = text(frame.Meta.ExecutedQueryString, maxExecuted)
			for i := range frame.Meta.Notices {
				frame.Meta.Notices[i].Text = text(frame.Meta.Notices[i].Text, maxText)
			}
		}
		for _, field := range frame.Fields {
			field.Name = text(field.Name, maxDisplayName)
			if field.Config != nil {
				field.Config.DisplayNameFromDS = text(field.Config.DisplayNameFromDS, maxDisplayName)
			}
			field.Labels = shortLabels(field.Labels, text)
			shortCells(field, text)
			size += int64(field.Len()) * bytesPerCell
		}
	}
	if cut > 0 && len(all) > 0 {
		all[0].AppendNotices(data.Notice{Severity: data.NoticeSeverityInfo, Text: fmt.Sprintf("%d texts were longer than is shown, and were cut.", cut)})
	}
	return size
}

// bytesPerCell is what a number takes in memory and once more on its way.
const bytesPerCell = 32

// shortLabels are the labels themselves where none is too long: they are shared
// with the memory of answers, and must not be changed.
func shortLabels(labels data.Labels, text func(string, int) string) data.Labels {
	var short data.Labels
	for name, value := range labels {
		cutName, cutValue := text(name, maxLabelValue), text(value, maxLabelValue)
		if cutName == name && cutValue == value {
			continue
		}
		if short == nil {
			short = labels.Copy()
		}
		delete(short, name)
		short[cutName] = cutValue
	}
	if short == nil {
		return labels
	}
	return short
}

func shortCells(field *data.Field, text func(string, int) string) {
	switch field.Type() {
	case data.FieldTypeString:
		for i := range field.Len() {
			if value, _ := field.At(i).(string); value != "" {
				if short := text(value, maxText); len(short) != len(value) {
					field.Set(i, short)
				}
			}
		}
	case data.FieldTypeNullableString:
		for i := range field.Len() {
			if value, _ := field.At(i).(*string); value != nil {
				if short := text(*value, maxText); len(short) != len(*value) {
					field.Set(i, &short)
				}
			}
		}
	}
}
