import React from 'react';
import { type CoreApp, type TimeRange } from '@grafana/data';
import { Field, RadioButtonGroup, Stack } from '@grafana/ui';
import { type AnomalyQuery, type BreachQuery, type MetricQuery } from '../query';
import { type Resources } from '../promql/names';
import { AheadButton } from './AheadButton';
import { FeedbackFields } from './FeedbackFields';
import { DurationField, type FieldsProps, NumberField, SwitchField, TextField } from './fields';
import { Options } from './Options';
import { PromQLField } from './PromQLField';
import { crossings, directions } from './questions';
import { StarterButtons } from './StarterButtons';
import { ValueField, ViewField } from './ValueField';

interface Props extends FieldsProps<MetricQuery> {
  resources: Resources;
  range?: TimeRange;
  app?: CoreApp;
}

/** The fields of a question about the series of a PromQL query. */
export function MetricFields({ query, onCommit, resources, range, app }: Props) {
  const set = (change: Partial<MetricQuery>) => onCommit({ ...query, ...change } as MetricQuery);
  return (
    <>
      {!query.expr && <StarterButtons onChoose={set} />}
      <PromQLField
        {...{ resources, range }}
        value={query.expr ?? ''}
        onCommit={(expr) => expr !== (query.expr ?? '') && set({ expr })}
      />
      {query.queryType === 'breach' && <LimitFields query={query} onCommit={onCommit} />}
      {query.queryType === 'forecast' && <AheadButton {...{ query, range, app }} />}
      {query.queryType !== 'forecast' && <ValueField {...{ query, onCommit }} />}
      <Options summary={summary(query)}>
        <DurationField
          label="History"
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
            label="Horizon"
            placeholder="quarter of range"
            value={query.horizon}
            onCommit={(horizon) => onCommit({ ...query, horizon })}
          />
        )}
        <TextField
          label="Time zone"
          placeholder="UTC"
          value={query.timeZone}
          onCommit={(timeZone) => onCommit({ ...query, timeZone })}
        />
        {query.queryType !== 'breach' && <ExpectationFields query={query} onCommit={onCommit} />}
        {query.queryType === 'anomaly' && <AnomalyFields query={query} onCommit={onCommit} />}
        <TextField
          label="Legend"
          placeholder="{{service_name}}"
          value={query.legend}
          onCommit={(legend) => set({ legend })}
        />
      </Options>
      {query.queryType === 'anomaly' && <FeedbackFields query={query} onCommit={onCommit} />}
    </>
  );
}

function LimitFields({ query, onCommit }: FieldsProps<BreachQuery>) {
  return (
    <Stack direction="row" gap={2} wrap="wrap">
      {!query.expr && (
        <TextField
          label="Service"
          placeholder="in place of a query"
          description="Watches the resources of a service, each up to its own limit."
          value={[query.service ?? []].flat().join(', ')}
          onCommit={(service) => onCommit({ ...query, service })}
        />
      )}
      {query.service && (
        <TextField
          label="Resources"
          placeholder="all"
          width={28}
          value={query.resources?.join(', ')}
          onCommit={(names) => onCommit({ ...query, resources: names?.split(/\s*[,;]\s*/).filter(Boolean) })}
        />
      )}
      <NumberField
        label="Limit"
        placeholder={query.service ? '1' : 'a value'}
        value={query.threshold}
        onCommit={(threshold) => onCommit({ ...query, threshold })}
      />
      <Field label="Warn when" noMargin>
        <RadioButtonGroup
          aria-label="Warn when"
          options={crossings}
          value={query.direction ?? 'above'}
          onChange={(direction) => onCommit({ ...query, direction })}
        />
      </Field>
      <DurationField
        label="Horizon"
        placeholder="1h"
        value={query.horizon}
        onCommit={(horizon) => onCommit({ ...query, horizon })}
      />
      <ViewField {...{ query, onCommit }} />
    </Stack>
  );
}

