import React, { useId } from 'react';
import { Field, Switch } from '@grafana/ui';
import { useReadOnly } from './readOnly';

interface Props {
  label: string;
  description: string;
  value: boolean | undefined;
  onChange: (on: boolean) => void;
}

export function SwitchSetting({ label, description, value, onChange }: Props) {
  const id = useId();
  const readOnly = useReadOnly();
  return (
    <Field label={label} description={description} htmlFor={id}>
      <Switch
        id={id}
        value={value ?? false}
        disabled={readOnly}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </Field>
  );
}
