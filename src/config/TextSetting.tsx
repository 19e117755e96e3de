import React, { useId } from 'react';
import { Field, Input } from '@grafana/ui';
import { useReadOnly } from './readOnly';

interface Props {
  label: string;
  description?: string;
  placeholder?: string;
  value: string | number | undefined;
  type?: 'text' | 'number' | 'url';
  required?: boolean;
  width?: number;
  error?: string;
  onChange: (value: string) => void;
}

export function TextSetting({ label, description, value, width = 60, error, onChange, ...input }: Props) {
  const id = useId();
  const readOnly = useReadOnly();
  return (
    <Field
      label={label}
      description={description}
      htmlFor={id}
      required={input.required}
      invalid={Boolean(error)}
      error={error}
    >
      <Input
        {...input}
        id={id}
        width={width}
        disabled={readOnly}
        value={value ?? ''}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </Field>
  );
}
