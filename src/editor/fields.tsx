import React, { useId, useState } from 'react';
import { Field, Input, Switch } from '@grafana/ui';

export interface FieldsProps<T> {
  query: T;
  /** Changes the query and runs it. */
  onCommit: (query: T) => void;
}

interface Props<T> {
  label: string;
  description?: string;
  placeholder?: string;
  value: T | undefined;
  onCommit: (value: T | undefined) => void;
  width?: number;
}

/** An input that reports its value when the person is done with it. */
export function TextField({ label, description, placeholder, value, onCommit, width = 20 }: Props<string>) {
  return (
    <CommittedField
      {...{ label, description, placeholder, width }}
      text={value ?? ''}
      onCommit={(text) => onCommit(text.trim() || undefined)}
    />
  );
}

interface NumberProps extends Props<number | string> {
  min?: number;
  max?: number;
}

/** A variable of the dashboard, as it stands for a number. */
const variable = /^(\$\w+|\$\{[^}]+\}|\[\[[^\]]+\]\])$/;

export function NumberField({ value, onCommit, min = -Infinity, max = Infinity, ...rest }: NumberProps) {
  const problem = (text: string) => {
    const number = Number(text);
    if (variable.test(text)) {
      return undefined;
    }
    return Number.isFinite(number) && number >= min && number <= max ? undefined : range(min, max);
  };
  return (
    <CommittedField
      {...rest}
      text={value === undefined ? '' : String(value)}
      problem={problem}
      onCommit={(text) => onCommit(typed(text.trim()))}
    />
  );
}

function typed(text: string): number | string | undefined {
  if (text === '') {
    return undefined;
  }
  return variable.test(text) ? text : Number(text);
}

interface SwitchProps {
  label: string;
  description?: string;
  value: boolean | undefined;
  /** True, or undefined for off, which is the default. */
  onCommit: (on: true | undefined) => void;
}

export function SwitchField({ label, description, value, onCommit }: SwitchProps) {
  const id = useId();
  return (
    <Field label={label} description={description} htmlFor={id} noMargin>
      <Switch id={id} value={value ?? false} onChange={(event) => onCommit(event.currentTarget.checked || undefined)} />
    </Field>
  );
}

const duration = /^\$|^(\d+(ms|[smhdwy]))+$/;

export function DurationField(props: Props<string>) {
  const { value, onCommit, ...rest } = props;
  const problem = (text: string) => (duration.test(text) ? undefined : 'Write it like 14d, 90s or 1h30m.');
  return (
    <CommittedField
      {...rest}
      text={value ?? ''}
      problem={problem}
      onCommit={(text) => onCommit(text.trim() || undefined)}
    />
  );
}

interface CommittedProps {
  label: string;
  description?: string;
  placeholder?: string;
  width?: number;
  text: string;
  problem?: (text: string) => string | undefined;
  onCommit: (text: string) => void;
}

function CommittedField({ label, description, placeholder, width = 14, text, problem, onCommit }: CommittedProps) {
  const id = useId();
  const [draft, setDraft] = useState<string>();
  const shown = draft ?? text;
  const error = shown.trim() === '' ? undefined : problem?.(shown.trim());
  const commit = () => {
    if (draft !== undefined && !error) {
      setDraft(undefined);
      if (draft !== text) {
        onCommit(draft);
      }
    }
  };
  return (
    <Field label={label} description={description} htmlFor={id} invalid={Boolean(error)} error={error} noMargin>
      <Input
        id={id}
        width={width}
        placeholder={placeholder}
        value={shown}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onBlur={commit}
        onKeyDown={(event) => event.key === 'Enter' && commit()}
      />
    </Field>
  );
}

function range(min: number, max: number): string {
  if (max === Infinity) {
    return min === -Infinity ? 'Write a number.' : `Write a number from ${min} on.`;
  }
  return `Write a number from ${min} to ${max}.`;
}
