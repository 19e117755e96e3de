package query

// Compare says what a question about traces compares its population with.
type Compare string

// The comparisons.
const (
	// SinceDeploy compares the newest deploy in the window with the time before
	// it; without a deploy, nothing is compared.
	SinceDeploy Compare = "deploy"
	Nothing     Compare = "none"
)
