package sqlnorm

import "strings"

// keywords are the words that are written in capitals; each maps to itself,
// so that a look-up by bytes yields the shared text.
var keywords = textSet(`
	ALL ALTER ANALYZE AND ANY AS ASC BEGIN BETWEEN BY CALL CASE CAST COMMIT CONFLICT COPY CREATE CROSS CURRENT_DATE
	CURRENT_TIME CURRENT_TIMESTAMP DEALLOCATE DECLARE DEFAULT DELETE DESC DISTINCT DO DROP DUPLICATE ELSE END ESCAPE
	EXCEPT EXECUTE EXISTS EXPLAIN FALSE FETCH FIRST FOR FORCE FROM FULL FUNCTION GRANT GROUP HAVING IF IGNORE ILIKE IN
	INDEX INNER INSERT INTERSECT INTERVAL INTO IS JOIN KEY LAST LATERAL LEFT LIKE LIMIT LOCK LOCKED MATCHED MERGE NATURAL
	NEXT NOT NOTHING NOWAIT NULL NULLS OF OFFSET ON ONLY OR ORDER OUTER OVER PARTITION PREPARE PRIMARY PROCEDURE RECURSIVE
	REFERENCES RELEASE REPLACE RETURNING RIGHT ROLLBACK ROW ROWS SAVEPOINT SELECT SET SHARE SHOW SIMILAR SKIP SOME START
	TABLE TEMPORARY THEN TO TOP TRANSACTION TRIGGER TRUE TRUNCATE UNION UNIQUE UPDATE UPSERT USE USING VACUUM VALUES VIEW
	WHEN WHERE WINDOW WITH WORK
	AVG COALESCE CONCAT COUNT DATE EXTRACT GREATEST LEAST LENGTH LOWER MAX MIN NOW NULLIF ROUND ROW_NUMBER SUBSTRING SUM
	TRIM UPPER`)

// functions are the keywords that stand before an argument list.
var functions = func() map[string]bool {
	functions := map[string]bool{}
	for _, name := range strings.Fields(`ANY AVG CAST COALESCE CONCAT COUNT DATE EXTRACT GREATEST LEAST LENGTH LOWER MAX
		MIN NOW NULLIF ROUND ROW_NUMBER SUBSTRING SUM TRIM UPPER`) {
		functions[name] = true
	}
	return functions
}()

// statementStarts are the words with which a statement begins.
var statementStarts = textSet(`SELECT INSERT UPDATE DELETE WITH MERGE UPSERT REPLACE CREATE ALTER DROP TRUNCATE BEGIN COMMIT
	ROLLBACK SAVEPOINT RELEASE START SET SHOW CALL EXECUTE EXPLAIN VALUES COPY LOCK GRANT VACUUM ANALYZE`)

func textSet(words string) map[string]string {
	set := map[string]string{}
	for _, word := range strings.Fields(words) {
		set[word] = word
	}
	return set
}

// keywordOf is the word in capitals if it is a keyword.
func keywordOf(word string) (keyword string, known bool) {
	var capitals [24]byte
	if len(word) > len(capitals) {
		return "", false
	}
	for i := 0; i < len(word); i++ {
		c := word[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		capitals[i] = c
	}
	keyword, known = keywords[string(capitals[:len(word)])]
	return keyword, known
}

// IsStatement says whether a text begins as a SQL statement does. system is as
// for Normalize.
func IsStatement(text, system string) bool {
	l := newLexer(text[:min(len(text), maxStatement)], system)
	first := l.next()
	keyword, _ := keywordOf(first.text)
	_, known := statementStarts[keyword]
	return first.kind == wordToken && known
}
