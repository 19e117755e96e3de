import { type ScopedVars } from '@grafana/data';
import { type TemplateSrv } from '@grafana/runtime';
import { interpolate, matcherValue } from './interpolate';
import { type ForesightQuery } from './query';

const values: Record<string, string | string[]> = {
  service: 'orders',
  services: ['web', 'a.b'],
  version: '1.2',
  window: '7d',
  limit: '0.9',
  yes: 'true',
  metric: 'load',
};

/** Replaces $name as Grafana's template service does. */
const templates = {
  replace: (text: string, _: ScopedVars, format?: typeof matcherValue) =>
    text.replace(/\$(\w+)/g, (whole, name) => {
      const value = values[name];
      if (value === undefined) {
        return whole;
      }
      return format ? format(value, { multi: Array.isArray(value) }) : [value].flat().join(',');
    }),
  getVariables: () => [],
} as unknown as TemplateSrv;

const interpolated = (query: Partial<ForesightQuery>) =>
  interpolate({ refId: 'A', ...query } as ForesightQuery, templates, {});

describe('matcherValue', () => {
  it.each([
    ['a plain value stays as it is', 'a.b|c', {}, 'a.b|c'],
    ['quotes and backslashes stay inside the string', 'say "a\\b"', {}, 'say \\x22a\\\\b\\x22'],
    ['so do quotes of every kind and line breaks', "'`\n", {}, '\\x27\\x60\\x0a'],
    ['one of several values is a literal in a regular expression', 'a.b', { multi: true }, 'a\\\\.b'],
    ['so is the choice of a variable with "All"', '(x)', { includeAll: true }, '\\\\(x\\\\)'],
    ['a single selected value needs no group', ['a.b'], { multi: true }, 'a\\\\.b'],
    ['several values are alternatives', ['web', 'a+b'], { multi: true }, '(web|a\\\\+b)'],
  ])('%s', (_, value, variable, expected) => {
    expect(matcherValue(value as string | string[], variable)).toBe(expected);
  });

  it('names every special character literally', () => {
    const special = '\\^$.*+?()[]{}|';
    const inString = matcherValue([special], { multi: true });
    // What PromQL's string holds after its own escapes are read.
    const pattern = JSON.parse(`"${inString}"`);
    expect(new RegExp(`^${pattern}$`).test(special)).toBe(true);
  });
});

