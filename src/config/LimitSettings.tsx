import React from 'react';
import { type Limits } from '../settings';
import { compact, type EditorProps, withSettings } from './options';
import { TextSetting } from './TextSetting';
import { Folded } from '../Folded';

interface Limit {
  key: Exclude<keyof Limits, 'timeout'>;
  label: string;
  description: string;
  placeholder: string;
}

const limits: Limit[] = [
  { key: 'concurrency', label: 'Requests at once', description: 'To each server.', placeholder: '8' },
  { key: 'maxSeries', label: 'Series per query', description: 'More are left out, with a notice.', placeholder: '200' },
  { key: 'maxTraces', label: 'Traces per side', description: 'Of a comparison, at most.', placeholder: '2000' },
  {
    key: 'callerRate',
    label: 'Requests per second',
    description: 'That one caller may send to hooks.',
    placeholder: '200',
  },
  { key: 'cacheMiB', label: 'Cache in MiB', description: 'Memory for answers of the servers.', placeholder: '64' },
];

/** What one question, and all of them together, may cost. */
export function LimitSettings({ options, onOptionsChange }: EditorProps) {
  const current = options.jsonData.limits ?? {};
  const set = (change: Limits) =>
    onOptionsChange(withSettings(options, { limits: compact({ ...current, ...change }) }));
  return (
    <Folded label="Limits">
      <TextSetting
        label="Timeout"
        description="Per query, for example 25s. Grafana times out after 30s by default."
        placeholder="25s"
        width={20}
        value={current.timeout}
        onChange={(timeout) => set({ timeout: timeout.trim() })}
      />
      {limits.map(({ key, ...limit }) => (
        <TextSetting
          key={key}
          {...limit}
          type="number"
          width={20}
          value={current[key]}
          onChange={(text) => set({ [key]: text.trim() === '' ? undefined : Number(text) })}
        />
      ))}
    </Folded>
  );
}
