import React from 'react';
import { type SelectableValue } from '@grafana/data';
import { Field, RadioButtonGroup } from '@grafana/ui';
import { useReadOnly } from './readOnly';

interface Props<T> {
  label: string;
  description?: string;
  choices: Array<SelectableValue<T>>;
  value: T | undefined;
  error?: string;
  onChange: (value: T) => void;
}

export function ChoiceSetting<T>({ label, description, choices, value, error, onChange }: Props<T>) {
  const readOnly = useReadOnly();
  return (
    <Field label={label} description={description} invalid={Boolean(error)} error={error}>
      <RadioButtonGroup aria-label={label} options={choices} value={value} disabled={readOnly} onChange={onChange} />
    </Field>
  );
}
