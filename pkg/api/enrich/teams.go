package enrich

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// teamsMessage is what Microsoft Teams takes, in bytes: 28 KB are documented, and
// 21 KB were seen to arrive.
const teamsMessage = 21_000

// teams writes a message as an Adaptive Card for a workflow of Microsoft Teams that
// begins when a webhook request is received.
func teams(m message) ([]byte, error) {
	return fit(m, teamsMessage, func(m message) ([]byte, error) {
		type object = map[string]any
		text := func(content string, more object) object {
			block := object{"type": "TextBlock", "wrap": true, "text": teamsEscape(content)}
			for name, value := range more {
				block[name] = value
			}
			return block
		}
		color := "attention"
		if m.resolved() {
			color = "good"
		}
		body := []object{text(m.title, object{"size": "large", "weight": "bolder", "color": color})}
		if found := m.statement(); found != "" {
			body = append(body, text(found, object{"weight": "bolder"}))
		}
		for _, line := range m.alerts {
			body = append(body, text("• "+line, object{"spacing": "small"}))
		}
		var facts []object
		for _, fact := range m.facts() {
			facts = append(facts, object{"title": fact[0], "value": teamsEscape(fact[1])})
		}
		if len(facts) > 0 {
			body = append(body, object{"type": "FactSet", "facts": facts})
		}
		for _, line := range m.evidence() {
			body = append(body, text(line, object{"spacing": "small", "isSubtle": true}))
		}
		if chart := m.course.Text(); chart != "" {
			body = append(body, text(chart, object{"fontType": "monospace"}))
		}
		switch {
		case len(m.chart) > 0:
			body = append(body, object{"type": "Image", "url": "data:image/png;base64," + base64.StdEncoding.EncodeToString(m.chart), "altText": m.course.Name})
		case m.image != "":
			body = append(body, object{"type": "Image", "url": m.image, "altText": "The panel of the alert"})
		}
		if m.leftOut != "" {
			body = append(body, text(m.leftOut, object{"size": "small", "isSubtle": true}))
		}
		card := object{
			"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
			"body": body, "msteams": object{"width": "Full"},
		}
		var actions []object
		for _, one := range m.links {
			actions = append(actions, object{"type": "Action.OpenUrl", "title": one.title, "url": one.url})
		}
		if len(actions) > 0 {
			card["actions"] = actions
		}
		return json.Marshal(object{"type": "message", "attachments": []object{
			{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card},
		}})
	})
}

// teamsEscape keeps Markdown from reading links and emphasis into text.
func teamsEscape(text string) string {
	return strings.NewReplacer("[", `\[`, "]", `\]`, "*", `\*`, "_", `\_`, "`", "'", "<", "‹", ">", "›").Replace(text)
}
