import React, { lazy, Suspense, useState } from 'react';
import { type TimeRange } from '@grafana/data';
import { Field, TextArea } from '@grafana/ui';
import { type PromQLInputProps } from '../promql/PromQLInput';
import { type Resources } from '../promql/names';

interface Props {
  value: string;
  resources: Resources;
  range?: TimeRange;
  onCommit: (expr: string) => void;
}

// Panels that only show data never load an editor. Where it cannot be loaded, a
// plain field takes its place.
const PromQLInput = lazy(() => import('../promql/PromQLInput').catch(() => ({ default: PlainInput })));

function PlainInput({ label, value, onCommit }: Pick<PromQLInputProps, 'label' | 'value' | 'onCommit'>) {
  return (
    <TextArea
      key={value}
      aria-label={label}
      rows={2}
      defaultValue={value}
      onBlur={(event) => onCommit(event.currentTarget.value)}
    />
  );
}

/** PromQL, committed on leaving the field or by Shift+Enter. */
export function PromQLField({ value, resources, range, onCommit }: Props) {
  const [problem, setProblem] = useState<string>();
  const [failure, setFailure] = useState<string>();
  const description = 'Returns one or more series. Shift+Enter runs the query.';
  return (
    <Field
      label="PromQL"
      description={failure ? `${description} Metrics cannot be suggested: ${failure}` : description}
      invalid={problem !== undefined}
      error={problem}
      noMargin
    >
      <Suspense fallback={<TextArea aria-label="PromQL" rows={1} value={value} readOnly />}>
        <PromQLInput
          label="PromQL"
          {...{ value, resources, range, onCommit }}
          onProblem={setProblem}
          onFailure={setFailure}
        />
      </Suspense>
    </Field>
  );
}
