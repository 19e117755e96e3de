package cost

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/tests/bench/environment"
	"github.com/foresight-observability/foresight/tests/harness"
)

// loadMeter sees what the plugin and the servers take.
type loadMeter struct {
	stage   *environment.Environment
	servers []harness.Server
	before  harness.Usage
	spent   map[string]float64 // processor seconds of the servers, before
}

func meterLoad(ctx context.Context, s *environment.Environment) (*loadMeter, error) {
	servers, err := s.Servers(ctx)
	if err != nil {
		return nil, err
	}
	usage, err := s.Plugin.Usage(ctx)
	if err != nil {
		return nil, err
	}
	m := &loadMeter{stage: s, servers: servers, before: usage}
	m.spent, err = m.processors()
	return m, err
}

// processors are the processor seconds of each server since it started.
func (m *loadMeter) processors() (map[string]float64, error) {
	spent := map[string]float64{}
	for _, server := range m.servers {
		seconds, err := processorSeconds(server.PID)
		if err != nil {
			return nil, err
		}
		spent[server.Name] = seconds
	}
	return spent, nil
}

// processorSeconds is what Linux says of a process, in ticks of 10 ms.
func processorSeconds(pid int) (float64, error) {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("processor time of process %d (this needs Linux): %w", pid, err)
	}
	// The name in brackets may hold spaces; the times are 11 fields behind it.
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	user, errUser := strconv.ParseFloat(fields[11], 64)
	system, errSystem := strconv.ParseFloat(fields[12], 64)
	if errUser != nil || errSystem != nil {
		return 0, fmt.Errorf("processor time of process %d: unexpected %q", pid, raw)
	}
	return (user + system) / 100, nil
}

// watchMemory looks at the plugin's memory until the load ends: once after a
// while, and for the most that it takes.
func (m *loadMeter) watchMemory(ctx context.Context, early time.Duration) (after, most float64) {
	begun := time.Now()
	ticker := time.NewTicker(2 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return after, most
		case <-ticker.C:
		}
		usage, err := m.stage.Plugin.Usage(ctx)
		if err != nil {
			continue // busy, or at the end
		}
		most = max(most, usage.ResidentMiB)
		if after == 0 && time.Since(begun) >= early {
			after = usage.ResidentMiB
		}
	}
}

// spentSince is how many processor seconds the plugin and all servers took
// since the meter was made.
func (m *loadMeter) spentSince(ctx context.Context) (plugin, servers float64, err error) {
	usage, err := m.stage.Plugin.Usage(ctx)
	if err != nil {
		return 0, 0, err
	}
	spent, err := m.processors()
	for name, seconds := range spent {
		servers += seconds - m.spent[name]
	}
	return usage.CPUSeconds - m.before.CPUSeconds, servers, err
}

// finish waits until what was asked is over.
func (m *loadMeter) finish(ctx context.Context, result *loadResult) error {
	usage, err := m.stage.Plugin.Usage(ctx)
	if err != nil {
		return err
	}
	spent, err := m.processors()
	if err != nil {
		return err
	}
	result.MemoryEnd, result.GoroutinesBefore = usage.ResidentMiB, m.before.Goroutines
	result.PluginSeconds = usage.CPUSeconds - m.before.CPUSeconds
	result.UpstreamSeconds = map[string]float64{}
	total := 0.0
	for name, seconds := range spent {
		result.UpstreamSeconds[name] = seconds - m.spent[name]
		total += seconds - m.spent[name]
	}
	result.PluginOfUpstream = result.PluginSeconds / total
	time.Sleep(time.Minute)
	if usage, err = m.stage.Plugin.Usage(ctx); err == nil {
		result.GoroutinesAfter = usage.Goroutines
	}
	return err
}
