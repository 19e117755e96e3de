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

/** Narrows every series that a PromQL query selects. */
export interface Filter {
  key: string;
  operator?: '=' | '!=' | '=~' | '!~';
  value: string;
}

/** What is asked of the series of a PromQL query. */
interface OfMetric extends Common {
  expr?: string;
  filters?: Filter[];
  /** How far back to learn from. */
  history?: Duration;
  step?: Duration;
  legend?: string;
}

/** What rests on an expectation. */
interface OfExpectation extends OfMetric {
  model?: string;
  /** Coverage of the interval or band, between 0 and 1. */
  probability?: number;
  /** Whether the quantity cannot fall below zero. */
  nonNegative?: boolean;
}

export interface ForecastQuery extends OfExpectation {
  queryType: 'forecast';
  horizon?: Duration;
  /** The place whose clock days and weeks follow: "Europe/Berlin". */
  timeZone?: string;
}

export type Direction = 'both' | 'above' | 'below';

export interface AnomalyQuery extends OfExpectation {
  queryType: 'anomaly';
  direction?: Direction;
  /** The smallest deviation that counts, in the metric's unit. */
  minDeviation?: number;
  /** The score, 0 to 100, from which on there is an event. */
  threshold?: number;
  /** The detectors that judge, by name. */
  detectors?: string[];
  /** Which past events were real and which false alarms. */
  feedback?: Feedback[];
  /** Whether a panel that ends now is kept up to date through Grafana Live. */
  live?: boolean;
}

export interface Feedback {
  /** A time in the event: RFC 3339, or relative to the end of the window. */
  time: string;
  real: boolean;
}

export interface BreachQuery extends OfMetric {
  queryType: 'breach';
  /** The limit, in the metric's unit. */
  threshold?: number;
  direction?: Exclude<Direction, 'both'>;
  horizon?: Duration;
}

export interface CompositeQuery extends Common {
  queryType: 'composite';
  service?: string;
  history?: Duration;
  step?: Duration;
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
  /** Of a baseline: so long before the candidate, over the same time ("1d", "7d"). */
  ago?: Duration;
}

/** What is asked of traces, the baseline's beside the candidate's. */
interface OfTraces extends Common {
  service?: string;
  operation?: string;
  baseline?: Population;
  candidate?: Population;
  maxTraces?: number;
}

export type View = 'summary' | 'paths' | 'flameGraph';

export interface TraceDiffQuery extends OfTraces {
  queryType: 'traceDiff';
  /** The frame a panel shows; empty for all. */
  view?: View;
}

export interface RootCauseQuery extends OfTraces {
  queryType: 'rootCause';
}

export type Compare = 'deploy' | 'none';

export interface ServiceMapQuery extends OfTraces {
  queryType: 'serviceMap';
  compare?: Compare;
}

export interface PatternsQuery extends OfTraces {
  queryType: 'patterns';
  compare?: Compare;
}

export interface VerdictQuery extends OfTraces {
  queryType: 'verdict';
  /** The rise in the share of errors, 0 to 1, that is still acceptable. */
  margin?: number;
}

export type ImpactView = 'measures' | 'alerts' | 'incidents' | 'deploys' | 'prevented';

export type Measure = 'precision' | 'recall' | 'changeFailure' | 'detect' | 'lead' | 'resolve' | 'prevented';

export interface ImpactQuery extends Common {
  queryType: 'impact';
  service?: string;
  /** PromQL with a series for each service, above 0 while it harms its users. */
  objective?: string;
  /** A regular expression over the names of the alerts that count. */
  alerts?: string;
  /** How late an alert may come and still have told of an incident. */
  budget?: Duration;
  /** How long after a deploy an incident is laid at its door. */
  failsWithin?: Duration;
  /** PromQL of the load of each service, and of the replicas that serve it. */
  demand?: string;
  replicas?: string;
  perReplica?: number;
  /** The frame a panel shows; empty for all. */
  view?: ImpactView;
  /** The number that a rule gets. */
  measure?: Measure;
}

export interface SizingQuery extends Common {
  queryType: 'sizing';
  service?: string;
  /** How long it takes until new capacity serves. */
  lead?: Duration;
  /** The quantile of the forecast load to be ready for. */
  quantile?: number;
  /** The share of a replica's capacity to use, 0 to 1. */
  use?: number;
  minReplicas?: number;
  maxReplicas?: number;
  /** How many connections the database allows in all. */
  databaseConnections?: number;
  /** How many of them are kept for others. */
  reservedConnections?: number;
  /** How long a request may wait for a connection or to be admitted. */
  maxWait?: Duration;
  /** How long warming the cache takes. */
  warmTime?: Duration;
  history?: Duration;
}

export interface ServicesQuery extends Common {
  queryType: 'services';
}

export interface OperationsQuery extends Common {
  queryType: 'operations';
  service?: string;
}

export interface VersionsQuery extends Common {
  queryType: 'versions';
  service?: string;
}

export type MetricQuery = ForecastQuery | AnomalyQuery | BreachQuery;
export type TraceQuery = TraceDiffQuery | RootCauseQuery | ServiceMapQuery | PatternsQuery | VerdictQuery;
export type NamesQuery = ServicesQuery | OperationsQuery | VersionsQuery;
export type ForesightQuery =
  MetricQuery | CompositeQuery | DeploysQuery | ImpactQuery | SizingQuery | TraceQuery | NamesQuery;
export type QueryType = ForesightQuery['queryType'];

export function isMetricQuery(query: ForesightQuery): query is MetricQuery {
  return ['forecast', 'anomaly', 'breach'].includes(query.queryType);
}

export function isTraceQuery(query: ForesightQuery): query is TraceQuery {
  return ['traceDiff', 'rootCause', 'serviceMap', 'patterns', 'verdict'].includes(query.queryType);
}

export function isNamesQuery(query: ForesightQuery): query is NamesQuery {
  return ['services', 'operations', 'versions'].includes(query.queryType);
}
