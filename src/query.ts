import { type DataQuery } from '@grafana/schema';

/** The query language of pkg/query, which holds every default. */
export const SCHEMA_VERSION = 1;

/** The shape of an answer; empty is chosen by the backend. */
export type Format = 'panel' | 'alert' | 'annotations';

interface Common extends DataQuery {
  schemaVersion?: number;
  format?: Format;
}

/** Durations are written as Prometheus writes them: "14d", "90s", "1h30m". */
type Duration = string;

interface MetricQuestion extends Common {
  expr?: string;
  model?: string;
  history?: Duration;
  step?: Duration;
  /** Coverage of the interval or band, between 0 and 1. */
  probability?: number;
  /** Whether the quantity cannot fall below zero. */
  nonNegative?: boolean;
  legend?: string;
}

export interface ForecastQuery extends MetricQuestion {
  queryType: 'forecast';
  horizon?: Duration;
}

export type Direction = 'both' | 'above' | 'below';

export interface AnomalyQuery extends MetricQuestion {
  queryType: 'anomaly';
  direction?: Direction;
  /** The smallest deviation that counts, in the metric's unit. */
  minDeviation?: number;
  /** The score, 0 to 100, from which on there is an event. */
  threshold?: number;
}

export interface DeploysQuery extends Common {
  queryType: 'deploys';
  service?: string;
}

/** One side of a comparison; what is empty takes the side's default. */
export interface Population {
  version?: string;
  /** RFC 3339, milliseconds since the epoch, or relative to the end of the window ("-30m"). */
  from?: string;
  to?: string;
  traceQL?: string;
}

export type View = 'summary' | 'paths' | 'flameGraph';

export interface TraceDiffQuery extends Common {
  queryType: 'traceDiff';
  service?: string;
  operation?: string;
  baseline?: Population;
  candidate?: Population;
  maxTraces?: number;
  /** The frame a panel shows; empty for all. */
  view?: View;
}

export interface NamesQuery extends Common {
  queryType: 'services' | 'operations' | 'versions';
  service?: string;
}

export type MetricQuery = ForecastQuery | AnomalyQuery;
export type ForesightQuery = MetricQuery | DeploysQuery | TraceDiffQuery | NamesQuery;
export type QueryType = ForesightQuery['queryType'];

export function isMetricQuery(query: ForesightQuery): query is MetricQuery {
  return query.queryType === 'forecast' || query.queryType === 'anomaly';
}

export function isNamesQuery(query: ForesightQuery): query is NamesQuery {
  return query.queryType === 'services' || query.queryType === 'operations' || query.queryType === 'versions';
}

/** The shapes in which each question can be answered, as in pkg/query. */
export function formatsOf(queryType: QueryType): Format[] {
  switch (queryType) {
    case 'forecast':
      return ['panel', 'alert'];
    case 'anomaly':
    case 'deploys':
    case 'traceDiff':
      return ['panel', 'alert', 'annotations'];
    default:
      return ['panel'];
  }
}

/** Whether the query says enough to be asked. */
export function isComplete(query: ForesightQuery): boolean {
  switch (query.queryType) {
    case 'forecast':
    case 'anomaly':
      return Boolean(query.expr?.trim());
    case 'traceDiff':
    case 'operations':
    case 'versions':
      return Boolean(query.service);
    case 'deploys':
    case 'services':
      return true;
    default:
      return false;
  }
}
