package servers

import (
	"context"
	_ "embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"
)

// Mimir keeps what Prometheus sends it.
var Mimir = Spec{
	Name: "mimir", Module: "github.com/grafana/mimir",
	Command: "github.com/grafana/mimir/cmd/mimir",
	Stamp:   "-X github.com/grafana/mimir/pkg/util/version.Version=3.0.5",
}

//go:embed mimir.yaml
var mimirConfig string

// mimirTargets are the processes of a Mimir that is split.
var mimirTargets = []string{
	"distributor", "ingester", "ingester", "ingester", "store-gateway", "compactor",
	"query-scheduler", "query-frontend", "querier", "ruler",
}

// MimirServer is a running Mimir, of one process or of many.
type MimirServer struct {
	Parts []*Process
	Read  string // what takes the place of Prometheus' address
	Write string // where remote write goes
	Ruler string // the address of the ruler's API
}

// StartMimir runs Mimir on loopback ports, as one process named mimir, or
// split by target into processes named mimir-<target>. Blocks that a Prometheus
// has at history become the tenant's own.
func StartMimir(ctx context.Context, binary, data, history string, split bool) (*MimirServer, error) {
	name, targets, replication := "mimir", []string{"all"}, 1
	if split {
		targets, replication = mimirTargets, 3
	}
	parts, join, err := arrange(name, data, targets...)
	if err != nil {
		return nil, err
	}
	shared := filepath.Join(data, fmt.Sprintf("mimir-store-%d", len(parts)))
	if err := adoptBlocks(history, filepath.Join(shared, "blocks", Tenant)); err != nil {
		return nil, err
	}
	scheduler := 0
	if split {
		scheduler = the(parts, "query-scheduler").GRPC
	}
	processes, err := startParts(ctx, binary, parts, template.Must(template.New("mimir.yaml").Parse(mimirConfig)), func(p part) any {
		return struct {
			part
			Join        []int
			Shared      string
			Replication int
			Scheduler   int
		}{p, join, shared, replication, scheduler}
	})
	if err != nil {
		return nil, err
	}
	return &MimirServer{
		Parts: processes,
		Read:  the(parts, "query-frontend").url() + "/prometheus",
		Write: the(parts, "distributor").url() + "/api/v1/push",
		Ruler: the(parts, "ruler").url(),
	}, nil
}

// adoptBlocks links the TSDB blocks of one directory into another, which is
// how an object store holds them.
func adoptBlocks(from, to string) error {
	blocks, err := filepath.Glob(filepath.Join(from, "*", "meta.json"))
	if err != nil {
		return err
	}
	for _, meta := range blocks {
		block := filepath.Dir(meta)
		err := filepath.WalkDir(block, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(from, path)
			if err != nil {
				return err
			}
			if entry.IsDir() {
				return os.MkdirAll(filepath.Join(to, relative), 0o755)
			}
			return os.Link(path, filepath.Join(to, relative))
		})
		if err != nil {
			return fmt.Errorf("give Mimir the block %s: %w", block, err)
		}
	}
	return nil
}