describe('interpolate', () => {
  it('replaces the expression and the durations of a metric question', () => {
    const query = interpolated({
      queryType: 'forecast',
      expr: 'rate(x{service_name=~"$services"}[5m])',
      history: '$window',
      horizon: '$window',
    });
    expect(query).toMatchObject({ expr: 'rate(x{service_name=~"(web|a\\\\.b)"}[5m])', history: '7d', horizon: '7d' });
  });

  it('replaces the expression and the durations of an early warning, and no number', () => {
    const query = { queryType: 'breach', expr: 'x{s=~"$services"}', horizon: '$window', step: '$window', threshold: 0 };
    expect(interpolated(query as Partial<ForesightQuery>)).toMatchObject({
      expr: 'x{s=~"(web|a\\\\.b)"}',
      horizon: '7d',
      step: '7d',
      threshold: 0,
    });
  });

  it.each(['traceDiff', 'rootCause', 'serviceMap', 'patterns'] as const)('replaces both sides of %s', (queryType) => {
    const query = interpolated({
      queryType,
      service: '$service',
      operation: 'GET /$service',
      baseline: { version: '$version', from: '-$window' },
      candidate: { traceQL: '{ resource.service.name =~ "$services" }' },
    });
    expect(query).toMatchObject({
      service: 'orders',
      operation: 'GET /orders',
      baseline: { version: '1.2', from: '-7d' },
      candidate: { traceQL: '{ resource.service.name =~ "(web|a\\\\.b)" }' },
    });
  });

  it.each(['composite', 'deploys', 'operations', 'versions'] as const)('replaces the service of %s', (queryType) => {
    expect(interpolated({ queryType, service: '$service' })).toMatchObject({ queryType, service: 'orders' });
  });

  it.each(['composite', 'deploys', 'sizing', 'impact', 'verdict', 'traceDiff', 'operations'] as const)(
    'names each service of %s where a variable has several values',
    (queryType) => {
      expect(interpolated({ queryType, service: '$services' })).toMatchObject({ service: ['web', 'a.b'] });
      expect(interpolated({ queryType, service: 'team/$services' })).toMatchObject({
        service: ['team/web', 'team/a.b'],
      });
      expect(interpolated({ queryType, service: ['$service', '$services'] })).toMatchObject({
        service: ['orders', 'web', 'a.b'],
      });
    }
  );

  it('names each operation and version', () => {
    const query = { queryType: 'traceDiff', service: 'x', operation: '$services', candidate: { version: '$services' } };
    expect(interpolated(query as Partial<ForesightQuery>)).toMatchObject({
      operation: ['web', 'a.b'],
      candidate: { version: ['web', 'a.b'] },
    });
  });

  describe('with all chosen in the dashboard', () => {
    const query = { refId: 'A', queryType: 'composite', service: '$services' } as ForesightQuery;
    const holding = (value: string | string[], options = ['web', 'a.b']) =>
      ({
        replace: (
          text: string,
          _: ScopedVars,
          format: (value: string | string[], variable: { name: string }) => string
        ) => text.replace(/\$(\w+)/g, (__, name) => format(value, { name })),
        getVariables: () => [
          {
            name: 'services',
            current: { value: ['$__all'] },
            options: ['$__all', ...options].map((option) => ({ value: option })),
          },
        ],
      }) as unknown as TemplateSrv;

    it('says all', () => {
      expect(interpolate(query, holding(['web', 'a.b']), {})).toMatchObject({ service: '$__all' });
    });

    it('says all of a list that has only one yet', () => {
      expect(interpolate(query, holding(['web'], ['web']), {})).toMatchObject({ service: '$__all' });
    });

    it.each([['web'], [['web']]])('names the one value of a repeated panel: %j', (value) => {
      expect(interpolate(query, holding(value), {})).toMatchObject({ service: 'web' });
    });
  });

  it('replaces numbers, booleans, lists, legends and filters', () => {
    const query = {
      queryType: 'anomaly',
      expr: 'up',
      legend: '$metric of {{job}}',
      threshold: '$limit',
      minDeviation: 3,
      nonNegative: '$yes',
      detectors: ['$services', 'esd'],
      model: '$metric',
      filters: [{ key: 'job', value: '$service' }],
    };
    expect(interpolated(query as unknown as Partial<ForesightQuery>)).toMatchObject({
      legend: 'load of {{job}}',
      threshold: 0.9,
      minDeviation: 3,
      nonNegative: true,
      detectors: ['web', 'a.b', 'esd'],
      model: 'load',
      filters: [{ key: 'job', value: 'orders' }],
    });
    const sizing = { queryType: 'sizing', service: 'x', minReplicas: '$limit', use: '$unknown', maxReplicas: '' };
    expect(interpolated(sizing as unknown as Partial<ForesightQuery>)).toMatchObject({
      minReplicas: 0.9,
      use: '$unknown',
      maxReplicas: '',
    });
  });

  it('makes a filter for one value one for several, and patterns of names', () => {
    const filters = [
      { key: '$metric', operator: '=', value: '$services' },
      { key: 'job', operator: '!=', value: '$services' },
      { key: 'job', operator: '=~', value: 'x-$services' },
      { key: 'job', value: 'a.b' },
    ];
    const several = [
      { key: 'load', operator: '=~', value: 'web|a\\.b' },
      { key: 'job', operator: '!~', value: 'web|a\\.b' },
      { key: 'job', operator: '=~', value: 'x-(web|a\\.b)' },
      { key: 'job', value: 'a.b' },
    ];
    for (const queryType of ['anomaly', 'explain']) {
      const query = { queryType, expr: 'up', filters, labels: ['$services', 'pod'] };
      expect(interpolated(query as unknown as Partial<ForesightQuery>)).toMatchObject({ filters: several });
    }
    expect(interpolated({ queryType: 'explain', expr: 'up', labels: ['$services', 'pod'] })).toMatchObject({
      labels: ['web', 'a.b', 'pod'],
    });
    expect(interpolated({ queryType: 'incidents', services: '$services' })).toMatchObject({ services: '(web|a\\.b)' });
    expect(interpolated({ queryType: 'impact', alerts: '$service.*' })).toMatchObject({ alerts: 'orders.*' });
    const steps = [{ service: '$service', operation: 'GET /$metric' }, { traceQL: '{name=~"$services"}' }];
    expect(interpolated({ queryType: 'journey', steps })).toMatchObject({
      steps: [{ service: 'orders', operation: 'GET /load' }, { traceQL: '{name=~"(web|a\\\\.b)"}' }],
    });
  });

  it("leaves the intervals and ranges to the backend, their formats' ends apart", () => {
    const own = {
      replace: (text: string, scoped: ScopedVars, format?: typeof matcherValue) =>
        text.replace(/\$(?:\{(\w+)(?::\w+)?\}|(\w+))/g, (whole, braced, plain) => {
          const value = scoped[braced ?? plain]?.value;
          return value === undefined ? whole : format ? format(value, {}) : value;
        }),
    } as unknown as TemplateSrv;
    const expr = 'increase(x[${__range_s}s]) + rate(x[$__rate_interval]) + x * $__interval_ms';
    const query = { refId: 'A', queryType: 'forecast', expr } as ForesightQuery;
    expect(interpolate(query, own, {})).toMatchObject({
      expr: 'increase(x[${__range_s}s]) + rate(x[${__rate_interval}]) + x * ${__interval_ms}',
    });
  });

  it('leaves unknown variables, absent fields and the query itself alone', () => {
    const query: ForesightQuery = { refId: 'A', queryType: 'anomaly', expr: 'x{a="$unknown"}', threshold: 80 };
    const before = { ...query };
    expect(interpolate(query, templates, {})).toMatchObject(before);
    expect(query).toEqual(before);
  });
});
