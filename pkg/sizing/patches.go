package sizing

import (
	"embed"
	"strings"
	"text/template"
)

//go:embed patches/*.tmpl
var patchFiles embed.FS

// patchTexts are the changes of configuration, one template each.
var patchTexts = template.Must(template.New("").ParseFS(patchFiles, "patches/*.tmpl"))

// patch fills in a template. It panics where the template asks for what the
// values do not hold, which the tests of every patch would show.
func patch(name string, values any) string {
	var text strings.Builder
	if err := patchTexts.ExecuteTemplate(&text, name+".tmpl", values); err != nil {
		panic(err)
	}
	return text.String()
}
