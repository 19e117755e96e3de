package sqlnorm_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/trace/sqlnorm"
)

func TestNormalize(t *testing.T) {
	cases := []struct{ system, statement, want string }{
		{"", "select * from orders o where o.id = 17 and name = 'x''y' limit 5", "SELECT * FROM orders o WHERE o.id = ? AND name = ? LIMIT ?"},
		{"", "SELECT 1 -- why\n, 2 /* a /* nested */ one */ , 3", "SELECT ?, ?, ?"},
		{"", "SELECT a-1, b - -2, -3, (-4), x IN (-5, +6)", "SELECT a - ?, b - ?, ?, (?), x IN (?+)"},
		{"", "SELECT * FROM t WHERE a in (1) AND b IN ('x', 'y', NULL)", "SELECT * FROM t WHERE a IN (?+) AND b IN (?+)"},
		{"", "SELECT * FROM t WHERE a IN (SELECT b FROM u WHERE c IN (1, 2))", "SELECT * FROM t WHERE a IN (SELECT b FROM u WHERE c IN (?+))"},
		{"", "SELECT * FROM t WHERE (a, b) IN ((1, 2), (3, 4))", "SELECT * FROM t WHERE (a, b) IN (?+)"},
		{"", "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y'), (?, ?)", "INSERT INTO t(a, b) VALUES (?+)"},
		{"", "insert into t values (1, now()), (2, now()), (3, now())", "INSERT INTO t VALUES (?, NOW())"},
		{"", "insert into t values (1, now()), (2, other(3))", "INSERT INTO t VALUES (?, NOW()), (?, other(?))"},
		{"", "SELECT count (*), sum(x) FROM \"Order Items\" JOIN \"orders\" USING (id);", `SELECT COUNT(*), SUM(x) FROM "Order Items" JOIN orders USING (id)`},
		{"", "SELECT 1.5e-3, .5, 0xFF, 1_000, 2e5", "SELECT ?, ?, ?, ?, ?"},
		{"", "SELECT 0xFE-1", "SELECT ? - ?"},
		{"", "SELECT * FROM events_20230114 WHERE day = DATE '2023-01-14'", "SELECT * FROM events_{n} WHERE day = DATE ?"},
		{"", "SAVEPOINT sp_17", "SAVEPOINT ?"},
		{"", "ROLLBACK TO sp_17", "ROLLBACK TO ?"},
		{"", "SELECT * FROM t WHERE a = ? AND b = $1 AND c = :name AND d = @p1 AND e = %s AND f = %(key)s", "SELECT * FROM t WHERE a = ? AND b = ? AND c = ? AND d = ? AND e = ? AND f = ?"},
		{"", "SELECT a % 7, b %8", "SELECT a % ?, b % ?"},
		{"", "SELECT 'cut by the instrumentation", "SELECT ?"},
		{"", "", ""},
		{"", ";;", ""},
		{"postgresql", `SELECT E'it\'s', U&'\0061', $tag$a $1 'b'$tag$, $$x$$, ARRAY[1, 2]::int[], a[1]`, "SELECT ?, ?, ?, ?, ARRAY[?+]::int[], a[?+]"},
		{"postgresql", "SELECT data->>'key' FROM t WHERE tags @> '{a}' AND x = ANY(ARRAY[1,2])", "SELECT data ->> ? FROM t WHERE tags @> ? AND x = ANY(ARRAY[?+])"},
		{"postgresql", `SELECT 'c:\' , 2`, "SELECT ?, ?"}, // a backslash is a character
		{"mysql", "SELECT `id`, `odd name` FROM `t` WHERE a = \"text\" AND b = 'it\\'s' # why\n", "SELECT id, \"odd name\" FROM t WHERE a = ? AND b = ?"},
		{"mssql", "SELECT TOP 5 [id], [odd name] FROM [dbo].[t] WHERE a = N'x'", `SELECT TOP ? id, "odd name" FROM dbo.t WHERE a = ?`},
		{"", "SELECT \xff\xfe FROM t WHERE a = '\xff'", "SELECT \xff\xfe FROM t WHERE a = ?"}, // made valid where it is shown
	}
	for _, test := range cases {
		require.Equal(t, test.want, sqlnorm.Normalize(test.statement, test.system), test.statement)
	}
}

func TestStatementsThatDifferInValuesAreOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		literal := rapid.OneOf(
			rapid.Map(rapid.Int64(), func(n int64) string { return strconv.FormatInt(n, 10) }),
			rapid.Map(rapid.Float64(), func(f float64) string { return fmt.Sprint(f) }).Filter(func(s string) bool { return !strings.ContainsAny(s, "IN") }),
			rapid.Map(rapid.String(), func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }),
		)
		statement := func(name string) string {
			list := rapid.SliceOfN(literal, 1, 5).Draw(t, name+" list")
			return "SELECT a FROM t /* " + name + " */ WHERE x = " + literal.Draw(t, name) + " AND y IN (" + strings.Join(list, ",") + ")"
		}
		one := statement("one")
		require.Equal(t, "SELECT a FROM t WHERE x = ? AND y IN (?+)", sqlnorm.Normalize(one, ""))
		require.Equal(t, sqlnorm.Hash("SELECT a FROM t WHERE x = 1 AND y IN (2)", ""), sqlnorm.Hash(one, ""))
		require.NotEqual(t, sqlnorm.Hash("SELECT b FROM t WHERE x = 1 AND y IN (2)", ""), sqlnorm.Hash(one, ""))
	})
}

// TestOperators checks that operators stand unbroken, whatever their length,
// and that parameters before them stay parameters.
func TestOperators(t *testing.T) {
	for statement, want := range map[string]string{
		"SELECT b->>'k', b #>> '{a,b}', b#>'{a}', b #- '{a}'":               "SELECT b ->> ?, b #>> ?, b #> ?, b #- ?",
		"SELECT * FROM t WHERE a <=> NULL":                                  "SELECT * FROM t WHERE a <=> NULL",
		"SELECT * FROM t WHERE tags @> $1 AND x <@ $2":                      "SELECT * FROM t WHERE tags @> ? AND x <@ ?",
		"SELECT * FROM t WHERE b ?| array['a','b'] AND c ?& $1 AND d ? 'x'": "SELECT * FROM t WHERE b ?| array[?+] AND c ?& ? AND d ? ?",
		"SELECT ?||'x', a||?":                                               "SELECT ? || ?, a || ?",
		"SELECT * FROM t WHERE flags = ?|4":                                 "SELECT * FROM t WHERE flags = ? | ?",
		"SELECT a FROM t ORDER BY e <-> '[1,2]'":                            "SELECT a FROM t ORDER BY e <-> ?",
		"SELECT * FROM t WHERE a !~~* 'x' OR a~*'y'":                        "SELECT * FROM t WHERE a !~~* ? OR a ~* ?",
		"SELECT data->-1, a>=-1, b<>-2":                                     "SELECT data -> ?, a >= ?, b <> ?",
		"SELECT x FROM t WHERE r -|- '[1,2)' AND y << 2":                    "SELECT x FROM t WHERE r -|- ? AND y << ?",
		"SELECT j @? '$.a', t @@ to_tsquery('x')":                           "SELECT j @? ?, t @@ to_tsquery(?)",
	} {
		require.Equal(t, want, sqlnorm.Normalize(statement, "postgresql"), statement)
	}
}

func FuzzNormalize(f *testing.F) {
	for _, seed := range []string{"SELECT a->>'b' ?| ?", "/* open", "$$", "'", "[", "VALUES ((((", "U&'x' N'y'", "@@x @y !~~* ?||"} {
		f.Add(seed, "postgresql")
	}
	f.Fuzz(func(t *testing.T, text, system string) {
		once := sqlnorm.Normalize(text, system)
		if other := text + " /* why */"; sqlnorm.Normalize(other, system) == once && sqlnorm.Hash(other, system) != sqlnorm.Hash(text, system) && once != "" {
			t.Fatalf("%q: another hash", text)
		}
		if strings.Contains(once, "  ") && !strings.Contains(text, "  ") && !strings.ContainsAny(text, "\"`[") {
			t.Fatalf("%q: %q", text, once)
		}
	})
}
