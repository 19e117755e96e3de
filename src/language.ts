import { type DataQuery } from '@grafana/schema';
import { type ForesightQuery, type Format, type QueryType } from './query';

/**
 * How a field is written, which decides how variables stand in it: in a
 * matcher's quotes, as plain text, in the fields of a population, or not at all.
 */
type Kind = 'matcher' | 'text' | 'population' | 'value';

type Fields<Q> = Record<Exclude<keyof Q, keyof DataQuery>, Kind>;

interface Question<Q> {
  /** The shapes of the answer, the default first. */
  formats: Format[];
  /** What must be said before it can be asked. */
  required: Array<keyof Fields<Q>>;
  fields: Fields<Q>;
}

type Language = { [T in QueryType]: Question<Extract<ForesightQuery, { queryType: T }>> };

const common = { schemaVersion: 'value', format: 'value' } as const;
const ofMetric = {
  ...common,
  expr: 'matcher',
  filters: 'value',
  history: 'text',
  step: 'text',
  legend: 'value',
} as const;
const ofExpectation = { ...ofMetric, model: 'value', probability: 'value', nonNegative: 'value' } as const;
const ofService = { ...common, service: 'text' } as const;
const ofTraces = {
  ...ofService,
  operation: 'text',
  baseline: 'population',
  candidate: 'population',
  maxTraces: 'value',
} as const;

const everyFormat: Format[] = ['panel', 'alert', 'annotations'];

/** The query language of pkg/query, whose schema.json a test compares with it. */
const language: Language = {
  forecast: {
    formats: ['panel', 'alert'],
    required: ['expr'],
    fields: { ...ofExpectation, horizon: 'text', timeZone: 'text' },
  },
  anomaly: {
    formats: everyFormat,
    required: ['expr'],
    fields: {
      ...ofExpectation,
      direction: 'value',
      minDeviation: 'value',
      minRelativeDeviation: 'value',
      timeZone: 'text',
      threshold: 'value',
      detectors: 'value',
      feedback: 'value',
      live: 'value',
    },
  },
  breach: {
    formats: ['panel', 'alert'],
    required: ['expr', 'threshold'],
    fields: { ...ofMetric, threshold: 'value', direction: 'value', horizon: 'text' },
  },
  composite: {
    formats: everyFormat,
    required: ['service'],
    fields: { ...ofService, history: 'text', step: 'text', threshold: 'value', timeZone: 'text' },
  },
  deploys: { formats: everyFormat, required: [], fields: ofService },
  traceDiff: { formats: everyFormat, required: ['service'], fields: { ...ofTraces, view: 'value' } },
  rootCause: { formats: everyFormat, required: ['service'], fields: { ...ofTraces, signal: 'value' } },
  serviceMap: { formats: ['panel', 'alert'], required: [], fields: { ...ofTraces, compare: 'value' } },
  patterns: { formats: everyFormat, required: ['service'], fields: { ...ofTraces, compare: 'value' } },
  verdict: { formats: ['panel', 'alert'], required: ['service'], fields: { ...ofTraces, margin: 'value' } },
  impact: {
    formats: ['panel', 'alert'],
    required: [],
    fields: {
      ...ofService,
      objective: 'matcher',
      alerts: 'text',
      budget: 'text',
      failsWithin: 'text',
      demand: 'matcher',
      replicas: 'matcher',
      perReplica: 'value',
      view: 'value',
      measure: 'value',
    },
  },
  sizing: {
    formats: ['panel', 'alert'],
    required: ['service'],
    fields: {
      ...ofService,
      lead: 'text',
      quantile: 'value',
      use: 'value',
      minReplicas: 'value',
      maxReplicas: 'value',
      databaseConnections: 'value',
      reservedConnections: 'value',
      maxWait: 'text',
      warmTime: 'text',
      history: 'text',
    },
  },
  services: { formats: ['panel'], required: [], fields: common },
  operations: { formats: ['panel'], required: ['service'], fields: ofService },
  versions: { formats: ['panel'], required: ['service'], fields: ofService },
};

export const queryTypes = Object.keys(language) as QueryType[];

export const formatsOf = (queryType: QueryType): Format[] => language[queryType]?.formats ?? ['panel'];

export const fieldsOf = (queryType: QueryType): Record<string, Kind> => language[queryType]?.fields ?? {};

export const requiredOf = (queryType: QueryType): string[] => language[queryType]?.required ?? [];

/** Whether the query says enough to be asked. */
export function isComplete(query: ForesightQuery): boolean {
  const written = new Map(Object.entries(query));
  const said = (field: string) => String(written.get(field) ?? '').trim() !== '';
  return queryTypes.includes(query.queryType) && requiredOf(query.queryType).every(said);
}
