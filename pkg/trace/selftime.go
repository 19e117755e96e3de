package trace

// measureSelf fills in what follows from the nodes' places and times: subtrees,
// self times, gaps, the origins of failures.
func (b *Builder) measureSelf() {
	nodes := b.tree.Nodes
	// covered[i] is the end of the part of node i that its calls so far cover.
	// Sisters come in the order of their starts, so one pass forms the union.
	b.covered = resize(b.covered, len(nodes), 0)
	for i := range nodes {
		node := &nodes[i]
		node.Last = int32(i) + 1
		node.Self = node.InnerDuration
		node.Gap = node.Duration - node.InnerDuration
		b.covered[i] = node.InnerStart
		if node.Parent == None {
			continue
		}
		parent := &nodes[node.Parent]
		if node.Apart && !parent.Apart {
			continue
		}
		start := max(node.Start, b.covered[node.Parent])
		end := min(node.End(), parent.InnerStart+parent.InnerDuration)
		if end > start {
			parent.Self -= end - start
			b.covered[node.Parent] = end
		}
	}
	// From the last node to the first, calls come before their callers.
	for i := len(nodes) - 1; i >= 0; i-- {
		node := &nodes[i]
		node.Origin = node.Failed && !b.failedBelow(i)
		if node.Parent != None {
			parent := &nodes[node.Parent]
			parent.Last = max(parent.Last, node.Last)
		}
	}
}

// failedBelow says whether a call that the node waited for failed.
func (b *Builder) failedBelow(index int) bool {
	nodes := b.tree.Nodes
	for child := int32(index) + 1; child < nodes[index].Last; child = nodes[child].Last {
		if nodes[child].Failed && (!nodes[child].Apart || nodes[index].Apart) {
			return true
		}
	}
	return false
}
