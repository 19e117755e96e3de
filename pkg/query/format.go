package query

import (
	"fmt"
	"slices"
	"strings"
)

// formats are the shapes in which each type can be answered, the default
// first.
var formats = map[Type][]Format{
	TypeForecast:   {Panel, Alert},
	TypeAnomaly:    {Panel, Alert, Annotations},
	TypeComposite:  {Panel, Alert, Annotations},
	TypeBreach:     {Panel, Alert},
	TypeBudget:     {Panel, Alert},
	TypeObjectives: {Panel},
	TypeDeploys:    {Panel, Alert, Annotations},
	TypeTraceDiff:  {Panel, Alert, Annotations},
	TypeReplay:     {Panel, Annotations},
	TypeRootCause:  {Panel, Alert, Annotations},
	TypeServiceMap: {Panel, Alert},
	TypeVerdict:    {Panel, Alert},
	TypeImpact:     {Panel, Alert},
	TypeIncidents:  {Panel, Alert, Annotations},
	TypeJourney:    {Panel, Alert, Annotations},
	TypeJourneys:   {Panel},
	TypeRollout:    {Panel},
	TypeSizing:     {Panel, Alert},
	TypePatterns:   {Panel, Alert, Annotations},
	TypeExplain:    {Panel},
	TypeChanges:    {Panel, Annotations},
	TypeServices:   {Panel},
	TypeOperations: {Panel},
	TypeVersions:   {Panel},
}

// FormatOf is the format in which to answer: the one asked for or else, as a
// rule evaluates numbers only, "alert" for alert rules and "panel" for all
// others. It is an error where the query has no such format.
func FormatOf(q Query, fromAlert bool) (Format, error) {
	format := q.RequestedFormat()
	if format == "" {
		format = Panel
		if fromAlert {
			format = Alert
		}
	}
	return format, checkFormat(q.Type(), format)
}

func checkFormat(t Type, format Format) error {
	if format == "" || slices.Contains(formats[t], format) {
		return nil
	}
	var names []string
	for _, f := range formats[t] {
		names = append(names, string(f))
	}
	return fmt.Errorf("a %s query has no format %.40q: choose one of %s", t, format, strings.Join(names, ", "))
}
