import React from 'react';
import { crossings, directions } from '../editor/questions';
import { type NamedSeries } from '../settings';
import { ChoiceSetting } from './ChoiceSetting';
import { NumberSetting } from './NumberSetting';
import { type EditorProps, withSettings } from './options';
import { RowList } from './RowList';
import { TextSetting } from './TextSetting';
import { Folded } from '../Folded';

/** The metrics that autoscalers and delivery tools ask for by name. */
export function SeriesSettings({ options, onOptionsChange }: EditorProps) {
  return (
    <Folded label="Series for engines">
      <p>
        What autoscalers and delivery tools ask for by name, as in{' '}
        <code>foresight_forecast&#123;series=&quot;checkout&quot;&#125;</code>.
      </p>
      <RowList<NamedSeries>
        noun="series"
        rows={options.jsonData.series}
        onRowsChange={(series) => onOptionsChange(withSettings(options, { series }))}
      >
        {(series, set) => (
          <>
            <TextSetting label="Series name" value={series.name} onChange={(name) => set({ name })} required />
            <TextSetting
              label="PromQL"
              placeholder="sum(rate(checkout_orders_total[5m]))"
              value={series.expr}
              onChange={(expr) => set({ expr })}
              required
            />
            <NumberSetting
              label="Limit"
              description="The threshold for early warnings."
              value={series.threshold}
              onChange={(threshold) => set({ threshold })}
            />
            <ChoiceSetting
              label="Breach when"
              choices={crossings}
              value={series.thresholdDirection ?? 'above'}
              onChange={(thresholdDirection) => set({ thresholdDirection })}
            />
            <ChoiceSetting
              label="Direction"
              choices={directions}
              value={series.direction ?? 'both'}
              onChange={(direction) => set({ direction })}
            />
            <NumberSetting
              label="Min deviation"
              description="Smaller deviations are ignored. In the metric's unit."
              placeholder="0"
              value={series.minDeviation}
              onChange={(minDeviation) => set({ minDeviation })}
            />
          </>
        )}
      </RowList>
    </Folded>
  );
}
