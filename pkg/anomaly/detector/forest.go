package detector

import (
	"math"
	"math/rand/v2"
)

const (
	forestTrees  = 50
	forestSample = 128
	forestDepth  = 8 // levels: twice as fine as the sample would be in a balanced tree
	features     = 5
)

// Forest isolates points by random cuts through features of the deviations:
// what is alone is cut off early (Liu, Ting and Zhou, Isolation Forest, ICDM
// 2008). On the features it sees combinations that are unusual although each
// value by itself is not.
type Forest struct{}

// Name implements Detector.
func (Forest) Name() string { return "isolation-forest" }

func (Forest) sideless() {}

func (Forest) costly() {}

// Learn implements Detector.
func (Forest) Learn(past Input) Watcher {
	watcher := newCombinations(past)
	usable := make([][features]float64, 0, len(past.Residual))
	passing := newCombinations(past)
	for i, z := range past.Residual {
		passing.Observe(past.Value[i], z)
		if !math.IsNaN(z) {
			usable = append(usable, passing.point)
		}
	}
	if len(usable) < 2*forestSample {
		return watcher
	}
	random := rand.New(rand.NewPCG(1, 1)) // the same forest each time
	sample := make([][features]float64, forestSample)
	for range forestTrees {
		for i := range sample {
			sample[i] = usable[random.IntN(len(usable))]
		}
		watcher.trees = append(watcher.trees, grow(sample, 0, random))
	}
	return watcher
}

// combinations describe each point: deviation, change, recent level, recent
// variation, and accumulated evidence.
type combinations struct {
	trees    []*node // shared, never written to
	parts    [3]Watcher
	point    [features]float64
	residual float64
}

func newCombinations(past Input) *combinations {
	return &combinations{parts: [3]Watcher{EWMA{}.Learn(past), Variation{}.Learn(past), CUSUM{}.Learn(past)}}
}

func (c *combinations) Observe(value, residual float64) {
	c.point[0], c.point[1] = orZero(residual), orZero(residual-c.residual)
	for k, part := range c.parts {
		part.Observe(value, residual)
		c.point[2+k] = orZero(part.Score())
	}
	c.residual = residual
}

// Score is the mean depth at which a point is isolated, as the paper's score
// between 0 and 1.
func (c *combinations) Score() float64 {
	if len(c.trees) == 0 || math.IsNaN(c.residual) {
		return math.NaN()
	}
	depth := 0.0
	for _, tree := range c.trees {
		depth += tree.depth(c.point)
	}
	return math.Exp2(-depth / forestTrees / averageDepth(forestSample))
}

func (c *combinations) Clone() Watcher {
	clone := *c
	for k, part := range c.parts {
		clone.parts[k] = part.Clone()
	}
	return &clone
}

func orZero(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// node is a cut, or a leaf where left is nil.
type node struct {
	feature     int
	at          float64
	left, right *node
	size        int
}

// grow cuts the points, which it reorders, at random.
func grow(points [][features]float64, depth int, random *rand.Rand) *node {
	leaf := &node{size: len(points)}
	if len(points) < 2 || depth == forestDepth {
		return leaf
	}
	feature := random.IntN(features)
	low, high := points[0][feature], points[0][feature]
	for _, p := range points {
		low, high = min(low, p[feature]), max(high, p[feature])
	}
	if low == high {
		return leaf
	}
	at := low + random.Float64()*(high-low)
	split := 0
	for i, p := range points {
		if p[feature] < at {
			points[i], points[split] = points[split], p
			split++
		}
	}
	return &node{
		feature: feature, at: at,
		left: grow(points[:split], depth+1, random), right: grow(points[split:], depth+1, random),
	}
}

func (n *node) depth(p [features]float64) float64 {
	depth := 0.0
	for n.left != nil {
		if p[n.feature] < n.at {
			n = n.left
		} else {
			n = n.right
		}
		depth++
	}
	return depth + averageDepth(n.size)
}

// averageDepth is that of an unsuccessful search in a binary tree of n points.
func averageDepth(n int) float64 {
	if n < 2 {
		return 0
	}
	const euler = 0.5772156649015329
	return 2*(math.Log(float64(n-1))+euler) - 2*float64(n-1)/float64(n)
}
