package enrich

import (
	"encoding/json"
	"strings"

	"github.com/foresight-observability/foresight/pkg/internal/shorten"
)

// The limits of Slack's Block Kit, in characters, and of a message in bytes, above
// which Slack answers msg_blocks_too_long though each block is short enough.
const (
	slackHeader, slackText, slackField = 150, 3000, 2000
	slackFields, slackMessage          = 10, 12_000
)

// slack writes a message for an incoming webhook of Slack.
func slack(m message) ([]byte, error) {
	return fit(m, slackMessage, func(m message) ([]byte, error) {
		type object = map[string]any
		text := func(kind, text string) object { return object{"type": kind, "text": text} }
		section := func(content string) object {
			return object{"type": "section", "text": text("mrkdwn", shorten.Bytes(content, slackText))}
		}
		blocks := []object{{"type": "header", "text": text("plain_text", shorten.Bytes(m.title, slackHeader))}}
		if found := m.statement(); found != "" {
			blocks = append(blocks, section("*"+strings.ReplaceAll(slackEscape(found), "\n", "*\n*")+"*"))
		}
		if len(m.alerts) > 0 {
			blocks = append(blocks, section(slackEscape("• "+strings.Join(m.alerts, "\n• "))))
		}
		var fields []object
		for _, fact := range m.facts()[:min(slackFields, len(m.facts()))] {
			fields = append(fields, text("mrkdwn", shorten.Bytes("*"+fact[0]+"*\n"+slackEscape(fact[1]), slackField)))
		}
		if len(fields) > 0 {
			blocks = append(blocks, object{"type": "section", "fields": fields})
		}
		if lines := m.evidence(); len(lines) > 0 {
			blocks = append(blocks, section(slackEscape(strings.Join(lines, "\n"))))
		}
		if chart := m.course.Text(); chart != "" {
			blocks = append(blocks, section("`"+slackEscape(strings.ReplaceAll(chart, "`", "'"))+"`"))
		}
		if m.image != "" {
			blocks = append(blocks, object{"type": "image", "image_url": m.image, "alt_text": "The panel of the alert"})
		}
		links := ""
		for _, one := range m.links {
			written := " · <" + strings.NewReplacer("|", "%7C", ">", "%3E", "<", "%3C").Replace(one.url) + "|" + slackEscape(one.title) + ">"
			if len(links)+len(written) <= slackText { // half a link is none
				links += written
			}
		}
		if links != "" {
			blocks = append(blocks, section(strings.TrimPrefix(links, " · ")))
		}
		if m.leftOut != "" {
			blocks = append(blocks, object{"type": "context", "elements": []object{text("mrkdwn", shorten.Bytes(slackEscape(m.leftOut), slackField))}})
		}
		return json.Marshal(object{"text": shorten.Bytes(slackEscape(m.title), slackText), "blocks": blocks})
	})
}

// slackEscape makes text stay text: no links, no mentions.
func slackEscape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
