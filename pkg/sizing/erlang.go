package sizing

import "math"

// mostServers bounds every search: nobody runs a pool of this size.
const mostServers = 10_000

// ErlangC is the probability that a request finds all servers busy and waits,
// in a queue M/M/c with the offered load in erlangs (Erlang 1917; the recursion
// over Erlang B is Jagerman's, 1974). 1 where the load is not below the number
// of servers, 0 without load.
func ErlangC(servers int, load float64) float64 {
	if !(load > 0) {
		return 0
	}
	if load >= float64(servers) {
		return 1
	}
	return erlangC(servers, load, erlangB(servers, load))
}

// erlangB is the probability that all servers are busy where nobody waits.
func erlangB(servers int, load float64) float64 {
	blocked := 1.0
	for c := 1; c <= servers; c++ {
		blocked = nextB(c, load, blocked)
	}
	return blocked
}

func nextB(servers int, load, before float64) float64 {
	return load * before / (float64(servers) + load*before)
}

func erlangC(servers int, load, blocked float64) float64 {
	use := load / float64(servers)
	return blocked / (1 - use*(1-blocked))
}

// serversFor is the fewest servers with which at most a share of all requests
// waits longer than patience, each being served for hold (the same unit); false
// where more than mostServers would be needed.
func serversFor(load, hold, patience, share float64) (int, bool) {
	blocked := 1.0
	for c := 1; c <= mostServers; c++ {
		blocked = nextB(c, load, blocked)
		spare := float64(c) - load
		if spare > 0 && erlangC(c, load, blocked)*math.Exp(-spare*patience/hold) <= share {
			return c, true
		}
	}
	return 0, false
}
