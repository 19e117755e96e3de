package trace

import (
	"slices"
	"strings"
)

// placeholder stands for a part of a name that differs from call to call.
const placeholder = "{id}"

// maxQueryKeys bounds how many query keys of a URL stay in its name.
const maxQueryKeys = 10

// NormalizeURL makes a template of a URL or path: scheme, host and fragment
// dropped, segments that identify something replaced by {id}, query keys
// sorted and their values dropped.
func NormalizeURL(url string) string {
	if at := strings.Index(url, "://"); at >= 0 {
		url = url[at+3:]
		if slash := strings.IndexAny(url, "/?#"); slash >= 0 {
			url = url[slash:]
		} else {
			url = "/"
		}
	}
	url, _, _ = strings.Cut(url, "#")
	path, query, _ := strings.Cut(url, "?")
	if path == "" {
		path = "/"
	}
	path = templateSegments(path, "/", identifies)
	if keys := queryKeys(query); len(keys) > 0 {
		path += "?" + strings.Join(keys, "&")
	}
	return path
}

func queryKeys(query string) []string {
	var keys []string
	for pair := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if key != "" && len(keys) < 4*maxQueryKeys {
			keys = append(keys, templateSegments(key, "[].", identifies))
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	return keys[:min(len(keys), maxQueryKeys)]
}

// templateRoute leaves a route as the framework gives it, unless it is a raw
// path after all.
func templateRoute(route string) string { return templateSegments(route, "/", identifies) }

// templateName replaces what identifies something in a span's or
// destination's name: "GetUser 12345", "orders.7f3e9a2b41", "items.0.price".
func templateName(name string) string {
	return templateSegments(name, " /:,;=()[]{}<>|.#@&?_-", identifies)
}

// templateSegments replaces the segments between delimiters for which replace
// is true; a UUID counts as one segment even where "-" delimits.
func templateSegments(text, delimiters string, replace func(string) bool) string {
	var out strings.Builder
	changed := 0 // start of what is not yet written
	for start := 0; start < len(text); {
		end := start
		if isUUID(text[start:min(start+36, len(text))]) {
			end = start + 36
		} else {
			for end < len(text) && strings.IndexByte(delimiters, text[end]) < 0 {
				end++
			}
		}
		if replace(text[start:end]) {
			out.WriteString(text[changed:start])
			out.WriteString(placeholder)
			changed = end
		}
		start = end
		for start < len(text) && strings.IndexByte(delimiters, text[start]) >= 0 {
			start++
		}
	}
	if changed == 0 {
		return text
	}
	out.WriteString(text[changed:])
	return out.String()
}

func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := 0; i < 36; i++ {
		c := text[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
			continue
		}
		if ('0' > c || c > '9') && ('a' > c || c > 'f') && ('A' > c || c > 'F') {
			return false
		}
	}
	return true
}
