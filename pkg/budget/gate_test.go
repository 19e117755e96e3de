package budget

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func as(ctx context.Context, class Class, user, source string) context.Context {
	return WithCaller(ctx, Caller{class, user, source})
}

func shares() Shares {
	return Shares{What: "slots", Total: 8, Reserved: 4, PerUser: 2, PerSource: 3, MaxWaiting: 3, MaxWait: time.Second}
}

// TestReservedCapacity takes all that interactive callers can get, and more:
// engines and rules are let in all the same.
func TestReservedCapacity(t *testing.T) {
	g := NewGate(shares())
	for _, user := range []string{"a", "b"} {
		for range 2 {
			_, err := g.Acquire(as(t.Context(), Interactive, user, user), 1)
			require.NoError(t, err)
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := g.Acquire(as(short, Interactive, "c", "c"), 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	for range 2 { // engines have half of what is reserved
		_, err = g.Acquire(as(t.Context(), Engine, "sa", "a"), 1)
		require.NoError(t, err)
	}
	for range 2 {
		_, err = g.Acquire(as(t.Context(), Rule, "", "a"), 1)
		require.NoError(t, err)
	}
	require.EqualValues(t, 8, g.Used())
}

func TestSharesOfUsersAndSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(shares())
		var releases []func()
		for range 2 {
			release, err := g.Acquire(as(t.Context(), Interactive, "a", "one"), 1)
			require.NoError(t, err)
			releases = append(releases, release)
		}
		_, err := g.Acquire(as(t.Context(), Interactive, "a", "two"), 1)
		var refused *Refused
		require.ErrorAs(t, err, &refused, "after a second's wait")
		require.Equal(t, OfUser, refused.Scope)
		_, err = g.Acquire(as(t.Context(), Interactive, "b", "one"), 1)
		require.NoError(t, err, "another user of the same data source")
		_, err = g.Acquire(as(t.Context(), Interactive, "c", "one"), 1)
		require.ErrorAs(t, err, &refused, "the data source has its share")
		require.Equal(t, OfProcess, refused.Scope)
		_, err = g.Acquire(as(t.Context(), Interactive, "c", "two"), 1)
		require.NoError(t, err, "another data source")
		_, err = g.Acquire(as(t.Context(), Interactive, "c", "two"), 3)
		require.ErrorAs(t, err, &refused, "more than anybody may have, at once")
		require.Equal(t, OfRequest, refused.Scope)
		require.Zero(t, refused.RetryAfter)
		for _, release := range releases {
			release()
			release() // counts once
		}
		require.EqualValues(t, 2, g.Used())
	})
}

// TestFewestFirst has one user with many waiting requests and one with a single
// one: the single one is let in next, and a rule before it.
func TestFewestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(Shares{What: "slots", Total: 3})
		first, err := g.Acquire(as(t.Context(), Interactive, "many", ""), 1)
		require.NoError(t, err)
		second, err := g.Acquire(as(t.Context(), Interactive, "many", ""), 1)
		require.NoError(t, err)
		_, err = g.Acquire(as(t.Context(), Interactive, "many", ""), 1)
		require.NoError(t, err)
		order := make(chan string, 10)
		ask := func(class Class, user string) {
			go func() {
				_, err := g.Acquire(as(t.Context(), class, user, ""), 1)
				if err == nil {
					order <- user
				}
			}()
			synctest.Wait()
		}
		ask(Interactive, "many")
		ask(Interactive, "single")
		ask(Rule, "rule")
		first()
		require.Equal(t, "rule", <-order)
		second()
		require.Equal(t, "single", <-order)
	})
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(shares())
		hold, err := g.Acquire(as(t.Context(), Interactive, "a", ""), 2)
		require.NoError(t, err)
		for range 3 {
			go func() { _, _ = g.Acquire(as(t.Context(), Interactive, "a", ""), 1) }()
		}
		synctest.Wait()
		begun := time.Now()
		_, err = g.Acquire(as(t.Context(), Interactive, "a", ""), 1)
		require.Zero(t, time.Since(begun), "refused at once")
		require.ErrorContains(t, err, "wait already")
		time.Sleep(2 * time.Second)
		require.Empty(t, g.queue)
		require.Empty(t, g.waiting)
		hold()
		require.Zero(t, g.Used())
	})
}

// TestGateKeepsItsBounds does anything in any order: no bound is ever exceeded,
// and everything returns.
func TestGateKeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := shares()
		g := NewGate(s)
		var releases []func()
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(releases) > 0 && rapid.Bool().Draw(t, "release") {
				releases[0]()
				releases = releases[1:]
				continue
			}
			caller := Caller{Class(rapid.IntRange(0, 2).Draw(t, "class")), rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "user"), rapid.SampledFrom([]string{"1", "2"}).Draw(t, "source")}
			amount := int64(rapid.IntRange(1, 3).Draw(t, "amount"))
			g.mu.Lock()
			fits := g.fits(caller, amount) && amount <= g.most(caller)
			g.mu.Unlock()
			ctx := WithCaller(context.Background(), caller)
			if !fits {
				ctx = WithCaller(cancelled, caller)
			}
			if release, err := g.Acquire(ctx, amount); err == nil {
				releases = append(releases, release)
			} else if fits {
				t.Fatalf("%v was refused %d: %v", caller, amount, err)
			}
			if g.Used() > s.Total || g.used[Interactive] > s.Total-s.Reserved || g.used[Interactive]+g.used[Engine] > s.Total-g.ofRules() || g.sources["1"] > s.PerSource {
				t.Fatalf("beyond a bound: %v %v %v", g.used, g.users, g.sources)
			}
		}
		for _, release := range releases {
			release()
		}
		if g.Used() != 0 || len(g.users) != 0 || len(g.sources) != 0 || len(g.queue) != 0 {
			t.Fatalf("something is left: %v %v %v", g.used, g.users, g.sources)
		}
	})
}
