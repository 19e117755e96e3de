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
// destination's name: "GetUser 12345", "orders.7f3e9a2b41".
func templateName(name string) string {
	return templateSegments(name, " /:,;=()[]{}<>|.#@&?_-", func(word string) bool {
		return len(word) > 1 && identifies(word)
	})
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

// identifies says whether a word names one thing of many: a number, UUID, date,
// hash, ULID, token or mail address.
func identifies(word string) bool {
	if len(word) == 0 || word[0] == '{' || word[0] == ':' || word[0] == '<' || word[0] == '*' {
		return false
	}
	var digits, hex, letters, capitals, marks int
	for i := 0; i < len(word); i++ {
		c := word[i]
		switch {
		case '0' <= c && c <= '9':
			digits++
			hex++
		case 'a' <= c && c <= 'f':
			letters++
			hex++
		case 'g' <= c && c <= 'z':
			letters++
		case 'A' <= c && c <= 'F':
			capitals++
			hex++
		case 'G' <= c && c <= 'Z':
			capitals++
		case c == '-' || c == '_' || c == '.' || c == '+' || c == '=' || c == '%' || c == ':' || c == ',':
			marks++
		case c == '@':
			return true
		default:
			return false
		}
	}
	switch {
	case digits == 0:
		return false
	case digits+marks == len(word): // number, date, list of numbers
		return true
	case hex+marks == len(word) && hex >= 8 && digits >= 2: // hash, UUID
		return true
	case letters == 0 && len(word) == 26: // ULID
		return true
	}
	// A token mixes digits with letters of both cases, or more digits than
	// words have.
	mixed := letters > 0 && capitals > 0 && digits >= 2
	return len(word) >= 16 && (mixed || digits*4 >= len(word))
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
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return false
		}
	}
	return true
}
