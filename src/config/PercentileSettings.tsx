import React from 'react';
import { type ServicePercentiles } from '../settings';
import { NumbersSetting } from './NumberSetting';
import { type EditorProps, withSettings } from './options';
import { RowList } from './RowList';
import { TextSetting } from './TextSetting';
import { Folded } from '../Folded';

/** Which quantiles of latency are signals of a service. */
export function PercentileSettings({ options, onOptionsChange }: EditorProps) {
  return (
    <Folded label="Latency quantiles">
      <p>The score of a service reads its 95 % latency. Choose other quantiles here, for one service or for all.</p>
      <RowList<ServicePercentiles>
        noun="choice"
        rows={options.jsonData.percentiles}
        onRowsChange={(percentiles) => onOptionsChange(withSettings(options, { percentiles }))}
      >
        {(row, set) => (
          <>
            <TextSetting
              label="Service"
              placeholder="every other service"
              value={row.service}
              onChange={(service) => set({ service })}
            />
            <NumbersSetting
              label="Latency quantiles"
              description="One signal each. The first stands for the latency where one is asked for."
              placeholder="0.5, 0.95, 0.99"
              value={row.quantiles}
              onChange={(quantiles) => set({ quantiles })}
            />
          </>
        )}
      </RowList>
    </Folded>
  );
}
