package query

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// maxBody bounds the JSON of one query: every field at its own limit fits.
const maxBody = 1 << 20

// parser reads one type of query. Fields are those of its struct.
type parser struct {
	parse  func(map[string]json.RawMessage) (Query, error)
	fields map[string]reflect.Type
}

// parsers is the table of the query types: the one place where a type is
// announced.
var parsers = map[Type]parser{
	TypeForecast:   parserOf[Forecast](),
	TypeAnomaly:    parserOf[Anomaly](),
	TypeComposite:  parserOf[Composite](),
	TypeBreach:     parserOf[Breach](),
	TypeBudget:     parserOf[Budget](),
	TypeObjectives: parserOf[Objectives](),
	TypeDeploys:    parserOf[Deploys](),
	TypeTraceDiff:  parserOf[TraceDiff](),
	TypeReplay:     parserOf[Replay](),
	TypeRootCause:  parserOf[RootCause](),
	TypeServiceMap: parserOf[ServiceMap](),
	TypeVerdict:    parserOf[Verdict](),
	TypeImpact:     parserOf[Impact](),
	TypeIncidents:  parserOf[Incidents](),
	TypeJourney:    parserOf[Journey](),
	TypeJourneys:   parserOf[Journeys](),
	TypeRollout:    parserOf[Rollout](),
	TypeSizing:     parserOf[Sizing](),
	TypePatterns:   parserOf[Patterns](),
	TypeExplain:    parserOf[Explain](),
	TypeChanges:    parserOf[LedgerChanges](),
	TypeServices:   parserOf[Services](),
	TypeOperations: parserOf[Operations](),
	TypeVersions:   parserOf[Versions](),
}

// Types lists the query types, sorted.
func Types() []Type { return slices.Sorted(maps.Keys(parsers)) }

// Parse reads a query as Grafana sends it: queryType from the request or, where
// that is empty, from the body. Keys of Grafana's own (refId, datasource,
// intervalMs, ...) are passed over. The result has its defaults filled in and
// is valid; only its format may still be open, see FormatOf. It is a Several
// where it names more than one service, operation or version. The error is for
// the person who wrote the query.
func Parse(queryType string, raw json.RawMessage) (Query, error) {
	if len(raw) > maxBody {
		return nil, fmt.Errorf("the query is %d KiB of JSON; at most %d KiB are read", len(raw)>>10, maxBody>>10)
	}
	fields, err := object(raw)
	if err != nil {
		return nil, fmt.Errorf("the query %w", err)
	}
	if queryType = strings.TrimSpace(queryType); queryType == "" {
		if err := decodeField(fields["queryType"], reflect.ValueOf(&queryType).Elem(), "queryType"); err != nil {
			return nil, err
		}
	}
	parser, known := parsers[Type(queryType)]
	switch {
	case queryType == "":
		return nil, fmt.Errorf("queryType is missing: choose one of %s", typeList())
	case !known:
		return nil, fmt.Errorf("unknown queryType %.60q: choose one of %s%s", queryType, typeList(), didYouMean(queryType, typeNames()))
	}
	return severalOf(fields, parser.parse, parser.fields)
}

func parserOf[Q interface {
	Query
	WithDefaults() Q
}]() parser {
	return parser{parse[Q], fieldsOf(reflect.TypeFor[Q]())}
}

// parse decodes, migrates, completes and validates one type of query.
func parse[Q interface {
	Query
	WithDefaults() Q
}](fields map[string]json.RawMessage) (Query, error) {
	var q Q
	if err := migrate(fields); err != nil {
		return nil, err
	}
	if err := decodeStruct(fields, reflect.ValueOf(&q).Elem(), ""); err != nil {
		return nil, err
	}
	q = q.WithDefaults()
	if err := q.Validate(); err != nil {
		return nil, err
	}
	return q, nil
}

// migrate lifts the fields of a query from the version it was written in to
// SchemaVersion. No version (0) means the newest. Version 1 is the first, so
// that there is nothing older to lift.
func migrate(fields map[string]json.RawMessage) error {
	var version int
	if err := decodeField(fields["schemaVersion"], reflect.ValueOf(&version).Elem(), "schemaVersion"); err != nil {
		return err
	}
	switch {
	case version < 0:
		return fmt.Errorf("schemaVersion %d does not exist: leave it out for the newest, %d", version, SchemaVersion)
	case version > SchemaVersion:
		return fmt.Errorf("the query is written in version %d of the query language, this plugin speaks version %d: update the plugin",
			version, SchemaVersion)
	}
	return nil
}

func typeList() string { return strings.Join(typeNames(), ", ") }

func typeNames() (names []string) {
	for _, t := range Types() {
		names = append(names, string(t))
	}
	return names
}
