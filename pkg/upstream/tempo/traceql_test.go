package tempo

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/scanner"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

func TestWholeTraces(t *testing.T) {
	for name, test := range map[string]struct {
		filter upstream.TraceFilter
		want   string
	}{
		"everything": {upstream.TraceFilter{}, `{ } | select(`},
		"one version": {upstream.TraceFilter{Service: "orders", Version: "2.0", Operation: "GET /"},
			`({ resource.service.name = "orders" && resource.service.version = "2.0" && name = "GET /" }) && ({ }) | select(`},
		"own TraceQL": {upstream.TraceFilter{TraceQL: "{ status = error }"}, `({ status = error }) && { } | select(`},
		"both":        {upstream.TraceFilter{Service: "a", TraceQL: "{ status = error }"}, `({ status = error }) && ({ resource.service.name = "a" }) && ({ }) | select(`},
	} {
		t.Run(name, func(t *testing.T) {
			got := wholeTraces(test.filter)
			require.True(t, strings.HasPrefix(got, test.want), got)
			require.True(t, strings.HasSuffix(got, ") with (most_recent=true)"), got)
		})
	}
}

// tokens reads TraceQL as Tempo does, whose lexer is a text/scanner with
// literals by strconv.Unquote.
func tokens(t require.TestingT, query string) (kinds []rune, literals []string) {
	var s scanner.Scanner
	s.Init(strings.NewReader(query))
	s.Mode = scanner.ScanIdents | scanner.ScanStrings | scanner.ScanRawStrings
	s.Error = func(_ *scanner.Scanner, message string) { require.Fail(t, message, query) }
	for token := s.Scan(); token != scanner.EOF; token = s.Scan() {
		kinds = append(kinds, token)
		if token == scanner.String {
			text, err := strconv.Unquote(s.TokenText())
			require.NoError(t, err)
			literals = append(literals, text)
		}
	}
	return kinds, literals
}

func TestTextsStayLiterals(t *testing.T) {
	wantKinds, _ := tokens(t, matching(upstream.TraceFilter{Service: "a", Version: "b", Operation: "c"}))
	nasty := rapid.OneOf(rapid.String(), rapid.StringMatching("[\"\\\\`'{}|&\n\x00 a)(]{1,20}"),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{`x" } || {`, `x\`, `x\" } || { true`, "x` } || {", "\u2028\"", "x\" }) || ({"}))
	rapid.Check(t, func(t *rapid.T) {
		texts := []string{nasty.Draw(t, "service"), nasty.Draw(t, "version"), nasty.Draw(t, "operation")}
		for i := range texts {
			texts[i] += "!" // not empty
		}
		kinds, literals := tokens(t, matching(upstream.TraceFilter{Service: texts[0], Version: texts[1], Operation: texts[2]}))
		require.Equal(t, wantKinds, kinds)
		require.Equal(t, texts, literals)
	})
}

// FuzzTraceQL checks that names stay literals in every TraceQL that is made of
// them, also as it is sent.
func FuzzTraceQL(f *testing.F) {
	for _, nasty := range []string{"orders", `x" } || {`, `x\`, `x\" } || { true`, "x` } || {", "x' }", "a\nb", "\xff", "\u2028", "\x00", " | select(name)"} {
		f.Add(nasty, nasty, nasty, nasty)
	}
	made := func(a, b, c, d string) []string {
		filter := upstream.TraceFilter{Service: a, Version: b, Operation: c}
		return []string{
			padded(wholeTraces(filter, otherThan([]endpoint{{a, d}, {d, c}})...)), padded(anyTraces(filter)), selection(filter), spanCounts(a),
			spanset(condition("resource.service.name", "=", a), condition("name", "!=", d)),
		}
	}
	plainly := made("a", "b", "c", "d")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		if a == "" || b == "" || c == "" {
			return
		}
		for i, query := range made(a, b, c, d) {
			kinds, literals := tokens(t, query)
			wantKinds, wantLiterals := tokens(t, plainly[i])
			for j, name := range wantLiterals {
				wantLiterals[j] = map[string]string{"a": a, "b": b, "c": c, "d": d}[name]
			}
			if !slices.Equal(kinds, wantKinds) || !slices.Equal(literals, wantLiterals) {
				t.Fatalf("%s\nis not of the shape of\n%s", query, plainly[i])
			}
		}
	})
}

func TestPlainNames(t *testing.T) {
	for name, want := range map[string]bool{"orders": true, "team/orders-v2.x": true, "Bücher:1": true, "my service": false, `a"b`: false, "a|b": false, "": false} {
		require.Equal(t, want, plain.MatchString(name), name)
	}
}

func TestSelection(t *testing.T) {
	for want, filter := range map[string]upstream.TraceFilter{
		`{ }`: {},
		`{ resource.service.name = "orders" && resource.service.version = "2.0" }`: {Service: "orders", Version: "2.0"},
		`{ status = error }`: {TraceQL: "{ status = error }"},
		`({ status = error }) && { resource.service.name = "orders" }`: {Service: "orders", TraceQL: "{ status = error }"},
	} {
		require.Equal(t, want, selection(filter))
	}
}

// readAhead is how much of a query is left where a lexer, as Tempo's does, looks
// at the next ten characters of every word with a copy of its scanner.
func readAhead(query string) int {
	var s scanner.Scanner
	s.Init(strings.NewReader(query))
	read, inWord, quote := 0, false, rune(0)
	for r := s.Next(); r != scanner.EOF; r = s.Next() {
		read += len(string(r))
		switch {
		case quote != 0:
			if r == '\\' && quote == '"' {
				read += len(string(s.Next()))
			} else if r == quote {
				quote = 0
			}
			continue
		case r == '"' || r == '`':
			quote = r
			continue
		}
		if inWord = r != ' '; inWord {
			ahead := s
			for i := 0; i < 10 && ahead.Peek() != ' '; i++ {
				ahead.Next()
			}
		}
	}
	return len(query) - read
}

// TestPadded checks that no length of a query makes Tempo's lexer lose its end,
// and that nothing but spaces between words is added.
func TestPadded(t *testing.T) {
	lost := 0
	for length := range 30 {
		lost = max(lost, readAhead(wholeTraces(upstream.TraceFilter{Service: strings.Repeat("s", length)})))
	}
	require.Positive(t, lost, "the lexer does lose it")
	rapid.Check(t, func(t *rapid.T) {
		filter := upstream.TraceFilter{
			Service:   strings.Repeat("s", rapid.IntRange(0, 1200).Draw(t, "service")),
			Version:   rapid.StringOfN(rapid.SampledFrom([]rune("1 .\"`\\\nüx")), 0, 900, -1).Draw(t, "version"),
			Operation: strings.Repeat("GET /", rapid.IntRange(0, 300).Draw(t, "operation")),
		}
		query := wholeTraces(filter)
		sent := padded(query)
		require.Zero(t, readAhead(sent))
		kinds, literals := tokens(t, query)
		sentKinds, sentLiterals := tokens(t, sent)
		require.Equal(t, kinds, sentKinds)
		require.Equal(t, literals, sentLiterals)
	})
}
