package agents

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/foresight-observability/foresight/pkg/api/cause"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

const (
	// defaultSpan is the window where the arguments leave it open, and maxSpan the
	// longest.
	defaultSpan, maxSpan = time.Hour, 31 * 24 * time.Hour
	// steps is how finely a window is looked at: as finely as an answer can show.
	steps = 60
	// maxArguments bounds the arguments of a call, in bytes: a receipt holds them.
	maxArguments = 4 << 10
	// explainSpan is how much of the time after the begin of an alert counts.
	explainSpan = 30 * time.Minute
)

// tool is one of the questions that can be asked.
type tool struct {
	name, title, description string
	schema                   map[string]any
	// answer asks. Arguments are those of the schema, without from and to.
	answer func(ctx context.Context, arguments map[string]json.RawMessage, window engine.Window) (result, error)
	// fixed makes arguments absolute that count from now.
	fixed func(arguments map[string]json.RawMessage, now time.Time) error
}

func (t tool) describe() *mcp.Tool {
	no := false
	return &mcp.Tool{
		Name: t.name, Title: t.title, Description: t.description, InputSchema: t.schema,
		Annotations: &mcp.ToolAnnotations{Title: t.title, ReadOnlyHint: true, IdempotentHint: true, DestructiveHint: &no, OpenWorldHint: &no},
	}
}

// allTools are the query types, then those that combine them.
func (a *API) allTools() (all []tool) {
	for _, kind := range query.Types() {
		schema := query.InputSchema(kind)
		description, _ := schema["description"].(string)
		delete(schema, "description")
		addTimes(schema)
		_, wanted, _ := strings.Cut(description, " ")
		all = append(all, tool{
			name: string(kind), title: string(kind), description: cmp.Or(strings.ToUpper(wanted[:1])+wanted[1:], string(kind)), schema: schema,
			answer: func(ctx context.Context, arguments map[string]json.RawMessage, window engine.Window) (result, error) {
				return a.ask(ctx, string(kind), arguments, window)
			},
		})
	}
	return append(all, a.whatChanged(), a.explainAlert())
}

func (a *API) ask(ctx context.Context, kind string, arguments map[string]json.RawMessage, window engine.Window) (result, error) {
	raw, err := json.Marshal(arguments)
	if err != nil {
		return result{}, err
	}
	found, err := a.Ask(ctx, kind, raw, window)
	return result{frames: found}, err
}

// addTimes adds the window to the fields of a query.
func addTimes(schema map[string]any) {
	properties := schema["properties"].(map[string]any)
	properties["from"] = moment("Begin of the window; relative times count from its end. Default: an hour before the end")
	properties["to"] = moment("End of the window. Default: now")
}

func moment(text string) map[string]any {
	return map[string]any{"type": "string", "description": text + ". RFC 3339, milliseconds since the epoch, or relative as \"-30m\"."}
}

// whatChanged is the ledger of changes, under the name that agents look for.
func (a *API) whatChanged() tool {
	schema := query.InputSchema(query.TypeChanges)
	delete(schema, "description")
	addTimes(schema)
	return tool{
		name: "what_changed", title: "What changed", schema: schema,
		description: "Lists what changed in the window: deploys, scaling, configuration, restarts, nodes, certificates, jobs, flags and what was announced, the newest first. Ask it for the hour before something went wrong.",
		answer: func(ctx context.Context, arguments map[string]json.RawMessage, window engine.Window) (result, error) {
			return a.ask(ctx, string(query.TypeChanges), arguments, window)
		},
	}
}

// explainAlert looks up what is behind an alert.
func (a *API) explainAlert() tool {
	return tool{
		name: "explain_alert", title: "Explain an alert",
		description: "Explains an alert by its labels and the time at which it began to fire: the incident it belongs to, the suspect with evidence for and against, and what changed before.",
		schema: map[string]any{
			"type": "object", "additionalProperties": false, "required": []any{"labels"},
			"properties": map[string]any{
				"labels": map[string]any{
					"type": "object", "additionalProperties": map[string]any{"type": "string"}, "maxProperties": 50,
					"description": "The labels of the alert. service_name or service names the service, signal (latency or errors) what is abnormal.",
				},
				"at": moment("When the alert began to fire. Default: now"),
			},
		},
		fixed: func(arguments map[string]json.RawMessage, now time.Time) error {
			at, err := momentOf(arguments, "at", now)
			if err != nil {
				return err
			}
			if at.After(now) {
				return errors.New("at lies in the future")
			}
			arguments["at"] = timeJSON(at)
			// What happens later does not change the answer.
			until := at.Add(explainSpan)
			if until.After(now) {
				until = now
			}
			arguments["to"], arguments["from"] = timeJSON(until), timeJSON(at.Add(-defaultSpan))
			return nil
		},
		answer: func(ctx context.Context, arguments map[string]json.RawMessage, window engine.Window) (result, error) {
			alert := cause.Alert{Until: window.To}
			if err := json.Unmarshal(arguments["labels"], &alert.Labels); err != nil {
				return result{}, fmt.Errorf("labels: %w", err)
			}
			at, err := momentOf(arguments, "at", window.To)
			if err != nil {
				return result{}, err
			}
			alert.At = at
			found := cause.Look(ctx, a.Engine, alert)
			if err := ctx.Err(); err != nil {
				return result{}, err
			}
			if !found.Known() {
				found.Notices = append(found.Notices, "Nothing is known of the cause.")
			}
			return result{finding: &found}, nil
		},
	}
}

