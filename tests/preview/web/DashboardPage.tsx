import React, { useEffect, useMemo, useState } from 'react';
import { useMeasure } from 'react-use';
import { type DataFrame, type ScopedVars, type TimeRange } from '@grafana/data';
import { Button, Stack } from '@grafana/ui';
import { type ForesightDataSource } from '../../../src/datasource';
import { type Dashboard, type Panel } from './dashboard';
import { PanelView } from './PanelView';
import { again, Range, rangeOf } from './Range';
import { templates } from './templates';
import { useAnswer } from './useAnswer';
import { Variables } from './Variables';

const row = 38;
const gap = 8;

/** A provisioned dashboard: its variables, its range, its panels where they stand. */
export function DashboardPage({ dashboard, datasource }: { dashboard: Dashboard; datasource: ForesightDataSource }) {
  const [range, setRange] = useState(() => rangeOf(dashboard.time.from, dashboard.time.to));
  const [revision, setRevision] = useState(0); // zero while variables have no values
  const [measured, { width }] = useMeasure<HTMLDivElement>();
  // Children read the templates while they render, so that an effect would come too late.
  // eslint-disable-next-line react-hooks/void-use-memo
  useMemo(
    () => Object.assign(templates, { variables: dashboard.templating.list, values: chosenInAddress(), options: {} }),
    [dashboard]
  );
  const annotations = useAnnotations(dashboard, datasource, range, revision);
  const column = width / 24;
  const copies = revision > 0 ? dashboard.panels.flatMap(repeated) : [];
  return (
    <Stack direction="column" gap={1}>
      <Stack justifyContent="space-between" wrap="wrap">
        <Variables {...{ datasource, range }} onChange={() => setRevision((one) => one + 1)} />
        <Stack>
          <Range range={range} onChange={setRange} />
          <Button icon="sync" variant="secondary" tooltip="Ask again" onClick={() => setRange(again(range))} />
        </Stack>
      </Stack>
      <div ref={measured} style={{ position: 'relative' }}>
        {width > 0 &&
          copies.map(({ panel, scopedVars, place: { x, y, w, h } }) => (
            <div key={`${panel.id}-${x}-${y}`} style={{ position: 'absolute', left: x * column, top: y * row }}>
              <PanelView
                {...{ panel, datasource, range, annotations, scopedVars }}
                width={w * column - gap}
                height={h * row - gap}
              />
            </div>
          ))}
      </div>
    </Stack>
  );
}

/** What the address says of variables: "?var-service=orders". */
function chosenInAddress() {
  const said = new URLSearchParams(window.location.hash.split('?')[1]);
  return Object.fromEntries([...said].map(([name, value]) => [name.replace('var-', ''), value]));
}

/** A panel once for each value of the variable that it repeats by, side by side. */
function repeated(panel: Panel) {
  const { repeat, gridPos } = panel;
  const values = repeat ? templates.each(repeat) : [];
  if (!repeat || values.length === 0) {
    return [{ panel, scopedVars: {}, place: gridPos }];
  }
  const w = gridPos.w / values.length;
  return values.map((value, index) => {
    const scopedVars: ScopedVars = { [repeat]: { text: value, value } };
    return { panel, scopedVars, place: { ...gridPos, w, x: gridPos.x + index * w } };
  });
}

const none: DataFrame[] = [];

/** What happened, as the dashboard's annotation queries tell. */
function useAnnotations(dashboard: Dashboard, datasource: ForesightDataSource, range: TimeRange, revision: number) {
  const shown = dashboard.annotations.list.filter(({ builtIn, enable }) => !builtIn && enable);
  const targets = shown.flatMap((one, index) => {
    const query = datasource.annotations.prepareQuery!(one);
    return query ? [{ ...query, refId: `annotation-${index}` }] : [];
  });
  const key = [range.from.valueOf(), range.to.valueOf(), JSON.stringify(templates.values)].join();
  const { frames } = useAnswer(key, { datasource, targets, range, width: revision > 0 ? 1000 : 0 });
  useEffect(() => {
    frames.forEach((frame) => {
      const color = shown[Number(frame.refId?.split('-')[1])]?.iconColor;
      frame.meta = { ...frame.meta, custom: { ...frame.meta?.custom, color } };
    });
  });
  return frames.length > 0 ? frames : none;
}
