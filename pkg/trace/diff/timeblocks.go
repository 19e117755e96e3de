package diff

// stretch is the time over which requests came.
type stretch struct {
	first, last int64
	count       int
}

func (s *stretch) add(r *request) {
	if s.count == 0 || r.start < s.first {
		s.first = r.start
	}
	if s.count == 0 || r.start > s.last {
		s.last = r.start
	}
	s.count++
}

// moments is how long the stretch is in blocks of the baseline (see divide);
// at least a part of one.
func (s *stretch) moments(baseline *stretch) float64 {
	length := float64(baseline.last) - float64(baseline.first)
	if length <= 0 {
		return 1
	}
	return (float64(s.last) - float64(s.first)) / length * float64(blockCount(baseline.count))
}

// whole is the time of all requests.
func (p *population) whole() *stretch {
	s := &stretch{}
	for i := range p.requests {
		s.add(&p.requests[i])
	}
	return s
}
