import React from 'react';
import { CoreApp, dateTime, type TimeRange } from '@grafana/data';
import { locationService } from '@grafana/runtime';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { type ForecastQuery } from '../query';
import { AheadButton } from './AheadButton';

const query: ForecastQuery = { refId: 'A', queryType: 'forecast', expr: 'up' };

function last(hours: number, later = 0): TimeRange {
  const to = dateTime().add(later, 'hours');
  const from = dateTime(to).subtract(hours, 'hours');
  return { from, to, raw: { from, to } };
}

beforeEach(() => locationService.push('/d/x'));

it('ends the range of a dashboard a horizon later', async () => {
  render(<AheadButton query={{ ...query, horizon: '2h' }} range={last(6)} app={CoreApp.PanelEditor} />);
  await userEvent.click(screen.getByRole('button', { name: 'Show the next 2h' }));
  expect(locationService.getSearchObject()).toMatchObject({ to: 'now+2h' });
});

it('ends the ranges of Explore a quarter later', async () => {
  const panes = { a: { range: { from: 'now-8h', to: 'now' } } };
  locationService.push(`/explore?panes=${encodeURIComponent(JSON.stringify(panes))}`);
  render(<AheadButton query={query} range={last(8)} app={CoreApp.Explore} />);
  await userEvent.click(screen.getByRole('button', { name: 'Show the next 2h' }));
  expect(JSON.parse(String(locationService.getSearchObject().panes))).toEqual({
    a: { range: { from: 'now-8h', to: 'now+2h' } },
  });
});

it('is not there where the forecast is to be seen, or nobody looks', () => {
  render(<AheadButton query={query} range={last(6, 1)} />);
  render(<AheadButton query={{ ...query, format: 'alert' }} range={last(6)} />);
  expect(screen.queryByRole('button')).not.toBeInTheDocument();
});
