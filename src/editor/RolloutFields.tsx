import React from 'react';
import { Stack } from '@grafana/ui';
import { type RolloutQuery } from '../query';
import { DurationField, NumberField } from './fields';
import { Options } from './Options';
import { type BackendProps, ServiceField } from './ServiceFields';

/** The fields of the question how fast a service can be rolled out. */
export function RolloutFields({ query, onCommit, datasource, range }: BackendProps<RolloutQuery>) {
  const set = (change: Partial<RolloutQuery>) => onCommit({ ...query, ...change });
  return (
    <>
      <Stack direction="row" gap={2} wrap="wrap">
        <ServiceField {...{ query, datasource, range }} onCommit={({ service }) => set({ service })} />
        <NumberField
          label="Times as many errors"
          placeholder="3"
          min={1.2}
          max={1000}
          value={query.ratio}
          onCommit={(ratio) => set({ ratio })}
        />
        <NumberField
          label="Max requests harmed"
          placeholder="1000"
          min={1}
          max={1e9}
          value={query.maxHarmed}
          onCommit={(maxHarmed) => set({ maxHarmed })}
        />
        <NumberField
          label="Probability"
          placeholder="0.95"
          min={0.5}
          max={0.999}
          value={query.probability}
          onCommit={(probability) => set({ probability })}
        />
      </Stack>
      <Options summary={summary(query)}>
        <NumberField
          label="Times as slow"
          placeholder="errors are looked for"
          min={1.1}
          max={100}
          value={query.slowdown}
          onCommit={(slowdown) => set({ slowdown })}
        />
        <NumberField
          label="First weight"
          placeholder="0.01"
          min={0.01}
          max={0.5}
          value={query.from}
          onCommit={(from) => set({ from })}
        />
        <NumberField
          label="Found by weight"
          placeholder="0.5"
          min={0.01}
          max={0.5}
          value={query.maxWeight}
          onCommit={(maxWeight) => set({ maxWeight })}
        />
        <DurationField
          label="Min pause"
          placeholder="5m"
          value={query.minPause}
          onCommit={(minPause) => set({ minPause })}
        />
        <DurationField
          label="Max duration"
          placeholder="6h"
          value={query.maxDuration}
          onCommit={(maxDuration) => set({ maxDuration })}
        />
        <NumberField
          label="Accepted error increase"
          placeholder="0.001"
          min={0}
          max={1}
          value={query.margin}
          onCommit={(margin) => set({ margin })}
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

function summary({ slowdown, from, maxWeight, minPause, maxDuration, margin, history }: RolloutQuery) {
  return [
    slowdown !== undefined && `${slowdown} times as slow`,
    from !== undefined && `from ${from}`,
    maxWeight !== undefined && `found by ${maxWeight}`,
    minPause && `at least ${minPause} each`,
    maxDuration && `within ${maxDuration}`,
    margin !== undefined && `margin ${margin}`,
    history && `learn from ${history}`,
  ];
}
