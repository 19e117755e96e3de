import {
  type AnomalyQuery,
  type BreachQuery,
  type BudgetQuery,
  type ChangesQuery,
  type CompositeQuery,
  type DeploysQuery,
  type ExplainQuery,
  type ForecastQuery,
  type ImpactQuery,
  type IncidentsQuery,
  type JourneyQuery,
  type JourneysQuery,
  type ObjectivesQuery,
  type OperationsQuery,
  type PatternsQuery,
  type ReplayQuery,
  type RolloutQuery,
  type RootCauseQuery,
  type ServiceMapQuery,
  type ServicesQuery,
  type SizingQuery,
  type TraceDiffQuery,
  type VerdictQuery,
  type VersionsQuery,
} from './query.generated';

export * from './query.generated';

/** The version of the query language of pkg/query, which holds every default. */
export const SCHEMA_VERSION = 1;

/** The shape of an answer; empty is chosen by the backend. */
export type Format = NonNullable<AnomalyQuery['format']>;
export type Direction = NonNullable<AnomalyQuery['direction']>;
export type View = NonNullable<TraceDiffQuery['view']>;
export type CauseSignal = NonNullable<RootCauseQuery['signal']>;
export type CauseView = NonNullable<RootCauseQuery['view']>;
export type Compare = NonNullable<PatternsQuery['compare']>;
export type ImpactView = NonNullable<ImpactQuery['view']>;
export type BudgetMeasure = NonNullable<BudgetQuery['measure']>;
export type BudgetView = NonNullable<BudgetQuery['view']>;
export type JourneyView = NonNullable<JourneyQuery['view']>;
export type ReplayView = NonNullable<ReplayQuery['view']>;
export type Measure = NonNullable<ImpactQuery['measure']>;

export type MetricQuery = ForecastQuery | AnomalyQuery | BreachQuery;
export type TraceQuery = TraceDiffQuery | RootCauseQuery | ServiceMapQuery | PatternsQuery | VerdictQuery;
export type NamesQuery = ServicesQuery | OperationsQuery | VersionsQuery | JourneysQuery | ObjectivesQuery;
export type ForesightQuery =
  | MetricQuery
  | ChangesQuery
  | CompositeQuery
  | DeploysQuery
  | ExplainQuery
  | ImpactQuery
  | BudgetQuery
  | IncidentsQuery
  | JourneyQuery
  | RolloutQuery
  | ReplayQuery
  | SizingQuery
  | TraceQuery
  | NamesQuery;
export type QueryType = ForesightQuery['queryType'];

export function isMetricQuery(query: ForesightQuery): query is MetricQuery {
  return ['forecast', 'anomaly', 'breach'].includes(query.queryType);
}

export function isTraceQuery(query: ForesightQuery): query is TraceQuery {
  return ['traceDiff', 'rootCause', 'serviceMap', 'patterns', 'verdict'].includes(query.queryType);
}

export function isNamesQuery(query: ForesightQuery): query is NamesQuery {
  return ['services', 'operations', 'versions', 'journeys', 'objectives'].includes(query.queryType);
}
