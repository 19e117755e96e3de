package promqlcost

import "github.com/prometheus/prometheus/promql/parser"

// checkTokens refuses what takes the parser a long time or a deep stack: it
// recurses, and looks through what is below each operator again.
func checkTokens(text string) error {
	lexer := parser.Lex(text)
	var item parser.Item
	depth, signs, operators := 0, 0, 0
	for {
		lexer.NextItem(&item)
		switch item.Typ {
		case parser.EOF, parser.ERROR:
			return nil // the parser says what is wrong
		case parser.COMMENT:
			continue
		case parser.LEFT_PAREN, parser.LEFT_BRACE, parser.LEFT_BRACKET:
			depth++
		case parser.RIGHT_PAREN, parser.RIGHT_BRACE, parser.RIGHT_BRACKET:
			depth--
		}
		if item.Typ.IsOperator() {
			operators++
		}
		if item.Typ == parser.ADD || item.Typ == parser.SUB {
			signs++
		} else {
			signs = 0
		}
		switch {
		case depth > maxDepth:
			return refused("the expression has brackets within brackets more than %d deep", maxDepth)
		case signs > maxDepth:
			return refused("the expression has more than %d signs in a row", maxDepth)
		case operators > maxNodes:
			return refused("the expression has more than %d operators", maxNodes)
		}
	}
}
