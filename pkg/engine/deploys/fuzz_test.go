package deploys

import (
	"testing"

	"github.com/foresight-observability/foresight/pkg/engine/promqltest"
)

func FuzzNamesInPromQL(f *testing.F) {
	promqltest.FuzzNames(f, []promqltest.Producer{
		func(n promqltest.Names) []string { return []string{buildQuery(n.Service)} },
	}, 1, 0)
}
