import React from 'react';
import { directions } from '../editor/questions';
import { type Signal, type SignalKind } from '../settings';
import { ChoiceSetting } from './ChoiceSetting';
import { NumberSetting, NumbersSetting } from './NumberSetting';
import { type EditorProps, withSettings } from './options';
import { RowList } from './RowList';
import { SignalPreview } from './SignalPreview';
import { TextSetting } from './TextSetting';
import { Folded } from '../Folded';

const kinds: Array<{ value: SignalKind; label: string }> = [
  { value: 'traffic', label: 'Traffic' },
  { value: 'latency', label: 'Latency' },
  { value: 'errors', label: 'Errors' },
  { value: 'saturation', label: 'Saturation' },
  { value: 'dependency', label: 'Dependency' },
  { value: 'demand', label: 'Demand: what arrives of what is sent' },
  { value: 'business', label: 'Business' },
];

/** What a service's health is read off, where its metrics have other names. */
export function SignalSettings({ options, onOptionsChange }: EditorProps) {
  return (
    <Folded label="Service signals">
      <p>
        Signals are found by well-known metric names. If yours differ, define them here for all services. They replace
        the presets of their kind.
      </p>
      <RowList<Signal>
        noun="signal"
        rows={options.jsonData.signals}
        onRowsChange={(signals) => onOptionsChange(withSettings(options, { signals }))}
      >
        {(signal, set) => (
          <>
            <TextSetting label="Signal name" value={signal.name} onChange={(name) => set({ name })} required />
            <ChoiceSetting
              label="Kind"
              choices={kinds}
              value={signal.kind}
              onChange={(kind) => set({ kind })}
              error={signal.kind ? undefined : 'Required.'}
            />
            <TextSetting
              label="PromQL"
              description="Use $service for the name of the service, $interval for the range of rates, and $quantile for each quantile."
              placeholder='sum(rate(checkout_requests_total{app="$service"}[$interval]))'
              value={signal.expr}
              onChange={(expr) => set({ expr })}
              error={problem(signal)}
              required
            />
            <NumbersSetting
              label="Quantiles"
              description="One signal per quantile. Requires $quantile in the expression."
              placeholder="0.5, 0.95"
              value={signal.quantiles}
              onChange={(quantiles) => set({ quantiles })}
            />
            <TextSetting
              label="Unit"
              placeholder="s"
              width={20}
              value={signal.unit}
              onChange={(unit) => set({ unit })}
            />
            <ChoiceSetting
              label="Direction"
              choices={directions}
              value={signal.direction ?? 'both'}
              onChange={(direction) => set({ direction })}
            />
            <NumberSetting
              label="Min deviation"
              description="Smaller deviations are ignored. In the metric's unit."
              placeholder="0"
              value={signal.minDeviation}
              onChange={(minDeviation) => set({ minDeviation })}
            />
            <NumberSetting
              label="Weight"
              placeholder="1"
              value={signal.weight}
              onChange={(weight) => set({ weight })}
            />
          </>
        )}
      </RowList>
      <SignalPreview
        uid={options.uid}
        signals={options.jsonData.signals}
        onAdopt={(signal) =>
          onOptionsChange(withSettings(options, { signals: [...(options.jsonData.signals ?? []), signal] }))
        }
      />
    </Folded>
  );
}

/** What the backend would refuse, said while it is written. */
function problem({ expr, quantiles }: Signal): string | undefined {
  if (!expr?.includes('$service')) {
    return 'Use $service for the name of the service. Otherwise every service gets the same value.';
  }
  if (expr.includes('$quantile') !== Boolean(quantiles?.length)) {
    return 'Set quantiles if and only if the expression uses $quantile.';
  }
  return undefined;
}
