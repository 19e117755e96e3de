import { firstValueFrom, of, throwError } from 'rxjs';
import {
  type AnnotationQuery,
  CoreApp,
  createDataFrame,
  type DataQueryRequest,
  type DataSourceInstanceSettings,
  dateTime,
  FieldType,
  LoadingState,
} from '@grafana/data';
import { config, DataSourceWithBackend, type TemplateSrv } from '@grafana/runtime';
import { ForesightDataSource } from './datasource';
import { type ForesightQuery, type NamesQuery } from './query';
import { type ForesightSettings } from './settings';
import { type ForesightVariables } from './variables';

const settings = {
  uid: 'foresight',
  type: 'foresight-observability-datasource',
  name: 'Foresight',
  jsonData: {},
  meta: {},
} as DataSourceInstanceSettings<ForesightSettings>;

const templates = {
  replace: (text: string) => text.replace('$service', 'orders'),
} as unknown as TemplateSrv;

const datasource = () => new ForesightDataSource(settings, templates);

const ask = (query: Partial<ForesightQuery>) => ({ refId: 'A', ...query }) as ForesightQuery;

const namesFrame = (...values: string[]) =>
  createDataFrame({ fields: [{ name: 'text', type: FieldType.string, values }] });

/** Answers for the backend, and keeps what it was asked. */
function backend(answer: ReturnType<DataSourceWithBackend['query']>) {
  return jest.spyOn(DataSourceWithBackend.prototype, 'query').mockReturnValue(answer);
}

afterEach(() => jest.restoreAllMocks());

describe('default query', () => {
  it('asks what is abnormal, in the shape of the place it is asked from', () => {
    expect(datasource().getDefaultQuery(CoreApp.PanelEditor)).toEqual({
      queryType: 'anomaly',
      format: 'panel',
      schemaVersion: 1,
    });
    expect(datasource().getDefaultQuery(CoreApp.UnifiedAlerting)).toMatchObject({ format: 'alert' });
  });
});

describe('filterQuery', () => {
  it.each<[string, Partial<ForesightQuery>, boolean]>([
    ['an expression', { queryType: 'anomaly', expr: 'up' }, true],
    ['no expression', { queryType: 'forecast', expr: ' ' }, false],
    ['a hidden query', { queryType: 'anomaly', expr: 'up', hide: true }, false],
    ['a comparison of nothing', { queryType: 'traceDiff' }, false],
    ['a comparison of a service', { queryType: 'traceDiff', service: 'orders' }, true],
    ['deploys of every service', { queryType: 'deploys' }, true],
    ['versions of nothing', { queryType: 'versions' }, false],
    ['services', { queryType: 'services' }, true],
    ['no question', {}, false],
  ])('%s', (_, query, expected) => {
    expect(datasource().filterQuery(ask(query))).toBe(expected);
  });
});

describe('variables in queries', () => {
  it('are replaced before the query is sent', () => {
    expect(datasource().applyTemplateVariables(ask({ queryType: 'versions', service: '$service' }), {})).toMatchObject({
      service: 'orders',
    });
  });

  it('are replaced when the panel is opened in Explore', () => {
    const [query] = datasource().interpolateVariablesInQueries(
      [ask({ queryType: 'deploys', service: '$service' })],
      {}
    );
    expect(query).toMatchObject({ service: 'orders', datasource: { uid: 'foresight' } });
  });
});

describe('names', () => {
  it('come from the backend', async () => {
    const query = backend(of({ data: [namesFrame('cart', 'orders')], state: LoadingState.Done }));
    await expect(datasource().names('operations', 'web')).resolves.toEqual(['cart', 'orders']);
    expect(query.mock.calls[0][0].targets).toMatchObject([{ queryType: 'operations', service: 'web' }]);
  });

  it('are none without a service to list for', async () => {
    const query = backend(of({ data: [] }));
    await expect(datasource().names('versions')).resolves.toEqual([]);
    expect(query).not.toHaveBeenCalled();
  });

  it('fail with the message of the backend', async () => {
    backend(of({ data: [], errors: [{ message: 'no trace store is configured' }] }));
    await expect(datasource().names('services')).rejects.toThrow('no trace store is configured');
    backend(throwError(() => new Error('Bad Gateway')));
    await expect(datasource().names('services')).rejects.toThrow('Bad Gateway');
  });
});

