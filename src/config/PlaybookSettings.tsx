import React from 'react';
import { type PlaybookMode, type PlaybookPattern, type Playbooks } from '../settings';
import { ChoiceSetting } from './ChoiceSetting';
import { NumberSetting } from './NumberSetting';
import { compact, type EditorProps, withSettings } from './options';
import { SwitchSetting } from './SwitchSetting';
import { TextSetting } from './TextSetting';
import { Folded } from '../Folded';

const modes: Array<{ value: PlaybookMode; label: string; description: string }> = [
  { value: 'observe', label: 'Observe', description: 'Only logs what it would do.' },
  { value: 'recommend', label: 'Recommend', description: 'Also notes it in Grafana.' },
  { value: 'auto', label: 'Send', description: 'Also sends it to the target, signed.' },
];

const asAbove = { value: undefined, label: 'As above' };

export const patterns: Record<PlaybookPattern, string> = {
  slowQueryAfterDeploy: 'Slow query after a deploy',
  errorBurstAfterDeploy: 'Errors after a deploy',
  retryStorm: 'Retry storm',
  poolExhaustion: 'Exhausted connection pool',
  cacheLost: 'Lost cache',
  dependencyFailing: 'Failing dependency',
  trafficSpike: 'Traffic spike',
  capacityAhead: 'Capacity will be used up',
  poolAhead: 'Connections will be used up',
  memoryAhead: 'Memory will be used up',
  storageAhead: 'Storage will be used up',
  certificateAhead: 'Certificate will expire',
};

interface Text {
  key: 'webhook' | 'cooldown' | 'settle' | 'deadline' | 'window';
  label: string;
  description: string;
  placeholder?: string;
}

const texts: Text[] = [
  { key: 'webhook', label: 'Sent to', description: 'The name of a target of webhooks.' },
  { key: 'cooldown', label: 'Cooldown', description: 'Between two actions on a service.', placeholder: '1h' },
  { key: 'settle', label: 'Shows after', description: 'When an action may be judged.', placeholder: '5m' },
  { key: 'deadline', label: 'Shows by', description: 'When an action must have helped.', placeholder: '30m' },
  { key: 'window', label: 'Evidence from', description: 'How far back it is looked for.', placeholder: '1h' },
];

interface Limit {
  key: 'perService' | 'perHour' | 'maxShare' | 'stopShare' | 'minConfidence' | 'minRight';
  label: string;
  description: string;
  placeholder: string;
}

const limits: Limit[] = [
  { key: 'perService', label: 'Actions per service', description: 'Within a day.', placeholder: '2' },
  { key: 'perHour', label: 'Actions per hour', description: 'On all services.', placeholder: '3' },
  {
    key: 'maxShare',
    label: 'Share of services',
    description: 'That may be acted upon within an hour, from 0 to 1, though always one.',
    placeholder: '0.2',
  },
  {
    key: 'stopShare',
    label: 'Stop at',
    description: 'Share of services that are silent or failing at once, above which nothing is sent.',
    placeholder: '0.4',
  },
  { key: 'minConfidence', label: 'Confidence', description: 'Of what is sent, at least.', placeholder: '0.5' },
  {
    key: 'minRight',
    label: 'Right recommendations',
    description: 'Share that the record of a rule must be shown to exceed before it may act.',
    placeholder: 'not required',
  },
];

/** What may be recommended, and what may be sent, when a known pattern of failure is seen. */
export function PlaybookSettings({ options, onOptionsChange }: EditorProps) {
  const current = options.jsonData.playbooks ?? {};
  const set = (change: Partial<Playbooks>) => {
    const playbooks = compact({ ...current, ...change });
    onOptionsChange(withSettings(options, { playbooks: Object.keys(playbooks).length ? playbooks : undefined }));
  };
  const setRule = (pattern: PlaybookPattern, mode?: PlaybookMode) => {
    const rules = compact({ ...current.rules, [pattern]: mode });
    set({ rules: Object.keys(rules).length ? rules : undefined });
  };
  const sends = [current.mode, ...Object.values(current.rules ?? {})].includes('auto');
  const target = options.jsonData.webhooks?.find(({ name }) => name && name === current.webhook);
  const problems: Partial<Record<Text['key'] | 'services', string>> = sends
    ? {
        webhook:
          target && (target.kind ?? 'cloudEvents') === 'cloudEvents'
            ? undefined
            : 'Name a target that takes CloudEvents.',
        services: current.services?.some(Boolean) ? undefined : 'Name the services that automation may act upon.',
      }
    : {};
  return (
    <Folded label="Playbooks">
      <ChoiceSetting
        label="Mode"
        choices={modes}
        value={current.mode ?? 'observe'}
        onChange={(mode) => set({ mode: mode === 'observe' ? undefined : mode })}
      />
      <SwitchSetting
        label="Kill switch"
        description="Stops all sending, regardless of other settings."
        value={current.killSwitch}
        onChange={(killSwitch) => set({ killSwitch })}
      />
      <TextSetting
        label="Services"
        description="Comma-separated names of services that automation may act on. No wildcards."
        value={current.services?.join(', ')}
        error={problems.services}
        onChange={(text) => {
          const services = text.split(',').map((service) => service.trim());
          set({ services: services.some(Boolean) ? services : undefined });
        }}
      />
      {texts.map(({ key, ...text }) => (
        <TextSetting
          key={key}
          {...text}
          width={key === 'webhook' ? 60 : 20}
          value={current[key]}
          error={key === 'webhook' ? problems.webhook : undefined}
          onChange={(value) => set({ [key]: value.trim() })}
        />
      ))}
      {limits.map(({ key, ...limit }) => (
        <NumberSetting key={key} {...limit} value={current[key]} onChange={(value) => set({ [key]: value })} />
      ))}
      {Object.entries(patterns).map(([pattern, label]) => (
        <ChoiceSetting
          key={pattern}
          label={label}
          choices={[asAbove, ...modes]}
          value={current.rules?.[pattern as PlaybookPattern]}
          onChange={(mode) => setRule(pattern as PlaybookPattern, mode)}
        />
      ))}
    </Folded>
  );
}
