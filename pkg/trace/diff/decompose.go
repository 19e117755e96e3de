package diff

// effects splits what a path contributes to the change of its endpoint's mean
// duration, in nanoseconds per request. With c calls per request and s
// nanoseconds on the critical path per call,
//
//	c₂s₂ − c₁s₁ = (c₂−c₁)(s₁+s₂)/2 + (s₂−s₁)(c₁+c₂)/2,
//
// the effect of calls and the effect per call. The critical path's sections sum
// to the root's duration, therefore the effects of all paths sum to the
// endpoint's change, exactly.
type effects struct {
	calls    float64
	selfTime float64 // per call, at work
	gap      float64 // per call, between client and server
}

func (e *effects) own() float64 { return e.calls + e.selfTime + e.gap }

func effectsOf(before, after *sample) effects {
	c1, c2 := before.callsPerRequest(), after.callsPerRequest()
	self1, gap1 := before.perCall()
	self2, gap2 := after.perCall()
	if c1 == 0 {
		self1, gap1 = self2, gap2 // nothing to compare a call with: all is the effect of calls
	}
	if c2 == 0 {
		self2, gap2 = self1, gap1
	}
	return effects{
		calls:    (c2 - c1) * (self1 + gap1 + self2 + gap2) / 2,
		selfTime: (self2 - self1) * (c1 + c2) / 2,
		gap:      (gap2 - gap1) * (c1 + c2) / 2,
	}
}

// decompose gives every path its part in the change of its endpoint.
func (c *comparison) decompose() {
	for id := range c.effects {
		e, effect := &c.endpoints[c.endpointOf[id]], &c.effects[id]
		if e.Baseline == 0 || e.Candidate == 0 {
			*effect = effects{}
			continue
		}
		if effect.own() > 0 {
			e.slower += effect.own()
		} else {
			e.faster -= effect.own()
		}
	}
	for id := range c.effects {
		e, effect, path := &c.endpoints[c.endpointOf[id]], &c.effects[id], &c.results[id]
		path.CallsEffect, path.PerCallEffect = effect.calls, effect.selfTime+effect.gap
		path.Share = e.share(effect.own(), e.MeanChange > 0)
	}
}

// share is how much of all that made the endpoint slower (or faster) a
// contribution explains.
func (e *endpoint) share(contribution float64, slower bool) float64 {
	whole := e.slower
	if !slower {
		whole, contribution = e.faster, -contribution
	}
	if whole <= 0 || contribution <= 0 {
		return 0
	}
	return min(1, contribution/whole)
}
