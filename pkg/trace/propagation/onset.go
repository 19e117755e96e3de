package propagation

const (
	// begun is a deviation of a step, in standard deviations, that belongs to an
	// anomaly, and lingering one that still belongs to it beside such steps.
	begun, lingering = 3, 1.5
	// maxPause is how many normal steps an anomaly may pause.
	maxPause = 2
)

// Onset is the step in which the service's strongest anomaly began, From or
// later; found is false where there is none.
func Onset(services []Service, q Question) (step int, found bool) {
	for _, s := range services {
		if s.Name != q.Service {
			continue
		}
		n := normalOf(s, q)
		start, last, sum, best := -1, 0, 0.0, 0.0
		for i := q.From; i < max(len(s.Latency), len(s.Failed)); i++ {
			d := n.deviation(s, q.Signal, i)
			switch {
			case d < begun:
				continue
			case start < 0 || i-last > maxPause+1:
				start, sum = i, 0
			}
			last, sum = i, sum+d
			if sum > best {
				best, step, found = sum, start, true
			}
		}
		for found && step > q.From && n.deviation(s, q.Signal, step-1) >= lingering {
			step--
		}
		return step, found
	}
	return 0, false
}
