package ops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// endKinds are what it means to playbooks that a resource will be used up. Of
// throttling, garbage collection, file descriptors and a network nothing is known
// that helps every service.
var endKinds = map[string]playbook.Kind{
	wellknown.ProcessorResource: playbook.CapacityEnds, wellknown.ThreadsResource: playbook.CapacityEnds, wellknown.QueueResource: playbook.CapacityEnds,
	wellknown.PoolResource:   playbook.PoolEnds,
	wellknown.MemoryResource: playbook.MemoryEnds, wellknown.HeapResource: playbook.MemoryEnds,
	wellknown.DiskResource: playbook.StorageEnds, wellknown.InodesResource: playbook.StorageEnds,
	wellknown.CertificateResource: playbook.CertificateEnds,
}

// endingResources are the resources of a service that will be used up within the
// horizon; none where it has no such metrics.
func (e Advisor) endingResources(ctx context.Context, service string, window core.Window) (facts []playbook.Fact, err error) {
	if e.Metrics == nil {
		return nil, nil
	}
	q := query.Breach{Service: service, Step: query.Duration(core.MinStep)}.WithDefaults()
	found, err := e.Evaluator.Breach(ctx, q, window)
	var notFound *core.NotFoundError
	if errors.As(err, &notFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, one := range found.Series {
		resource := one.Labels[signals.ResourceLabel]
		kind, helps := endKinds[resource]
		if !helps || !(one.Result.Firing() > 0) { // NaN is not
			continue
		}
		fact := playbook.Fact{
			Kind: kind, Service: service, At: e.Present(window), Strength: one.Result.Current(),
			Text: fmt.Sprintf("The limit of %s will be reached within %s (probability %.2f).", resource, time.Duration(q.Horizon), one.Result.Current()),
		}
		if at := one.Result.Median; !at.IsZero() {
			fact.Text = fmt.Sprintf("The limit of %s will be reached at about %s (probability %.2f).", resource, core.FormatTime(at), one.Result.Current())
		}
		facts = append(facts, fact)
	}
	return facts, nil
}