function ExpectationFields({ query, onCommit }: FieldsProps<Exclude<MetricQuery, BreachQuery>>) {
  return (
    <>
      <TextField
        label="Model"
        placeholder="auto"
        value={query.model}
        onCommit={(model) => onCommit({ ...query, model })}
      />
      <NumberField
        label="Band coverage"
        placeholder={query.queryType === 'forecast' ? '0.95' : '0.99'}
        min={0.5}
        max={0.9999}
        value={query.probability}
        onCommit={(probability) => onCommit({ ...query, probability })}
      />
      <Field label="Negative values" noMargin>
        <RadioButtonGroup
          aria-label="Negative values"
          options={[
            { value: true, label: 'Impossible' },
            { value: false, label: 'Possible' },
          ]}
          value={query.nonNegative ?? true}
          onChange={(nonNegative) => onCommit({ ...query, nonNegative })}
        />
      </Field>
    </>
  );
}

function AnomalyFields({ query, onCommit }: FieldsProps<AnomalyQuery>) {
  return (
    <>
      <Field label="Direction" noMargin>
        <RadioButtonGroup
          aria-label="Direction"
          options={directions}
          value={query.direction ?? 'both'}
          onChange={(direction) => onCommit({ ...query, direction })}
        />
      </Field>
      <NumberField
        label="Score threshold"
        placeholder="75"
        min={0}
        max={100}
        value={query.threshold}
        onCommit={(threshold) => onCommit({ ...query, threshold })}
      />
      <NumberField
        label="Min deviation"
        placeholder="0"
        min={0}
        value={query.minDeviation}
        onCommit={(minDeviation) => onCommit({ ...query, minDeviation })}
      />
      <NumberField
        label="Smallest relative deviation"
        placeholder="0"
        min={0}
        value={query.minRelativeDeviation}
        onCommit={(minRelativeDeviation) => onCommit({ ...query, minRelativeDeviation })}
      />
      <TextField
        label="Detectors"
        placeholder="default set"
        width={28}
        value={query.detectors?.join(', ')}
        onCommit={(names) => onCommit({ ...query, detectors: names?.split(/[\s,]+/).filter(Boolean) })}
      />
      <SwitchField
        label="Peers"
        description="Compares each series with the others of the query: the odd one out. At least three series."
        value={query.peers}
        onCommit={(peers) => onCommit({ ...query, peers })}
      />
      <SwitchField
        label="Distribution"
        description="The query's series are buckets with the label le: judges the whole shape of the histogram."
        value={query.distribution}
        onCommit={(distribution) => onCommit({ ...query, distribution })}
      />
      {(query.format ?? 'panel') === 'panel' && (
        <SwitchField
          label="Live"
          description="Streams new points. The time range must end now and be at most a day."
          value={query.live}
          onCommit={(live) => onCommit({ ...query, live })}
        />
      )}
    </>
  );
}

function summary(query: MetricQuery) {
  const common = [query.history && `learn from ${query.history}`, query.step && `step ${query.step}`];
  const clock = query.timeZone && `clock of ${query.timeZone}`;
  const legend = query.legend && `legend ${query.legend}`;
  if (query.queryType === 'breach') {
    return [...common, clock, legend];
  }
  return [
    ...common,
    query.queryType === 'forecast' && query.horizon && `look ahead ${query.horizon}`,
    clock,
    query.model && `model ${query.model}`,
    query.probability !== undefined && `coverage ${query.probability}`,
    query.nonNegative === false && 'below zero possible',
    query.queryType === 'anomaly' && query.direction && query.direction !== 'both' && `only ${query.direction}`,
    query.queryType === 'anomaly' && query.threshold !== undefined && `event from ${query.threshold}`,
    query.queryType === 'anomaly' && query.minDeviation !== undefined && `deviation over ${query.minDeviation}`,
    query.queryType === 'anomaly' &&
      query.minRelativeDeviation !== undefined &&
      `deviation over ${query.minRelativeDeviation} of the expectation`,
    query.queryType === 'anomaly' && query.detectors && `detectors ${query.detectors.join(', ')}`,
    legend,
    query.queryType === 'anomaly' && query.peers && 'against its peers',
    query.queryType === 'anomaly' && query.distribution && 'the shape of the histogram',
    query.queryType === 'anomaly' && query.live && 'live',
  ];
}
