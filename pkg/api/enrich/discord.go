package enrich

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/textproto"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/internal/shorten"
)

// The limits of a message of Discord, in characters: of its text, of an embed's
// title and description, of a field's value, and of all embeds together.
const (
	discordContent, discordTitle, discordDescription = 2000, 256, 4096
	discordValue, discordFields, discordEmbeds       = 1024, 25, 6000
)

// discord writes a message for a webhook of Discord, which takes the chart as a
// file.
func discord(m message) (webhook.Body, error) {
	type object = map[string]any
	var description []string
	for _, part := range []string{bold(m.statement()), discordEscape(strings.Join(m.alerts, "\n")), discordEscape(strings.Join(m.evidence(), "\n")), code(m.course.Text()), discordEscape(m.leftOut)} {
		if part != "" {
			description = append(description, part)
		}
	}
	embed := object{"title": shorten.Bytes(discordEscape(m.title), discordTitle), "color": m.color(), "footer": object{"text": "Foresight"}}
	room := discordEmbeds - utf8.RuneCountInString(embed["title"].(string)) - len("Foresight")
	var fields []object
	add := func(name, value string, inline bool) {
		value = shorten.Bytes(value, discordValue)
		size := utf8.RuneCountInString(name) + utf8.RuneCountInString(value)
		if len(fields) < discordFields && size <= room-discordDescription/2 {
			fields = append(fields, object{"name": name, "value": value, "inline": inline})
			room -= size
		}
	}
	for _, fact := range m.facts() {
		add(fact[0], discordEscape(fact[1]), true)
	}
	for _, one := range m.links {
		if len(one.url) <= discordValue { // half a link is none
			add(one.title, one.url, false)
		}
	}
	if text := shorten.Bytes(strings.Join(description, "\n\n"), min(discordDescription, room)); text != "" {
		embed["description"] = text
	}
	if len(fields) > 0 {
		embed["fields"] = fields
	}
	if !m.since.IsZero() {
		embed["timestamp"] = m.since.UTC().Format(time.RFC3339)
	}
	switch {
	case len(m.chart) > 0:
		embed["image"] = object{"url": "attachment://" + chartFile}
	case m.image != "":
		embed["image"] = object{"url": m.image}
	}
	if len(m.links) > 0 {
		embed["url"] = m.links[0].url
	}
	// Nobody is mentioned, whatever the name of a service is.
	payload, err := json.Marshal(object{
		"content": shorten.Bytes(discordEscape(m.title), discordContent), "embeds": []object{embed}, "allowed_mentions": object{"parse": []string{}},
	})
	if err != nil || len(m.chart) == 0 {
		return webhook.Body{Content: payload}, err
	}
	return withFile(payload, m.chart, "foresight-"+m.id)
}

const chartFile = "course.png"

// withFile is a message with a file. The boundary is the message's own, so that the
// same message is sent again as it was.
func withFile(payload, file []byte, boundary string) (webhook.Body, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.SetBoundary(boundary); err != nil {
		return webhook.Body{}, err
	}
	for _, part := range []struct {
		disposition, kind string
		content           []byte
	}{
		{`form-data; name="payload_json"`, "application/json", payload},
		{`form-data; name="files[0]"; filename="` + chartFile + `"`, "image/png", file},
	} {
		writer, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {part.disposition}, "Content-Type": {part.kind}})
		if err != nil {
			return webhook.Body{}, err
		}
		if _, err := writer.Write(part.content); err != nil {
			return webhook.Body{}, err
		}
	}
	if err := form.Close(); err != nil {
		return webhook.Body{}, err
	}
	return webhook.Body{Content: body.Bytes(), Type: form.FormDataContentType()}, nil
}

// discordEscape keeps Markdown from reading links and emphasis into text.
func discordEscape(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "'", "[", `\[`, "]", `\]`, "<", "‹", ">", "›", "|", `\|`, "~", `\~`).Replace(text)
}

func bold(text string) string {
	if text == "" {
		return ""
	}
	return "**" + strings.ReplaceAll(discordEscape(text), "\n", "**\n**") + "**"
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(text, "`", "'") + "`"
}
