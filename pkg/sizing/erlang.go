package sizing

import "math"

// maxServers bounds every search: nobody runs a pool of this size.
const maxServers = 10_000

// nextB is Erlang's formula B for one more server: the probability that all are
// busy where nobody waits.
func nextB(servers int, load, before float64) float64 {
	return load * before / (float64(servers) + load*before)
}

// erlangC is the probability that a request finds all servers busy and waits, in
// a queue M/M/c with the offered load in erlangs (Erlang 1917), from formula B
// (Jagerman 1974).
func erlangC(servers int, load, blocked float64) float64 {
	use := load / float64(servers)
	return blocked / (1 - use*(1-blocked))
}

// serversFor is the fewest servers with which at most a share of all requests
// waits longer than patience, each being served for hold (the same unit); false
// where more than maxServers would be needed.
func serversFor(load, hold, patience, share float64) (int, bool) {
	blocked := 1.0
	for c := 1; c <= maxServers; c++ {
		blocked = nextB(c, load, blocked)
		spare := float64(c) - load
		if spare > 0 && erlangC(c, load, blocked)*math.Exp(-spare*patience/hold) <= share {
			return c, true
		}
	}
	return 0, false
}
