package sizing

// ErlangC is the probability that a request waits, for the tests against
// published tables. 1 where the load is not below the number of servers.
func ErlangC(servers int, load float64) float64 {
	if !(load > 0) {
		return 0
	}
	if load >= float64(servers) {
		return 1
	}
	blocked := 1.0
	for c := 1; c <= servers; c++ {
		blocked = nextB(c, load, blocked)
	}
	return erlangC(servers, load, blocked)
}
