package query

import "regexp"

// variable matches a variable of Grafana's.
var variable = regexp.MustCompile(`\$(?:[A-Za-z_]\w*|\{[A-Za-z_][^{}]*\})|\[\[[A-Za-z_]\w*(?::\w+)?\]\]`)

// Variable is the first variable of Grafana's that a text still holds; empty for
// none.
func Variable(text string) string { return variable.FindString(text) }

// NoValue is what is wrong with a variable that nobody filled in.
const NoValue = "a variable without a value: dashboards know variables, rules do not"
