package mutation

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fault is a change of one place of a file.
type fault struct {
	file             string
	source           []byte
	from, to         int // bytes that are replaced
	line             int
	was, replacement string
}

func (f fault) mutant() []byte {
	return slices.Concat(f.source[:f.from], []byte(f.replacement), f.source[f.to:])
}

func (f fault) describe(root string) string {
	path, err := filepath.Rel(root, f.file)
	if err != nil {
		path = f.file
	}
	was, _, more := strings.Cut(f.was, "\n")
	if more {
		was += " …"
	}
	return fmt.Sprintf("%s:%d %s → %s", filepath.ToSlash(path), f.line, was, strings.TrimSpace(f.replacement))
}

// swaps are operators and what stands in their place.
var swaps = map[token.Token]string{
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">", token.EQL: "!=", token.NEQ: "==",
	token.ADD: "-", token.SUB: "+", token.MUL: "/", token.QUO: "*", token.LAND: "||", token.LOR: "&&",
}

// faultsIn are all faults of a folder's files, without its tests and folders.
func faultsIn(dir string) (faults []fault, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, file, source, 0)
		if err != nil {
			return nil, err
		}
		add := func(from, to token.Pos, replacement string) {
			f := fault{file: file, source: source, from: set.Position(from).Offset, to: set.Position(to).Offset, line: set.Position(from).Line, replacement: replacement}
			f.was = string(source[f.from:f.to])
			faults = append(faults, f)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.BinaryExpr:
				if other, known := swaps[n.Op]; known {
					add(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), other)
				}
			case *ast.BasicLit:
				if n.Kind == token.INT || n.Kind == token.FLOAT {
					add(n.Pos(), n.End(), "("+n.Value+" + 1)")
				}
			case *ast.ExprStmt:
				add(n.Pos(), n.End(), "")
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					add(n.Pos(), n.End(), "")
				}
			}
			return true
		})
	}
	return faults, nil
}
