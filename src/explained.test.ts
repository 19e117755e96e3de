import { CoreApp, createDataFrame, dateTime, FieldType } from '@grafana/data';
import { explained } from './explained';

const range = { from: dateTime(0), to: dateTime(60_000) };
const asked = (panelPluginId?: string, change: object = {}, app: string = CoreApp.Dashboard) =>
  ({ app, range, panelPluginId, targets: [{ refId: 'A', queryType: 'impact', ...change }] }) as any;

const empty = (preferredVisualisationType: any, custom?: object) =>
  createDataFrame({
    refId: 'A',
    name: 'alerts',
    meta: {
      preferredVisualisationType,
      custom,
      notices: [
        { severity: 'info', text: 'Learned from 14 days.' },
        { severity: 'warning', text: 'No series match.' },
      ],
    },
    fields: [{ name: 'time', type: FieldType.time, values: [] }],
  });

const texts = (answer: any) => answer.data[0].fields.map(({ values }: any) => [...values]);

it('says in a table why it has no rows, the reason first and warnings before the rest', () => {
  const answer = explained({ data: [empty('table', { empty: 'No alert fired.' })] }, asked('table'));
  expect(texts(answer)).toEqual([['No alert fired.', 'No series match.', 'Learned from 14 days.']]);
  expect(answer.data[0]).toMatchObject({ refId: 'A', name: 'alerts' });
  expect(answer.data[0].meta.notices).toHaveLength(2);
});

it('leaves a table without a reason to what the panel says for "no value"', () => {
  const frame = createDataFrame({ fields: [{ name: 'a', type: FieldType.string, values: [] }] });
  expect(explained({ data: [frame] }, asked('table')).data[0].fields).toEqual([]);
});

it('says it in the legend of a graph', () => {
  const [frame] = explained({ data: [empty('graph')] }, asked('timeseries')).data;
  expect([...frame.fields[1].values]).toEqual([null, null]);
  expect(frame.fields[1].config.displayNameFromDS).toBe('No series match. Learned from 14 days.');
});

it('says in the panel what failed, too', () => {
  const failed = { data: [], errors: [{ refId: 'A', message: 'Tempo does not answer.' }] };
  expect(texts(explained(failed, asked('table')))).toEqual([['Tempo does not answer.']]);
  expect(texts(explained(failed, asked('flamegraph')))).toEqual([[0], [1], [1], ['Tempo does not answer.']]);
  expect(explained(failed, asked('table')).errors).toBe(failed.errors);
});

it.each([
  ['a rule', asked('table', { format: 'alert' }, CoreApp.UnifiedAlerting)],
  ['a picker', asked(undefined, { queryType: 'services' })],
  ['annotations', asked(undefined, { format: 'annotations' })],
  ['another panel', asked('piechart')],
])('leaves the answer of %s as it is', (_, request) => {
  const answer = { data: [empty('table')] };
  expect(explained(answer, request)).toBe(answer);
});

it('leaves an answer with values, and errors in Explore, as they are', () => {
  const rows = { data: [empty('table'), createDataFrame({ fields: [{ name: 'a', values: [1] }] })] };
  expect(explained(rows, asked('table'))).toBe(rows);
  const failed = { data: [], errors: [{ message: 'Tempo does not answer.' }] };
  expect(explained(failed, asked(undefined, {}, CoreApp.Explore))).toBe(failed);
});
