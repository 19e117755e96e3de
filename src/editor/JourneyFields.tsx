import React from 'react';
import { RadioButtonGroup, Field } from '@grafana/ui';
import { type JourneyQuery } from '../query';
import { DurationField, NumberField } from './fields';
import { NamePicker } from './NamePicker';
import { Options } from './Options';
import { journeyViews } from './questions';
import { type BackendProps } from './ServiceFields';

/** Which journey of the settings, and what to see of it. */
export function JourneyFields({ query, onCommit, datasource, range }: BackendProps<JourneyQuery>) {
  const { journey, steps, view, history, step, threshold } = query;
  const set = (change: Partial<JourneyQuery>) => onCommit({ ...query, ...change });
  return (
    <>
      <NamePicker
        {...{ datasource, range }}
        list="journeys"
        label="Journey"
        placeholder="Every journey"
        value={journey}
        onChange={(name) => set({ journey: name })}
      />
      <Field label="Show" noMargin>
        <RadioButtonGroup
          aria-label="Show"
          options={journeyViews}
          value={view ?? 'summary'}
          onChange={(changed) => set({ view: changed })}
        />
      </Field>
      <Options
        summary={[
          steps !== undefined && steps.length > 0 && `${steps.length} steps of its own`,
          history && `learn from ${history}`,
          step && `step ${step}`,
          threshold !== undefined && `abnormal from ${threshold}`,
        ]}
      >
        <DurationField
          label="History"
          placeholder="14d"
          value={history}
          onCommit={(changed) => set({ history: changed })}
        />
        <DurationField
          label="Step"
          placeholder="from the panel"
          value={step}
          onCommit={(changed) => set({ step: changed })}
        />
        <NumberField
          label="Score threshold"
          placeholder="75"
          min={0}
          max={100}
          value={threshold}
          onCommit={(changed) => set({ threshold: changed })}
        />
      </Options>
    </>
  );
}
