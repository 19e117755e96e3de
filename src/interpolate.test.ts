import { type ScopedVars } from '@grafana/data';
import { type TemplateSrv } from '@grafana/runtime';
import { interpolate, matcherValue } from './interpolate';
import { type ForesightQuery } from './query';

const values: Record<string, string | string[]> = {
  service: 'orders',
  services: ['web', 'a.b'],
  version: '1.2',
  window: '7d',
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

  it('leaves unknown variables, absent fields and the query itself alone', () => {
    const query: ForesightQuery = { refId: 'A', queryType: 'anomaly', expr: 'x{a="$unknown"}', threshold: 80 };
    const before = { ...query };
    expect(interpolate(query, templates, {})).toMatchObject(before);
    expect(query).toEqual(before);
  });
});
