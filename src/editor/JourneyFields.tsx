import React from 'react';
import { RadioButtonGroup, Field } from '@grafana/ui';
import { type JourneyQuery } from '../query';
import { NamePicker } from './NamePicker';
import { journeyViews } from './questions';
import { ScoringOptions } from './ScoringOptions';
import { type BackendProps } from './ServiceFields';

/** Which journey of the settings, and what to see of it. */
export function JourneyFields({ query, onCommit, datasource, range }: BackendProps<JourneyQuery>) {
  const { journey, steps, view } = query;
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
      <ScoringOptions
        scoring={query}
        onCommit={set}
        reached="abnormal"
        summary={[steps !== undefined && steps.length > 0 && `${steps.length} steps of its own`]}
      />
    </>
  );
}
