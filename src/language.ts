import { type DataQuery } from '@grafana/schema';
import { type ForesightQuery, type Format, type QueryType } from './query';

/**
 * How a field is written, which decides how variables stand in it: in a
 * matcher's quotes, as plain text, as a number or a boolean, as one or several
 * names, as a regular expression, as a list of texts, in the fields of a
 * population, in the values of filters, in the steps of a journey, in another
 * query, or not at all.
 */
export type Kind =
  | 'matcher'
  | 'text'
  | 'number'
  | 'flag'
  | 'names'
  | 'pattern'
  | 'texts'
  | 'population'
  | 'filters'
  | 'steps'
  | 'question'
  | 'value';

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
  filters: 'filters',
  history: 'text',
  step: 'text',
  legend: 'text',
} as const;
const ofExpectation = { ...ofMetric, model: 'text', probability: 'number', nonNegative: 'flag' } as const;
const ofService = { ...common, service: 'names' } as const;
const ofTraces = {
  ...ofService,
  operation: 'names',
  baseline: 'population',
  candidate: 'population',
  maxTraces: 'number',
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
      direction: 'text',
      minDeviation: 'number',
      minRelativeDeviation: 'number',
      timeZone: 'text',
      peers: 'flag',
      distribution: 'flag',
      threshold: 'number',
      value: 'value',
      detectors: 'texts',
      feedback: 'value',
      live: 'flag',
    },
  },
  breach: {
    formats: ['panel', 'alert'],
    required: [],
    fields: {
      ...ofMetric,
      service: 'names',
      resources: 'value',
      threshold: 'number',
      direction: 'text',
      horizon: 'text',
      timeZone: 'text',
      value: 'value',
      view: 'text',
    },
  },
  composite: {
    formats: everyFormat,
    required: ['service'],
    fields: {
      ...ofService,
      history: 'text',
      step: 'text',
      quantiles: 'value',
      threshold: 'number',
      timeZone: 'text',
      value: 'value',
      view: 'text',
    },
  },
  explain: {
    formats: ['panel'],
    required: ['expr'],
    fields: {
      ...common,
      expr: 'matcher',
      filters: 'filters',
      labels: 'texts',
      since: 'text',
      until: 'text',
      step: 'text',
    },
  },
  changes: { formats: ['panel', 'annotations'], required: [], fields: { ...ofService, kinds: 'texts' } },
  deploys: { formats: everyFormat, required: [], fields: ofService },
  traceDiff: { formats: everyFormat, required: ['service'], fields: { ...ofTraces, view: 'text' } },
  rootCause: { formats: everyFormat, required: ['service'], fields: { ...ofTraces, signal: 'text', view: 'text' } },
  serviceMap: { formats: ['panel', 'alert'], required: [], fields: { ...ofTraces, compare: 'text' } },
  patterns: { formats: everyFormat, required: ['service'], fields: { ...ofTraces, compare: 'text' } },
  verdict: { formats: ['panel', 'alert'], required: ['service'], fields: { ...ofTraces, margin: 'number' } },
  incidents: {
    formats: everyFormat,
    required: [],
    fields: { ...common, services: 'pattern', lookback: 'text', ongoing: 'flag' },
  },
  journey: {
    formats: everyFormat,
    required: [],
    fields: {
      ...common,
      journey: 'names',
      steps: 'steps',
      view: 'text',
      history: 'text',
      step: 'text',
      threshold: 'number',
    },
  },
  journeys: { formats: ['panel'], required: [], fields: common },
  budget: {
    formats: ['panel', 'alert'],
    required: [],
    fields: {
      ...common,
      objective: 'text',
      service: 'names',
      target: 'number',
      window: 'text',
      errors: 'text',
      good: 'text',
      total: 'text',
      latency: 'text',
      horizon: 'text',
      view: 'text',
      measure: 'text',
    },
  },
  objectives: { formats: ['panel'], required: [], fields: common },
  replay: {
    formats: ['panel', 'annotations'],
    required: [],
    fields: {
      ...common,
      question: 'question',
      expr: 'matcher',
      condition: 'text',
      threshold: 'number',
      recovery: 'number',
      interval: 'text',
      for: 'text',
      keepFiringFor: 'text',
      noDataState: 'text',
      look: 'text',
      past: 'text',
      objective: 'matcher',
      pagesPerWeek: 'number',
      recall: 'number',
      view: 'text',
    },
  },
  impact: {
    formats: ['panel', 'alert'],
    required: [],
    fields: {
      ...ofService,
      objective: 'matcher',
      alerts: 'pattern',
      budget: 'text',
      failsWithin: 'text',
      demand: 'matcher',
      replicas: 'matcher',
      perReplica: 'number',
      view: 'text',
      measure: 'text',
    },
  },
  sizing: {
    formats: ['panel', 'alert'],
    required: ['service'],
    fields: {
      ...ofService,
      lead: 'text',
      quantile: 'number',
      use: 'number',
      minReplicas: 'number',
      maxReplicas: 'number',
      databaseConnections: 'number',
      reservedConnections: 'number',
      maxWait: 'text',
      warmTime: 'text',
      history: 'text',
    },
  },
  rollout: {
    formats: ['panel'],
    required: ['service'],
    fields: {
      ...ofService,
      ratio: 'number',
      slowdown: 'number',
      probability: 'number',
      maxHarmed: 'number',
      from: 'number',
      maxWeight: 'number',
      minPause: 'text',
      maxDuration: 'text',
      margin: 'number',
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
  if (query.queryType === 'replay') {
    return query.question === undefined ? said('expr') : isComplete(query.question as ForesightQuery);
  }
  if (query.queryType === 'breach') {
    return said('service') || (said('expr') && said('threshold'));
  }
  return queryTypes.includes(query.queryType) && requiredOf(query.queryType).every(said);
}
