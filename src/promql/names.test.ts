import { EqlRegex, EqlSingle, Neq } from '@prometheus-io/lezer-promql';
import { dateTime, type TimeRange } from '@grafana/data';
import { Names, selectorOf } from './names';

const matcher = (name: string, type: number, value: string) => ({ name, type, value, matchesEmpty: () => false });

describe('the selector of what is being written', () => {
  it.each([
    ['nothing yet', '', [], '', undefined],
    ['a metric', 'up', [], '', 'up'],
    [
      'a metric and labels',
      'up',
      [matcher('job', EqlSingle, 'a'), matcher('env', Neq, 'b')],
      '',
      'up{job="a",env!="b"}',
    ],
    ['labels alone', '', [matcher('job', EqlRegex, 'a|b')], '', '{job=~"a|b"}'],
    ['without the label in question', 'up', [matcher('job', EqlSingle, 'a')], 'job', 'up'],
    [
      'without variables',
      '$metric',
      [matcher('job', EqlSingle, '$job'), matcher('x', EqlSingle, '[[y]]')],
      '',
      undefined,
    ],
    ['quotes inside a value', 'up', [matcher('job', EqlSingle, 'a"b\\')], '', 'up{job="a\\"b\\\\"}'],
  ])('has %s', (_, metric, matchers, label, wanted) => {
    expect(selectorOf(metric, matchers, label)).toBe(wanted);
  });
});

describe('names', () => {
  it('are asked once for a window, of the routes of the data source', async () => {
    const getResource = jest.fn(async () => ({ names: ['a', 'b'] }));
    const range = { from: dateTime(301_000), to: dateTime(899_000) } as TimeRange;
    const names = new Names({ getResource } as any, () => range);
    expect(await names.metricNames()).toEqual(['a', 'b']);
    await names.labelNames('up');
    await names.labelValues('job/x', 'up', [matcher('env', EqlSingle, 'b')]);
    await names.metricNames();
    const window = { from: 300_000, to: 900_000 };
    expect(getResource.mock.calls).toEqual([
      ['labels/__name__', window, { showErrorAlert: false }],
      ['labels', { ...window, match: 'up' }, { showErrorAlert: false }],
      ['labels/job%2Fx', { ...window, match: 'up{env="b"}' }, { showErrorAlert: false }],
    ]);
  });

  it('complete nothing where they cannot be listed, say why, and are asked for again', async () => {
    const getResource = jest.fn().mockRejectedValueOnce({ data: { error: 'Prometheus is down' } });
    const told = jest.fn();
    const names = new Names({ getResource } as any, undefined, told);
    expect(await names.metricNames()).toEqual([]);
    expect(told).toHaveBeenCalledWith('Prometheus is down');
    getResource.mockResolvedValueOnce({ names: null });
    expect(await names.metricNames()).toEqual([]);
    expect(getResource).toHaveBeenCalledTimes(2);
  });

  it('have the description of their histogram', async () => {
    const getResource = jest.fn(async (path: string) =>
      path === 'metadata/latency' ? { type: 'histogram', help: 'How long.' } : { type: '', help: '' }
    );
    const names = new Names({ getResource } as any);
    expect(await names.describe('latency_bucket')).toEqual({ type: 'histogram', help: 'How long.' });
    expect(await names.describe('unknown_total')).toEqual({ type: '', help: '' });
  });
});
