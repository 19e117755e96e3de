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

// Score implements Detector: the mean depth at which a point is isolated, as
// the paper's score between 0 and 1.
func (Forest) Score(in Input) []float64 {
	scores := missing(len(in.Residual))
	points := featuresOf(in)
	usable := make([][features]float64, 0, in.Learn)
	for i := range in.Learn {
		if !math.IsNaN(in.Residual[i]) {
			usable = append(usable, points[i])
		}
	}
	if len(usable) < 2*forestSample {
		return scores
	}
	random := rand.New(rand.NewPCG(1, 1)) // the same forest each time
	trees := make([]*node, forestTrees)
	sample := make([][features]float64, forestSample)
	for t := range trees {
		for i := range sample {
			sample[i] = usable[random.IntN(len(usable))]
		}
		trees[t] = grow(sample, 0, random)
	}
	in.costly(func(i int) {
		if math.IsNaN(in.Residual[i]) {
			return
		}
		depth := 0.0
		for _, tree := range trees {
			depth += tree.depth(points[i])
		}
		scores[i] = math.Exp2(-depth / forestTrees / averageDepth(forestSample))
	})
	return scores
}

// featuresOf describes each point: deviation, change, recent level, recent
// variation, and accumulated evidence.
func featuresOf(in Input) [][features]float64 {
	level, variation, evidence := EWMA{}.Score(in), Variation{}.Score(in), CUSUM{}.Score(in)
	points := make([][features]float64, len(in.Residual))
	before := 0.0
	for i, z := range in.Residual {
		points[i] = [features]float64{orZero(z), orZero(z - before), orZero(level[i]), orZero(variation[i]), orZero(evidence[i])}
		before = z
	}
	return points
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