// call answers a call of a tool. Errors are part of the answer: the model that
// asked can correct itself.
func (a *API) call(ctx context.Context, t tool, raw json.RawMessage) *mcp.CallToolResult {
	q, err := a.read(t, raw)
	if err != nil {
		return failed(err)
	}
	answered, err := a.answer(ctx, q)
	if err != nil {
		return failed(err)
	}
	return answered.toolResult()
}

// question is a call with everything that counts from now made absolute.
type question struct {
	tool      tool
	arguments map[string]json.RawMessage // without from and to
	window    engine.Window
}

// read checks the arguments of a call against the schema of the tool.
func (a *API) read(t tool, raw json.RawMessage) (question, error) {
	q := question{tool: t, arguments: map[string]json.RawMessage{}}
	if len(raw) > maxArguments {
		return q, fmt.Errorf("the arguments are %d bytes; at most %d are read: ask a shorter question", len(raw), maxArguments)
	}
	if text := strings.TrimSpace(string(raw)); text == "" || text == "null" {
		raw = json.RawMessage("{}")
	}
	if err := validate(t.schema, raw); err != nil {
		return q, err
	}
	if err := json.Unmarshal(raw, &q.arguments); err != nil {
		return q, fmt.Errorf("the arguments are no JSON object: %w", err)
	}
	// Whole minutes that are over: what is recomputed later sees the same data.
	now := a.Now().UTC().Truncate(time.Minute)
	if t.fixed != nil {
		if err := t.fixed(q.arguments, now); err != nil {
			return q, err
		}
	}
	to, err := momentOf(q.arguments, "to", now)
	if err != nil {
		return q, err
	}
	if to.After(now) {
		to = now
	}
	from := to.Add(-defaultSpan)
	if _, given := q.arguments["from"]; given {
		if from, err = momentOf(q.arguments, "from", to); err != nil {
			return q, err
		}
	}
	span := to.Sub(from)
	switch {
	case span <= 0:
		return q, fmt.Errorf("from (%s) is not before to (%s)", from.Format(time.RFC3339), to.Format(time.RFC3339))
	case span > maxSpan:
		return q, fmt.Errorf("the window is %s long; at most %s are answered", query.Duration(span), query.Duration(maxSpan))
	}
	delete(q.arguments, "from")
	delete(q.arguments, "to")
	q.window = engine.Window{From: from, To: to, Step: max(time.Minute, (span / steps).Truncate(time.Second))}
	return q, nil
}

// validate tells what is wrong with arguments in the words of the schema.
func validate(schema map[string]any, raw json.RawMessage) error {
	text, err := json.Marshal(schema)
	if err != nil {
		return err
	}
	var parsed jsonschema.Schema
	if err := json.Unmarshal(text, &parsed); err != nil {
		return err
	}
	resolved, err := parsed.Resolve(nil)
	if err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return fmt.Errorf("the arguments are no JSON: %w", err)
	}
	if err := resolved.Validate(value); err != nil {
		return fmt.Errorf("the arguments do not match the input schema: %w", err)
	}
	return nil
}

func momentOf(arguments map[string]json.RawMessage, field string, reference time.Time) (time.Time, error) {
	raw, given := arguments[field]
	if !given {
		return reference, nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return time.Time{}, fmt.Errorf("%s must be text", field)
	}
	found, err := query.Moment(field, text, reference)
	return found.UTC().Truncate(time.Second), err
}

func timeJSON(t time.Time) json.RawMessage {
	return json.RawMessage(fmt.Sprintf("%q", t.UTC().Format(time.RFC3339)))
}
