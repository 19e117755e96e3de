import React, { useState } from 'react';
import { TextSetting } from './TextSetting';

interface Props<T> {
  label: string;
  description?: string;
  placeholder?: string;
  value: T | undefined;
  onChange: (value: T | undefined) => void;
}

export function NumberSetting({ value, onChange, ...rest }: Props<number>) {
  return (
    <TextSetting
      {...rest}
      type="number"
      width={20}
      value={value}
      onChange={(text) => onChange(text.trim() === '' ? undefined : Number(text))}
    />
  );
}

/** Several numbers, with commas between them. */
export function NumbersSetting({ value, onChange, ...rest }: Props<number[]>) {
  // What is being written, as "0." is no number yet.
  const [draft, setDraft] = useState<string>();
  const written = value?.join(', ') ?? '';
  // A draft is shown while it is not a number yet or means the value, so that a
  // value that was changed elsewhere is seen.
  const shown = draft !== undefined && (!readable(draft) || numbers(draft).join(', ') === written) ? draft : written;
  return (
    <TextSetting
      {...rest}
      width={20}
      value={shown}
      error={readable(shown) ? undefined : 'Enter comma-separated numbers.'}
      onChange={(typed) => {
        setDraft(typed);
        if (readable(typed)) {
          const read = numbers(typed);
          onChange(read.length ? read : undefined);
        }
      }}
    />
  );
}

function numbers(text: string): number[] {
  return text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(Number);
}

function readable(text: string): boolean {
  return numbers(text).every(Number.isFinite);
}
