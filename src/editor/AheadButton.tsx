import React from 'react';
import { CoreApp, type TimeRange } from '@grafana/data';
import { locationService } from '@grafana/runtime';
import { Button, Field } from '@grafana/ui';
import { type ForecastQuery } from '../query';

interface Props {
  query: ForecastQuery;
  range?: TimeRange;
  app?: CoreApp;
}

/** A range that ends now shows no forecast: one click extends it. */
export function AheadButton({ query, range, app }: Props) {
  if (!range || (query.format ?? 'panel') !== 'panel' || goesOn(range)) {
    return null;
  }
  const ahead = query.horizon && !query.horizon.includes('$') ? query.horizon : quarter(range);
  return (
    <Field label="The range ends now" noMargin>
      <Button size="sm" variant="secondary" icon="clock-nine" onClick={() => extend(`now+${ahead}`, app)}>
        {`Show the next ${ahead}`}
      </Button>
    </Field>
  );
}

/** Whether the range ends in the future. */
function goesOn({ to }: TimeRange): boolean {
  return to.valueOf() > Date.now() + 60_000;
}

/** The horizon where none is named: a quarter of the range. */
function quarter({ from, to }: TimeRange): string {
  const minutes = Math.max(Math.round(to.diff(from, 'minutes') / 4), 10);
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
}

/** Ends the range of the page later; Explore has one in each of its panes. */
function extend(to: string, app?: CoreApp) {
  const { panes } = locationService.getSearchObject();
  if (app !== CoreApp.Explore || typeof panes !== 'string') {
    locationService.partial({ to });
    return;
  }
  const all: Record<string, { range?: { from: string; to: string } }> = JSON.parse(panes);
  const later = Object.entries(all).map(([id, pane]) => [
    id,
    { ...pane, range: { from: 'now-1h', ...pane.range, to } },
  ]);
  locationService.partial({ panes: JSON.stringify(Object.fromEntries(later)) });
}
