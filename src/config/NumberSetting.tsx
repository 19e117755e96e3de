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
  const numbers = (text: string) =>
    text
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(Number);
  const text = draft ?? value?.join(', ') ?? '';
  return (
    <TextSetting
      {...rest}
      width={20}
      value={text}
      error={numbers(text).every(Number.isFinite) ? undefined : 'Write numbers with commas between them.'}
      onChange={(written) => {
        setDraft(written);
        const read = numbers(written);
        if (read.every(Number.isFinite)) {
          onChange(read.length ? read : undefined);
        }
      }}
    />
  );
}
