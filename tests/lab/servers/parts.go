package servers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"golang.org/x/sync/errgroup"
)

// Tenant is whose data the shop writes where a server knows tenants.
const Tenant = "shop"

// part is one process of a server that is split by target.
type part struct {
	Name, Target       string
	HTTP, GRPC, Gossip int
	Directory          string // its own
}

func (p part) url() string { return fmt.Sprintf("http://127.0.0.1:%d", p.HTTP) }

// arrange gives every part its ports and its directory. Names are those of the
// targets, numbered where a target occurs more than once.
func arrange(server, data string, targets ...string) (parts []part, join []int, err error) {
	ports, err := freePorts(3 * len(targets))
	if err != nil {
		return nil, nil, err
	}
	total := map[string]int{}
	for _, target := range targets {
		total[target]++
	}
	seen := map[string]int{}
	for i, target := range targets {
		seen[target]++
		name := server + "-" + target
		if total[target] > 1 {
			name = fmt.Sprintf("%s-%d", name, seen[target])
		}
		if len(targets) == 1 {
			name = server
		}
		p := part{name, target, ports[3*i], ports[3*i+1], ports[3*i+2], filepath.Join(data, name)}
		if err := os.MkdirAll(p.Directory, 0o755); err != nil {
			return nil, nil, fmt.Errorf("create the data directory of %s: %w", name, err)
		}
		parts, join = append(parts, p), append(join, p.Gossip)
	}
	return parts, join, nil
}

// the is the first part of a target.
func the(parts []part, target string) part {
	for _, p := range parts {
		if p.Target == target {
			return p
		}
	}
	return parts[0] // the one that is everything
}

// startParts runs every part side by side, each with a configuration of its
// own; they find each other by gossip.
func startParts(ctx context.Context, binary string, parts []part, config *template.Template, settings func(part) any) ([]*Process, error) {
	processes := make([]*Process, len(parts))
	group, ctx := errgroup.WithContext(ctx)
	for i, p := range parts {
		group.Go(func() (err error) {
			file, err := writeConfig(config, p, settings(p))
			if err != nil {
				return err
			}
			processes[i], err = start(ctx, p.Name, p.Directory, binary, p.url(), "/ready", "-config.file="+file)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		for _, process := range processes {
			if process != nil {
				process.Stop(0)
			}
		}
		return nil, err
	}
	return processes, nil
}

func writeConfig(config *template.Template, p part, settings any) (string, error) {
	var rendered bytes.Buffer
	if err := config.Execute(&rendered, settings); err != nil {
		return "", fmt.Errorf("render the configuration of %s: %w", p.Name, err)
	}
	file := filepath.Join(p.Directory, config.Name())
	if err := os.WriteFile(file, rendered.Bytes(), 0o644); err != nil {
		return "", fmt.Errorf("write the configuration of %s: %w", p.Name, err)
	}
	return file, nil
}
