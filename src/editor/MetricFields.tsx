import React from 'react';
import { Field, RadioButtonGroup } from '@grafana/ui';
import { type MetricQuery } from '../query';
import { DurationField, NumberField, TextField } from './fields';
import { Options } from './Options';
import { PromQLField } from './PromQLField';
import { directions } from './questions';

export interface FieldsProps<T> {
  query: T;
  /** Changes the query and runs it. */
  onCommit: (query: T) => void;
}

/** The fields of a forecast or an anomaly question. */
export function MetricFields({ query, onCommit }: FieldsProps<MetricQuery>) {
  const set = (change: Partial<MetricQuery>) => onCommit({ ...query, ...change } as MetricQuery);
  return (
    <>
      <PromQLField value={query.expr ?? ''} onCommit={(expr) => expr !== (query.expr ?? '') && set({ expr })} />
      <Options summary={summary(query)}>
        <DurationField
          label="Learn from"
          placeholder="14d"
          value={query.history}
          onCommit={(history) => set({ history })}
        />
        <DurationField
          label="Step"
          placeholder="from the panel"
          value={query.step}
          onCommit={(step) => set({ step })}
        />
        {query.queryType === 'forecast' && (
          <DurationField
            label="Look ahead"
            placeholder="quarter of range"
            value={query.horizon}
            onCommit={(horizon) => onCommit({ ...query, horizon })}
          />
        )}
        <NumberField
          label="Coverage of the band"
          placeholder={query.queryType === 'forecast' ? '0.95' : '0.99'}
          min={0.5}
          max={0.9999}
          value={query.probability}
          onCommit={(probability) => set({ probability })}
        />
        <Field label="Below zero" noMargin>
          <RadioButtonGroup
            aria-label="Below zero"
            options={[
              { value: true, label: 'Impossible' },
              { value: false, label: 'Possible' },
            ]}
            value={query.nonNegative ?? true}
            onChange={(nonNegative) => set({ nonNegative })}
          />
        </Field>
        {query.queryType === 'anomaly' && <AnomalyFields query={query} onCommit={onCommit} />}
        <TextField
          label="Legend"
          placeholder="{{service_name}}"
          value={query.legend}
          onCommit={(legend) => set({ legend })}
        />
      </Options>
    </>
  );
}

function AnomalyFields({ query, onCommit }: FieldsProps<Extract<MetricQuery, { queryType: 'anomaly' }>>) {
  return (
    <>
      <Field label="Abnormal is" noMargin>
        <RadioButtonGroup
          aria-label="Abnormal is"
          options={directions}
          value={query.direction ?? 'both'}
          onChange={(direction) => onCommit({ ...query, direction })}
        />
      </Field>
      <NumberField
        label="Event from score"
        placeholder="75"
        min={0}
        max={100}
        value={query.threshold}
        onCommit={(threshold) => onCommit({ ...query, threshold })}
      />
      <NumberField
        label="Smallest deviation"
        placeholder="0"
        min={0}
        value={query.minDeviation}
        onCommit={(minDeviation) => onCommit({ ...query, minDeviation })}
      />
    </>
  );
}

function summary(query: MetricQuery) {
  return [
    query.history && `learn from ${query.history}`,
    query.step && `step ${query.step}`,
    query.queryType === 'forecast' && query.horizon && `look ahead ${query.horizon}`,
    query.probability !== undefined && `coverage ${query.probability}`,
    query.nonNegative === false && 'below zero possible',
    query.queryType === 'anomaly' && query.direction && query.direction !== 'both' && `only ${query.direction}`,
    query.queryType === 'anomaly' && query.threshold !== undefined && `event from ${query.threshold}`,
    query.queryType === 'anomaly' && query.minDeviation !== undefined && `deviation over ${query.minDeviation}`,
    query.legend && `legend ${query.legend}`,
  ];
}
