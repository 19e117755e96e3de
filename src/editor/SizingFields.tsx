import React from 'react';
import { Stack } from '@grafana/ui';
import { type SizingQuery } from '../query';
import { DurationField, NumberField } from './fields';
import { Options } from './Options';
import { type BackendProps, ServiceField } from './ServiceFields';

/** The fields of the question how large a service should be. */
export function SizingFields({ query, onCommit, datasource, range }: BackendProps<SizingQuery>) {
  const set = (change: Partial<SizingQuery>) => onCommit({ ...query, ...change });
  return (
    <>
      <Stack direction="row" gap={2} wrap="wrap">
        <ServiceField {...{ query, datasource, range }} onCommit={({ service }) => set({ service })} />
        <DurationField label="Lead time" placeholder="10m" value={query.lead} onCommit={(lead) => set({ lead })} />
        <NumberField
          label="Max replicas"
          placeholder="no cap"
          min={0}
          max={100_000}
          value={query.maxReplicas}
          onCommit={(maxReplicas) => set({ maxReplicas })}
        />
        <NumberField
          label="Database connections"
          placeholder="unknown"
          min={0}
          max={1_000_000}
          value={query.databaseConnections}
          onCommit={(databaseConnections) => set({ databaseConnections })}
        />
      </Stack>
      <Options summary={summary(query)}>
        <NumberField
          label="Demand quantile"
          placeholder="0.95"
          min={0.5}
          max={0.999}
          value={query.quantile}
          onCommit={(quantile) => set({ quantile })}
        />
        <NumberField
          label="Target utilization"
          placeholder="0.7"
          min={0.05}
          max={1}
          value={query.use}
          onCommit={(use) => set({ use })}
        />
        <NumberField
          label="Min replicas"
          placeholder="0"
          min={0}
          max={100_000}
          value={query.minReplicas}
          onCommit={(minReplicas) => set({ minReplicas })}
        />
        <NumberField
          label="Reserved connections"
          placeholder="0"
          min={0}
          max={1_000_000}
          value={query.reservedConnections}
          onCommit={(reservedConnections) => set({ reservedConnections })}
        />
        <DurationField
          label="Max wait"
          placeholder="50ms"
          value={query.maxWait}
          onCommit={(maxWait) => set({ maxWait })}
        />
        <DurationField
          label="Cache warm-up time"
          placeholder="unknown"
          value={query.warmTime}
          onCommit={(warmTime) => set({ warmTime })}
        />
        <DurationField
          label="History"
          placeholder="14d"
          value={query.history}
          onCommit={(history) => set({ history })}
        />
      </Options>
    </>
  );
}

function summary({ quantile, use, minReplicas, reservedConnections, maxWait, warmTime, history }: SizingQuery) {
  return [
    quantile !== undefined && `quantile ${quantile}`,
    use !== undefined && `use ${use}`,
    minReplicas !== undefined && `at least ${minReplicas} replicas`,
    reservedConnections !== undefined && `${reservedConnections} connections kept`,
    maxWait && `wait up to ${maxWait}`,
    warmTime && `warming takes ${warmTime}`,
    history && `learn from ${history}`,
  ];
}