describe('live queries', () => {
  const range = { from: dateTime().subtract(1, 'h'), to: dateTime(), raw: { from: 'now-1h', to: 'now' } };
  const live = ask({ refId: 'A', queryType: 'anomaly', expr: 'up{s="$service"}', live: true });
  const plain = ask({ refId: 'B', queryType: 'anomaly', expr: 'up' });
  const request = { targets: [live, plain], range, scopedVars: {} } as unknown as DataQueryRequest<ForesightQuery>;

  it('are watched, with variables replaced, and the others asked once', () => {
    const asked = backend(of({ data: [], state: LoadingState.Done }));
    const source = datasource();
    const named = jest.spyOn(source, 'postResource').mockReturnValue(new Promise(() => {}));
    source.query(request).subscribe();
    expect(asked.mock.calls.map(([{ targets }]) => targets)).toEqual([[live], [plain]]);
    expect(named).toHaveBeenCalledWith('live', {
      query: { queryType: 'anomaly', expr: 'up{s="orders"}' },
      seconds: 3600,
    });
  });

  it('are asked once on a public dashboard', () => {
    const asked = backend(of({ data: [], state: LoadingState.Done }));
    config.publicDashboardAccessToken = 'token';
    datasource().query(request).subscribe();
    config.publicDashboardAccessToken = '';
    expect(asked.mock.calls.map(([{ targets }]) => targets)).toEqual([[live, plain]]);
  });
});

describe('annotations', () => {
  const { annotations } = datasource();

  it('begin with deploys', () => {
    expect(annotations.getDefaultQuery?.()).toMatchObject({ queryType: 'deploys', format: 'annotations' });
  });

  it('always come in the shape of annotations', () => {
    const target = ask({ queryType: 'anomaly', expr: 'up', format: 'panel' });
    expect(annotations.prepareQuery?.({ target } as AnnotationQuery<ForesightQuery>)).toEqual({
      ...target,
      format: 'annotations',
    });
    expect(annotations.prepareQuery?.({} as AnnotationQuery<ForesightQuery>)).toBeUndefined();
  });
});

describe('dashboard variables', () => {
  it('are queries of the backend', async () => {
    const query = backend(of({ data: [namesFrame('1.0', '2.0')] }));
    const support = datasource().variables as unknown as ForesightVariables;
    const target = { queryType: 'versions', service: 'orders' } as NamesQuery;
    const answer = await firstValueFrom(support.query({ targets: [target] } as DataQueryRequest<NamesQuery>));
    expect(answer.data[0].fields[0].values).toEqual(['1.0', '2.0']);
    expect(query.mock.calls[0][0].targets).toEqual([{ ...target, refId: 'variable' }]);
  });
});

describe('ad-hoc filters', () => {
  it('narrow a question about a metric, beside its own', () => {
    const query = ask({ queryType: 'anomaly', expr: 'up', filters: [{ key: 'job', value: 'a' }] });
    const filters = [
      { key: 'zone', operator: '!~', value: 'x.*' },
      { key: 'env', operator: '=|', value: 'a.b', values: ['a.b', 'c'] },
      { key: '', operator: '=', value: '' },
    ];
    expect(datasource().applyTemplateVariables(query, {}, filters)).toMatchObject({
      filters: [
        { key: 'job', value: 'a' },
        { key: 'zone', operator: '!~', value: 'x.*' },
        { key: 'env', operator: '=~', value: 'a\\.b|c' },
      ],
    });
  });

  it('leave questions about services alone', () => {
    const query = ask({ queryType: 'traceDiff', service: 'orders' });
    expect(
      datasource().applyTemplateVariables(query, {}, [{ key: 'a', operator: '=', value: 'b' }])
    ).not.toHaveProperty('filters');
  });

  it('refuse what PromQL cannot say', () => {
    const query = ask({ queryType: 'anomaly', expr: 'up' });
    expect(() => datasource().applyTemplateVariables(query, {}, [{ key: 'a', operator: '>', value: '1' }])).toThrow(
      'cannot be asked'
    );
  });

  it('are chosen from labels and their values', async () => {
    const one = datasource();
    const get = jest.spyOn(one, 'getResource').mockResolvedValue({ names: ['job', 'zone'] });
    expect(await one.getTagKeys()).toEqual([{ text: 'job' }, { text: 'zone' }]);
    get.mockResolvedValue({ names: null });
    expect(await one.getTagValues({ key: 'job', filters: [] })).toEqual([]);
    expect(get).toHaveBeenLastCalledWith('labels/job', expect.objectContaining({ from: expect.any(Number) }));
  });
});
