import { readFileSync } from 'fs';
import { join } from 'path';
import schema from '../pkg/query/schema.json';
import { fieldsOf, formatsOf, isComplete, queryTypes, requiredOf } from './language';
import { type ForesightQuery, SCHEMA_VERSION } from './query';

interface Definition {
  properties: Record<string, { description?: string; const?: string; enum?: string[]; maximum?: number }>;
  required?: string[];
}

const definitions: Record<string, Definition> = schema.$defs;
const backendTypes = Object.keys(definitions).filter((name) => definitions[name].properties.queryType);

describe('the query language of the backend', () => {
  it('has the same questions', () => {
    expect([...queryTypes].sort()).toEqual(backendTypes.sort());
  });

  it.each(queryTypes)('gives %s the same fields', (queryType) => {
    const { queryType: named, ...properties } = definitions[queryType].properties;
    expect(named.const).toBe(queryType);
    expect(Object.keys(fieldsOf(queryType)).sort()).toEqual(Object.keys(properties).sort());
  });

  it.each(queryTypes)('requires the same of %s', (queryType) => {
    const required = definitions[queryType].required?.filter((field) => field !== 'queryType') ?? [];
    expect([...requiredOf(queryType)].sort()).toEqual(required.sort());
  });

  it('has one version', () => {
    const versions = backendTypes.map((name) => definitions[name].properties.schemaVersion.maximum);
    expect(new Set(versions)).toEqual(new Set([SCHEMA_VERSION]));
  });

  it('has the same formats', () => {
    const go = readFileSync(join(__dirname, '../pkg/query/format.go'), 'utf8');
    const lines = [...go.matchAll(/^\tType(\w+):\s+\{([\w, ]+)\},$/gm)];
    const formats = lines.map(([, name, list]) => [name.toLowerCase(), list.toLowerCase().split(', ')]);
    expect(Object.fromEntries(queryTypes.map((type) => [type.toLowerCase(), formatsOf(type)]))).toEqual(
      Object.fromEntries(formats)
    );
  });

  it('selects a population by the same fields', () => {
    const written = { version: '', from: '', to: '', traceQL: '', ago: '' } satisfies Required<
      NonNullable<Extract<ForesightQuery, { queryType: 'traceDiff' }>['baseline']>
    >;
    expect(Object.keys(definitions.Population.properties).sort()).toEqual(Object.keys(written).sort());
  });
});

it.each<[string, Partial<ForesightQuery>, boolean]>([
  ['an expression', { queryType: 'anomaly', expr: 'up' }, true],
  ['no expression', { queryType: 'forecast', expr: ' ' }, false],
  ['a limit that is zero', { queryType: 'breach', expr: 'up', threshold: 0 }, true],
  ['no limit', { queryType: 'breach', expr: 'up' }, false],
  ['a map of everything', { queryType: 'serviceMap' }, true],
  ['a question that nobody knows', { queryType: 'weather' as 'services' }, false],
])('%s is enough to ask, or not', (_, query, expected) => {
  expect(isComplete({ refId: 'A', ...query } as ForesightQuery)).toBe(expected);
});
