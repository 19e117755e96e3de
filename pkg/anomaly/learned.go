package anomaly

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Label says of a past event whether it was real.
type Label struct {
	Event Event
	Real  bool // false for a false alarm
}

// Classifier re-ranks events by what people said of earlier ones. Its zero
// value has learned nothing and leaves every score as it is.
type Classifier struct {
	detectors []string
	weights   []float64 // of the features, the constant first
	prior     float64   // log-odds of an event by its score alone
}

const (
	// minLabels of each kind are needed: from fewer, chance would be learned.
	minLabels = 5
	// ridge pulls the weights towards zero as one labelled event of each kind
	// would.
	ridge         = 1.0
	newtonSteps   = 50
	newtonClose   = 1e-10
	strongestOdds = 2.0 // times e: how far labels may move a score
)

// LearnLabels fits a logistic regression of real against false on who saw the
// event, how high it scored, on which side and for how long, by iteratively
// reweighted least squares with a ridge (Hastie, Tibshirani and Friedman, The
// Elements of Statistical Learning, section 4.4). With fewer than five labels
// of either kind the classifier is empty and the unsupervised score stays; the
// text says so.
func LearnLabels(labels []Label, detectors []string) (Classifier, string) {
	genuine := 0
	for _, label := range labels {
		if label.Real {
			genuine++
		}
	}
	if wrong := len(labels) - genuine; genuine < minLabels || wrong < minLabels {
		return Classifier{}, fmt.Sprintf("the score is not re-ranked: %d genuine and %d false events are labelled, %d of each are needed",
			genuine, wrong, minLabels)
	}
	c := Classifier{detectors: detectors}
	design := mat.NewDense(len(labels), 1+c.width(), nil)
	for i, label := range labels {
		design.SetRow(i, append([]float64{1}, c.features(label.Event)...))
	}
	c.weights = logistic(design, labels)
	c.prior = math.Log(float64(genuine) / float64(len(labels)-genuine))
	return c, fmt.Sprintf("re-ranked by %d labelled events", len(labels))
}

func (c Classifier) width() int { return len(c.detectors) + 3 }

// features of an event, each of the order of one.
func (c Classifier) features(e Event) []float64 {
	x := make([]float64, c.width())
	for k, name := range c.detectors {
		for _, w := range e.Witnesses {
			if w.Name == name {
				x[k] = w.Share
			}
		}
	}
	x[len(c.detectors)] = (e.Score - DefaultThreshold) / 25
	x[len(c.detectors)+1] = math.Log1p(max(e.End.Sub(e.Start).Hours(), 0))
	if e.Above {
		x[len(c.detectors)+2] = 1
	}
	return x
}

// logistic are the weights under which the labels are the most likely.
func logistic(design *mat.Dense, labels []Label) []float64 {
	n, width := design.Dims()
	weights := make([]float64, width)
	for range newtonSteps {
		hessian := mat.NewSymDense(width, nil)
		gradient := mat.NewVecDense(width, nil)
		for k := 1; k < width; k++ { // the constant is not pulled
			hessian.SetSym(k, k, ridge)
			gradient.SetVec(k, -ridge*weights[k])
		}
		// A constant alone may be undetermined where all else explains the labels.
		hessian.SetSym(0, 0, 1e-6)
		for i := range n {
			row := design.RawRowView(i)
			p := sigmoid(floats.Dot(row, weights))
			target := 0.0
			if labels[i].Real {
				target = 1
			}
			hessian.SymRankOne(hessian, p*(1-p), mat.NewVecDense(width, row))
			gradient.AddScaledVec(gradient, target-p, mat.NewVecDense(width, row))
		}
		var step mat.VecDense
		var factor mat.Cholesky
		if !factor.Factorize(hessian) || factor.SolveVecTo(&step, gradient) != nil {
			return weights
		}
		floats.Add(weights, step.RawVector().Data)
		if mat.Norm(&step, 2) < newtonClose {
			break
		}
	}
	return weights
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// Probability that the event is real, as far as labels tell; NaN without any.
func (c Classifier) Probability(e Event) float64 {
	if c.weights == nil {
		return math.NaN()
	}
	return sigmoid(c.weights[0] + floats.Dot(c.weights[1:], c.features(e)))
}

// Rank is the event's score moved by what the labels say: by at most two powers
// of e in the odds that lie behind the score, up or down, so that no label
// hides an event that is one in a million. Without labels it is the score.
func (c Classifier) Rank(e Event) float64 { return c.move(e.Score, e) }

// move is a score of the event's, moved as its rank is.
func (c Classifier) move(score float64, e Event) float64 {
	p := c.Probability(e)
	if math.IsNaN(p) {
		return score
	}
	p = min(max(p, 1e-9), 1-1e-9)
	odds := math.Log(p/(1-p)) - c.prior
	odds = min(max(odds, -strongestOdds), strongestOdds)
	return Score(ProbabilityOf(score) * math.Exp(-odds))
}
