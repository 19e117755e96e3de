import React from 'react';
import { Field, RadioButtonGroup, Stack } from '@grafana/ui';
import { type CauseSignal, type CauseView, type Population, type TraceQuery } from '../query';
import { NumberField, TextField } from './fields';
import { NamePicker } from './NamePicker';
import { Options } from './Options';
import { causeSignals, comparisons, views } from './questions';
import { type BackendProps } from './ServiceFields';

/** The fields of a question about traces. */
export function TraceFields({ query, onCommit, datasource, range }: BackendProps<TraceQuery>) {
  const { service, operation, baseline = {}, candidate = {} } = query;
  const of = { datasource, range, service };
  const set = (side: 'baseline' | 'candidate', change: Population) =>
    onCommit({ ...query, [side]: { ...query[side], ...change } });
  const compared = !('compare' in query && query.compare === 'none');
  return (
    <>
      <Stack direction="row" gap={2} wrap="wrap">
        <NamePicker
          {...{ datasource, range }}
          list="services"
          label="Service"
          placeholder={query.queryType === 'serviceMap' ? 'Every service' : 'Choose a service'}
          value={service}
          // Operations and versions belong to the service that was left.
          onChange={(name) => onCommit({ ...query, service: name, operation: undefined, baseline: {}, candidate: {} })}
        />
        {service && (
          <NamePicker
            {...of}
            list="operations"
            label="Operation"
            placeholder="All operations"
            value={operation}
            onChange={(name) => onCommit({ ...query, operation: name })}
          />
        )}
        <Comparison {...{ query, onCommit }} />
        {service && compared && (
          <NamePicker
            {...of}
            list="versions"
            label="Baseline version"
            placeholder="Previous version"
            value={baseline.version}
            onChange={(version) => set('baseline', { version })}
          />
        )}
        {service && (
          <NamePicker
            {...of}
            list="versions"
            label="Candidate version"
            placeholder="Newest version"
            value={candidate.version}
            onChange={(version) => set('candidate', { version })}
          />
        )}
      </Stack>
      <Options summary={[side('baseline', baseline), side('candidate', candidate), sample(query.maxTraces)]}>
        {query.queryType === 'verdict' ? (
          <NumberField
            label="Acceptable increase in error ratio"
            placeholder="0.001"
            min={0}
            max={1}
            value={query.margin}
            onCommit={(margin) => onCommit({ ...query, margin })}
          />
        ) : (
          <>
            <PopulationFields name="Baseline" value={baseline} onCommit={(change) => set('baseline', change)} />
            <TextField
              label="Baseline offset"
              placeholder="1d, 7d"
              value={baseline.ago}
              onCommit={(ago) => set('baseline', { ago })}
            />
            <PopulationFields name="Candidate" value={candidate} onCommit={(change) => set('candidate', change)} />
          </>
        )}
        <NumberField
          label="Traces per side"
          placeholder="400"
          min={1}
          max={10_000}
          value={query.maxTraces}
          onCommit={(maxTraces) => onCommit({ ...query, maxTraces })}
        />
      </Options>
    </>
  );
}

/** What is shown of a comparison, or whether there is one. */
function Comparison({ query, onCommit }: Pick<BackendProps<TraceQuery>, 'query' | 'onCommit'>) {
  if (query.queryType === 'serviceMap' || query.queryType === 'patterns') {
    return (
      <Field label="Compare with" noMargin>
        <RadioButtonGroup
          aria-label="Compare with"
          options={comparisons}
          value={query.compare ?? 'deploy'}
          onChange={(compare) => onCommit({ ...query, compare })}
        />
      </Field>
    );
  }
  if (query.queryType === 'rootCause') {
    return (
      <Field label="Cause of" noMargin>
        <RadioButtonGroup<CauseSignal | CauseView | ''>
          aria-label="Cause of"
          options={causeSignals}
          value={query.view ?? query.signal ?? ''}
          onChange={(cause) =>
            onCommit({
              ...query,
              signal: cause && cause !== 'changes' ? cause : undefined,
              view: cause === 'changes' ? cause : undefined,
            })
          }
        />
      </Field>
    );
  }
  if (query.queryType === 'traceDiff' && (query.format ?? 'panel') === 'panel') {
    return (
      <Field label="Show" noMargin>
        <RadioButtonGroup
          aria-label="Show"
          options={views}
          value={query.view}
          onChange={(view) => onCommit({ ...query, view })}
        />
      </Field>
    );
  }
  return null;
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

function side(name: string, { from, to, traceQL, ago }: Population) {
  const parts = [from && `from ${from}`, to && `to ${to}`, traceQL, ago && `${ago} earlier`].filter(Boolean);
  return parts.length > 0 && `${name} ${parts.join(' ')}`;
}

function sample(maxTraces: number | string | undefined) {
  return maxTraces !== undefined && `${maxTraces} traces per side`;
}
