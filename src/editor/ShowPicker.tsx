import React, { useId } from 'react';
import { type ComboboxOption, Field } from '@grafana/ui';
import { Picker } from './Picker';

interface Props<T extends string> {
  options: Array<ComboboxOption<T>>;
  value?: T;
  onChange: (view?: T) => void;
}

/** Which part of an answer a panel shows; everything where none is chosen. */
export function ShowPicker<T extends string>({ options, value, onChange }: Props<T>) {
  const id = useId();
  return (
    <Field label="Show" htmlFor={id} noMargin>
      <Picker
        id={id}
        width={30}
        isClearable
        placeholder="Everything"
        options={options}
        value={value ?? null}
        onChange={(option) => onChange(option?.value)}
      />
    </Field>
  );
}
