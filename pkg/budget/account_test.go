package budget

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAccount(t *testing.T) {
	memory := NewGate(Shares{What: "memory", Total: 1000, Unit: MiB})
	ctx, request := Open(t.Context(), memory, 500)
	require.NoError(t, Charge(ctx, 100))
	step, part := Part(ctx)
	require.NoError(t, Charge(step, 300))
	var refused *Refused
	require.ErrorAs(t, Charge(ctx, 200), &refused, "steps count towards the request")
	require.Equal(t, OfRequest, refused.Scope)
	part.Close()
	require.EqualValues(t, 100, memory.Used())
	require.NoError(t, Charge(ctx, 200))
	request.Close()
	require.Zero(t, memory.Used())

	require.NoError(t, Charge(t.Context(), 1<<40), "work outside of requests is not counted")
	_, none := Part(t.Context())
	none.Close()
}

// TestSharedAnswer counts an answer once for all who use it, until the last of
// them has closed.
func TestSharedAnswer(t *testing.T) {
	memory := NewGate(Shares{What: "memory", Total: 1000})
	first, one := Open(t.Context(), memory, 500)
	second, two := Open(t.Context(), memory, 500)
	loading, load := Detached(first)
	require.NoError(t, Charge(loading, 400))
	Keep(first, load)
	Keep(second, load)
	load.Close()
	require.EqualValues(t, 400, memory.Used())
	one.Close()
	require.EqualValues(t, 400, memory.Used())
	two.Close()
	require.Zero(t, memory.Used())
	Keep(second, load) // too late: there is nothing to hold any more
	require.NoError(t, Charge(loading, 10))
	require.Zero(t, memory.Used(), "what comes after the end is given back")
}

func TestChargeEndsWithTheContext(t *testing.T) {
	memory := NewGate(Shares{What: "memory", Total: 10})
	ctx, cancel := context.WithCancel(t.Context())
	ctx, request := Open(ctx, memory, 10)
	defer request.Close()
	cancel()
	require.ErrorIs(t, Charge(ctx, 5), context.Canceled)
	require.Zero(t, memory.Used())
}
