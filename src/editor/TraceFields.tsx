import React from 'react';
import { type TimeRange } from '@grafana/data';
import { Field, RadioButtonGroup, Stack } from '@grafana/ui';
import { type ForesightDataSource } from '../datasource';
import { type DeploysQuery, type NamesQuery, type Population, type TraceDiffQuery } from '../query';
import { NumberField, TextField } from './fields';
import { type FieldsProps } from './MetricFields';
import { NamePicker } from './NamePicker';
import { Options } from './Options';
import { views } from './questions';

interface Props<T> extends FieldsProps<T> {
  datasource: ForesightDataSource;
  range?: TimeRange;
}

/** Which service: all that deploys and the lists of a service need. */
export function ServiceField({ query, onCommit, datasource, range }: Props<DeploysQuery | NamesQuery>) {
  return (
    <NamePicker
      {...{ datasource, range }}
      list="services"
      label="Service"
      placeholder={query.queryType === 'deploys' ? 'Every service' : 'Choose a service'}
      value={query.service}
      onChange={(service) => onCommit({ ...query, service })}
    />
  );
}

/** The fields of a trace comparison. */
export function TraceDiffFields({ query, onCommit, datasource, range }: Props<TraceDiffQuery>) {
  const { service, operation, baseline = {}, candidate = {} } = query;
  const of = { datasource, range, service };
  const set = (side: 'baseline' | 'candidate', change: Population) =>
    onCommit({ ...query, [side]: { ...query[side], ...change } });
  return (
    <>
      <Stack direction="row" gap={2} wrap="wrap">
        <NamePicker
          {...{ datasource, range }}
          list="services"
          label="Service"
          placeholder="Choose a service"
          value={service}
          // Operations and versions belong to the service that was left.
          onChange={(name) => onCommit({ ...query, service: name, operation: undefined, baseline: {}, candidate: {} })}
        />
        <NamePicker
          {...of}
          list="operations"
          label="Operation"
          placeholder="Every operation"
          value={operation}
          onChange={(name) => onCommit({ ...query, operation: name })}
        />
        <NamePicker
          {...of}
          list="versions"
          label="Baseline version"
          placeholder="The one before"
          value={baseline.version}
          onChange={(version) => set('baseline', { version })}
        />
        <NamePicker
          {...of}
          list="versions"
          label="Candidate version"
          placeholder="The newest"
          value={candidate.version}
          onChange={(version) => set('candidate', { version })}
        />
        {(query.format ?? 'panel') === 'panel' && (
          <Field label="Show" noMargin>
            <RadioButtonGroup
              aria-label="Show"
              options={views}
              value={query.view}
              onChange={(view) => onCommit({ ...query, view })}
            />
          </Field>
        )}
      </Stack>
      <Options summary={[side('baseline', baseline), side('candidate', candidate), sample(query.maxTraces)]}>
        <PopulationFields name="Baseline" value={baseline} onCommit={(change) => set('baseline', change)} />
        <PopulationFields name="Candidate" value={candidate} onCommit={(change) => set('candidate', change)} />
        <NumberField
          label="Traces per side"
          placeholder="400"
          min={1}
          value={query.maxTraces}
          onCommit={(maxTraces) => onCommit({ ...query, maxTraces })}
        />
      </Options>
    </>
  );
}

interface PopulationProps {
  name: string;
  value: Population;
  onCommit: (change: Population) => void;
}

function PopulationFields({ name, value, onCommit }: PopulationProps) {
  return (
    <>
      <TextField
        label={`${name} from`}
        placeholder="-30m, or a time"
        value={value.from}
        onCommit={(from) => onCommit({ from })}
      />
      <TextField
        label={`${name} to`}
        placeholder="-10m, or a time"
        value={value.to}
        onCommit={(to) => onCommit({ to })}
      />
      <TextField
        label={`${name} TraceQL`}
        placeholder='{ span.tier = "gold" }'
        width={32}
        value={value.traceQL}
        onCommit={(traceQL) => onCommit({ traceQL })}
      />
    </>
  );
}

function side(name: string, { from, to, traceQL }: Population) {
  const parts = [from && `from ${from}`, to && `to ${to}`, traceQL].filter(Boolean);
  return parts.length > 0 && `${name} ${parts.join(' ')}`;
}

function sample(maxTraces: number | undefined) {
  return maxTraces !== undefined && `${maxTraces} traces per side`;
}
