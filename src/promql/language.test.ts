import { CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { EditorState } from '@codemirror/state';
import { helpAt, meaning, promQL } from './help';
import { problems, read } from './lint';
import { Names } from './names';
import { variables } from './templates';
import { starters } from '../editor/starters';

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getTemplateSrv: () => ({ getVariables: () => [{ name: 'service' }] }),
}));

const known: Record<string, unknown> = {
  'labels/__name__': { names: ['http_requests_total', 'up'] },
  labels: { names: ['job', 'service_name'] },
  'labels/job': { names: ['cart', 'orders'] },
  'metadata/up': { type: 'gauge', help: 'Whether the scrape worked.' },
};
const names = () => new Names({ getResource: async (path: string) => known[path] ?? { type: '', help: '' } } as any);

/** The labels that are offered at the bar. */
async function offered(written: string): Promise<string[]> {
  const place = written.indexOf('|');
  const state = read(written.replace('|', ''), promQL(names()));
  const sources = state.languageDataAt<any>('autocomplete', place);
  const context = new CompletionContext(state, place, true);
  const found: CompletionResult[] = await Promise.all(sources.map((source) => source(context)));
  return found.flatMap((result) => result?.options.map(({ label }) => label) ?? []);
}

describe('completion', () => {
  it.each([
    ['metrics and functions', 'sum(|', ['up', 'http_requests_total', 'rate', 'histogram_quantile']],
    ['labels in a selector', 'up{|}', ['job', 'service_name']],
    ['labels of a grouping', 'sum by (|) (up)', ['job', 'service_name']],
    ['values of a label', 'up{job="|"}', ['cart', 'orders']],
    ['units of time', 'rate(up[5|])', ['m', 'h']],
  ])('offers %s', async (_, written, wanted) => {
    expect(await offered(written)).toEqual(expect.arrayContaining(wanted));
  });

  it('offers the variables of the dashboard and those of time', () => {
    const state = EditorState.create({ doc: 'rate(up{job="$' });
    const result = variables(new CompletionContext(state, state.doc.length, false));
    expect(result?.options.map(({ label }) => label)).toEqual([
      '$service',
      '$__rate_interval',
      '$__interval',
      '$__range',
    ]);
    expect(variables(new CompletionContext(state, 4, false))).toBeNull();
  });
});

describe('a problem', () => {
  it.each([
    ['sum(rate(up[5m])'],
    ['rate(up)'],
    ['up{job="a"'],
    ['sum by (job (up)'],
    ['$a +'],
    ['rate(up[$__rate_interval]'],
  ])('is seen in %s', (written) => {
    expect(problems(written)).not.toEqual([]);
  });

  it('lies where it was written', () => {
    const written = 'sum(rate(up{job="$service"}))';
    const [{ from, to }] = problems(written);
    expect(written.slice(from, to)).toContain('up{job="$service"}');
  });

  it.each([
    [''],
    ['up'],
    ['rate(up[$__rate_interval])'],
    ['increase(x[${__range_s}s]) + rate(x[${__rate_interval}]) + x * ${__interval_ms}'],
    ['up{job=~"$job", env="${env:regex}"}'],
    ['sum by ($label) ($metric) > $limit'],
    ['histogram_quantile($q, sum by ($label, le) (rate(x[5m] offset $shift)))'],
    ['[[expr]] or vector(0)'],
    ...Object.values(starters).map(({ expr }) => [expr]),
  ])('is not seen in %s', (written) => {
    expect(problems(written)).toEqual([]);
  });
});

describe('help', () => {
  const at = (written: string, place: number) => helpAt(read(written, promQL(names())), place, names());

  it('explains functions and aggregations', async () => {
    expect(await meaning('rate')).toMatch(/per-second/);
    expect(await meaning('nonsense')).toBe('');
    expect(await at('rate(up[5m])', 2)).toMatchObject({ from: 0, to: 4, title: 'rate' });
    expect(await at('sum(up)', 1)).toMatchObject({ title: 'sum' });
  });

  it('explains metrics as those who expose them do', async () => {
    expect(await at('rate(up[5m])', 6)).toMatchObject({ title: 'up (gauge)', text: 'Whether the scrape worked.' });
    expect(await at('rate(other[5m])', 6)).toBeNull();
  });
});
