import React from 'react';
import { type TimeRange } from '@grafana/data';
import { type Resources } from '../promql/names';
import { type ExplainQuery } from '../query';
import { DurationField, type FieldsProps, TextField } from './fields';
import { Options } from './Options';
import { PromQLField } from './PromQLField';
import { StarterButtons } from './StarterButtons';

interface Props extends FieldsProps<ExplainQuery> {
  resources: Resources;
  range?: TimeRange;
}

const words = (text: string | undefined) => (text ?? '').split(/[\s,]+/).filter(Boolean);

/** The fields of a question about the labels of a metric. */
export function ExplainFields({ query, onCommit, resources, range }: Props) {
  const { expr = '', labels, since, until, step } = query;
  const set = (change: Partial<ExplainQuery>) => onCommit({ ...query, ...change });
  return (
    <>
      {!expr && <StarterButtons onChoose={set} />}
      <PromQLField
        {...{ resources, range }}
        value={expr}
        onCommit={(changed) => changed !== expr && set({ expr: changed })}
      />
      <Options
        summary={[
          labels !== undefined && labels.length > 0 && `by ${labels.join(', ')}`,
          since && `since ${since}`,
          until && `until ${until}`,
          step && `step ${step}`,
        ]}
      >
        <TextField
          label="Labels"
          placeholder="all labels"
          width={32}
          value={labels?.join(', ')}
          onCommit={(text) => set({ labels: words(text).length > 0 ? words(text) : undefined })}
        />
        <TextField
          label="Since"
          placeholder="largest change"
          value={since}
          onCommit={(changed) => set({ since: changed })}
        />
        <TextField
          label="Until"
          placeholder="end of range"
          value={until}
          onCommit={(changed) => set({ until: changed })}
        />
        <DurationField
          label="Step"
          placeholder="from the range"
          value={step}
          onCommit={(changed) => set({ step: changed })}
        />
      </Options>
    </>
  );
}
