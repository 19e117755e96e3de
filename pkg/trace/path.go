package trace

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace/sqlnorm"
)

// PathID names a call path within one Paths.
type PathID = int32

// Path is the chain of service, operation and kind that leads from a root to a
// call. Calls with the same chain are one path, however often they happen; a
// call of an operation by itself stays on its caller's path.
type Path struct {
	Parent    PathID // None for a root
	Root      PathID // of the whole chain; its own for a root
	Depth     int    // 0 for a root
	Service   string
	Operation string
	Example   string // the raw text behind the first call seen
	Kind      Kind
}

// Paths numbers call paths. Give trees in a fixed order for fixed numbers.
type Paths struct {
	limits   Limits
	list     []Path
	labelOf  []int32 // label of every path
	labels   []label
	labelIDs map[labelKey]int32
	named    map[namingKey]int32
	// statements are the labels of SQL statements by the hash of their normal
	// form: with their values in them, statements hardly ever come again.
	statements map[statementKey]int32
	steps      map[step]PathID
	below      map[PathID]int // paths below every root
	// Folded counts calls that went to a collective path because of a limit.
	Folded int
}

// label is what one link of the chain is called.
type label struct {
	labelKey
	example string
}

type labelKey struct {
	service, operation string
	kind               Kind
}

type namingKey struct {
	service string
	kind    Kind
	naming  naming
}

type statementKey struct {
	service string
	kind    Kind
	hash    uint64
}

type step struct {
	parent PathID
	label  int32
}

// Labels that stand for many.
const (
	missingLabel = int32(iota)
	deeperLabel
	otherLabel
)

// maxRoots times Limits.MaxPaths is the most paths of all.
const maxRoots = 10

// maxNamed bounds the memory for names already worked out.
const maxNamed = 20_000

// NewPaths is an empty numbering with the limits of depth and number.
func NewPaths(limits Limits) *Paths {
	p := &Paths{
		limits: limits.withDefaults(), labelIDs: map[labelKey]int32{}, named: map[namingKey]int32{},
		statements: map[statementKey]int32{},
		steps:      map[step]PathID{}, below: map[PathID]int{},
	}
	for _, operation := range []string{"(missing parent)", "(deeper)", "(other)"} {
		p.labels = append(p.labels, label{labelKey: labelKey{operation: operation}})
	}
	return p
}

// Len is the number of paths; ids run from 0 to Len()-1, callers before calls.
func (p *Paths) Len() int { return len(p.list) }

// Path is the path with the id.
func (p *Paths) Path(id PathID) *Path { return &p.list[id] }

// Key is a text form of a path, stable between runs: its caller's key, which
// is empty for a root, and its own service, operation and kind. Of a long
// operation it holds the beginning and a hash.
func (p *Path) Key(caller string) string {
	const longest = 100
	operation := p.Operation
	if len(operation) > longest {
		hash := fnv.New64a()
		hash.Write([]byte(operation))
		operation = fmt.Sprintf("%s…%016x", strings.ToValidUTF8(operation[:longest-20], ""), hash.Sum64())
	}
	own := p.Service + "·" + operation + "·" + p.Kind.String()
	if caller == "" {
		return own
	}
	return caller + " > " + own
}

// Assign appends the path of every node of a tree, in the order of the nodes.
func (p *Paths) Assign(tree *Tree, into []PathID) []PathID {
	start := len(into)
	for i := range tree.Nodes {
		node := &tree.Nodes[i]
		if node.Parent == None {
			into = append(into, p.child(None, p.label(tree, node)))
		} else {
			into = append(into, p.child(into[start+int(node.Parent)], p.label(tree, node)))
		}
	}
	return into
}

// child is the path one step below a parent.
func (p *Paths) child(parent PathID, label int32) PathID {
	root := None
	if parent != None {
		held := p.labelOf[parent]
		if held == label || held == deeperLabel || held == otherLabel {
			if held != label {
				p.Folded++
			}
			return parent
		}
		root = p.list[parent].Root
	}
	if id, exists := p.steps[step{parent, label}]; exists {
		return id
	}
	full := p.below[root] >= p.limits.MaxPaths || len(p.list) >= maxRoots*p.limits.MaxPaths
	if full && label != otherLabel {
		p.Folded++
		return p.child(root, otherLabel)
	}
	if parent != None && p.list[parent].Depth+1 >= p.limits.MaxDepth && label != deeperLabel && label != otherLabel {
		p.Folded++
		return p.child(parent, deeperLabel)
	}
	return p.add(parent, root, label)
}

func (p *Paths) add(parent, root PathID, label int32) PathID {
	id := PathID(len(p.list))
	described := &p.labels[label]
	path := Path{
		Parent: parent, Root: root, Service: described.service, Operation: described.operation,
		Example: described.example, Kind: described.kind,
	}
	if parent == None {
		path.Root = id
	} else {
		path.Depth = p.list[parent].Depth + 1
	}
	p.list = append(p.list, path)
	p.labelOf = append(p.labelOf, label)
	p.steps[step{parent, label}] = id
	p.below[root]++
	return id
}

// label is the number of a node's service, operation and kind: the server's
// where merged.
func (p *Paths) label(tree *Tree, node *Node) int32 {
	if node.Span == None {
		return missingLabel
	}
	span := &tree.Trace.Spans[node.inner()]
	key := namingKey{service: span.Service, kind: span.Kind, naming: namingOf(span)}
	if key.naming.rule != bySQL {
		if id, exists := p.named[key]; exists {
			return id
		}
	}
	var statement statementKey
	if key.naming.rule == bySQL {
		statement = statementKey{span.Service, span.Kind, sqlnorm.Hash(key.naming.first, key.naming.second)}
		if id, exists := p.statements[statement]; exists {
			return id
		}
	}
	operation, example := key.naming.texts()
	own := labelKey{service: clean(span.Service), operation: clean(operation), kind: span.Kind}
	id, exists := p.labelIDs[own]
	if !exists {
		id = int32(len(p.labels))
		p.labels = append(p.labels, label{labelKey: own, example: clean(example)})
		p.labelIDs[own] = id
	}
	switch {
	case key.naming.rule == bySQL && len(p.statements) < maxNamed:
		p.statements[statement] = id
	case key.naming.rule == bySQL:
	case len(p.named) < maxNamed:
		p.named[key] = id
	}
	return id
}
