// Generated from pkg/query by "go test ./pkg/query -update". Do not edit.

import { type DataQuery } from '@grafana/schema';

/** Feedback is what a person says of an event. */
export interface Feedback {
  /** Time lies in the event: RFC 3339, milliseconds since the epoch, or relative to the end of the window ("-30m"). */
  time: string;
  /** Real is false for a false alarm. */
  real: boolean;
}

/** Filter narrows every series that a metric's PromQL selects, as the ad-hoc filters of a dashboard do. */
export interface Filter {
  /** Key is the label. */
  key: string;
  /** Operator is "=" (default), "!=", "=~" or "!~". */
  operator?: string;
  /** Value is the label's value, or an anchored regular expression. */
  value: string;
}

/** JourneyStep is one step of a journey: an operation of a service or, in place of both, a filter of traces. */
export interface JourneyStep {
  /** Name is what people read. Default: the service and the operation. */
  name?: string;
  /** Service is the service.name. */
  service?: string;
  /** Operation is the span name. */
  operation?: string;
  /** TraceQL is a spanset filter in place of service and operation. Its traces are counted inside the window, without a past. */
  traceQL?: string;
}

/** Population selects one side of a trace diff. */
export interface Population {
  /** Version is the service.version. */
  version?: string | string[];
  /** From is the population's begin: RFC 3339, milliseconds since the epoch, or relative to the end of the window ("-30m"). */
  from?: string;
  /** To is the end of the population, written like From. */
  to?: string;
  /** TraceQL is a further spanset filter. */
  traceQL?: string;
  /** Ago, of a baseline, puts it so long before the candidate, over the same time: the same hour one ("1d") or seven days ago ("7d"). */
  ago?: string;
}

/** Anomaly asks what about a metric is unusual. */
export interface AnomalyQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Expr is the metric, in PromQL. */
  expr?: string;
  /** Filters narrow every series that Expr selects. */
  filters?: Filter[];
  /** Model of the expectation: "auto" (default) or a forecast model's name. */
  model?: string;
  /** History is how far back to learn from. Default 14d. */
  history?: string;
  /** Step overrides the step that follows from the panel's resolution. */
  step?: string;
  /** Probability of the band. Default 0.99. */
  probability?: number | string;
  /** Direction is "both" (default), "above" or "below". */
  direction?: 'both' | 'above' | 'below';
  /** MinDeviation is the smallest deviation that counts, in the metric's unit. */
  minDeviation?: number | string;
  /** MinRelativeDeviation is the smallest deviation that counts, as a share of what is expected: 0.1 is a tenth. */
  minRelativeDeviation?: number | string;
  /** TimeZone is the IANA name of the place whose clock days and weeks follow when daylight saving begins or ends, as "Europe/Berlin". Default UTC. */
  timeZone?: string;
  /** Peers compares each series with the others of the query, as replicas of one service: what all of them do is usual, the odd one out is not. Three series at least. */
  peers?: boolean;
  /** Distribution says that the series are the buckets of histograms, with the label le: the whole shape of each histogram is judged, against its usual one at the time of the day. */
  distribution?: boolean;
  /** Threshold is the score from which on there is an event. Default 75. */
  threshold?: number | string;
  /** Detectors that judge, by name. Default: those that need no choice. */
  detectors?: string[];
  /** NonNegative says that the quantity cannot fall below zero. Default true. */
  nonNegative?: boolean;
  /** Feedback says of past events whether they were real; five of either kind re-rank the events of the window. Annotations in Grafana tagged foresight:true or foresight:false are added to it. */
  feedback?: Feedback[];
  /** Legend names the series, as in Prometheus' legend: {{label}}. Default: the labels that tell the series apart. */
  legend?: string;
  /** Live keeps a panel that ends now up to date through Grafana Live. The frontend reads it; the answer is the same. */
  live?: boolean;
  /** Value is what a rule gets: "number" (default) or "firing", 1 or 0 by the threshold. */
  value?: 'number' | 'firing';
  queryType: 'anomaly';
}

/** Breach asks how likely a metric crosses a threshold soon, and when. */
export interface BreachQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Expr is the metric, in PromQL. */
  expr?: string;
  /** Service is whose resources are watched in place of Expr: memory, processor, threads, file descriptors, disk, queue, connections and others under well-known names, each as a share of its limit. */
  service?: string | string[];
  /** Resources are those that are watched. Default: all that have a limit. */
  resources?: string[];
  /** Filters narrow every series that Expr selects. */
  filters?: Filter[];
  /** Threshold is the limit, in the metric's unit. Of a service it is 1, which is the limit of each resource. */
  threshold?: number | string;
  /** Direction is "above" (default) where the limit must not be reached from below, "below" where it must not be reached from above. */
  direction?: 'above' | 'below';
  /** Horizon is how far to look ahead. Default 1h. */
  horizon?: string;
  /** History is how far back to learn from. Default 14d. */
  history?: string;
  /** Step overrides the step that follows from the panel's resolution. */
  step?: string;
  /** TimeZone is the IANA name of the place whose clock days and weeks follow when daylight saving begins or ends, as "Europe/Berlin". Default UTC. */
  timeZone?: string;
  /** Legend names the series, as in Prometheus' legend: {{label}}. Default: the labels that tell the series apart. */
  legend?: string;
  /** Value is what a rule gets: "number" (default) or "firing", 1 or 0 by the probability, from 0.8 until below 0.5. */
  value?: 'number' | 'firing';
  /** View is what a panel shows: "graph" (default), or "table" with when each series reaches the limit. */
  view?: 'graph' | 'table';
  queryType: 'breach';
}

/** Budget asks what is left of error budgets, what burnt them, and how likely they are exhausted within the horizon. */
export interface BudgetQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Objective is the name of an objective: of the settings, of Sloth's or Pyrra's recorded series or, with a target, of the one in the query. Default: every one that is found. */
  objective?: string;
  /** Service is the service.name. It narrows what is found. With a target and without expressions, its requests under well-known names are counted. */
  service?: string | string[];
  /** Target is the share of requests that must be good, as 0.999. With it the query has an objective of its own. */
  target?: number | string;
  /** Window is that of the objective in the query. Default 30d. */
  window?: string;
  /** Errors and Good are PromQL of the bad and of the good requests per second; give one of both, and Total. Errors without Total is the share of bad requests. The range is best $__rate_interval. */
  errors?: string;
  /** Good is written like Errors. */
  good?: string;
  /** Total is PromQL of all requests per second. */
  total?: string;
  /** Latency is, with a service and a target, how long a good request may take: the share of the target must be as fast. Default: requests are bad that fail. */
  latency?: string;
  /** Horizon is how far to look ahead. Default 3d, or a quarter of a window shorter than 12d. */
  horizon?: string;
  /** View chooses what a panel shows: "summary" (default) for the tables of budgets and of what burnt them, "parts" for the second alone, "series" for what is left over time and ahead, "alerts" for the multi-window burn-rate alerts. */
  view?: 'summary' | 'series' | 'parts' | 'alerts';
  /** Measure is the number that a rule gets: the "probability" (default) of exhaustion within the horizon, the part of the budget "left", the "burn" rate of the last hour, or 1 while a multi-window burn-rate alert of the severity "page" or "ticket" fires, and 0 while none does. */
  measure?: 'probability' | 'left' | 'burn' | 'page' | 'ticket';
  queryType: 'budget';
}

/** LedgerChanges asks what changed inside the window: one list of deploys, scaling, configuration, restarts, nodes, certificates, jobs and what others announced. */
export interface ChangesQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service narrows the list to what is about a service, and to what is about none, as nodes; empty for all. */
  service?: string | string[];
  /** Kinds are the kinds of changes to list. Default: all. */
  kinds?: string[];
  queryType: 'changes';
}

/** Composite asks how unusual a service is, all its signals taken together. */
export interface CompositeQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service is the service.name. */
  service?: string | string[];
  /** History is how far back to learn from. Default 14d. */
  history?: string;
  /** Step overrides the step that follows from the panel's resolution. */
  step?: string;
  /** Quantiles of latency that are signals, between 0 and 1. Default: those of the settings, or 0.95. */
  quantiles?: Array<number | string>;
  /** Threshold is the score from which on there is an event. Default 75. */
  threshold?: number | string;
  /** TimeZone is the IANA name of the place whose clock days and weeks follow when daylight saving begins or ends, as "Europe/Berlin". Default UTC. */
  timeZone?: string;
  /** Value is what a rule gets: "number" (default) or "firing", 1 or 0 by the threshold. */
  value?: 'number' | 'firing';
  /** View is what a panel shows: "graph" (default), or "table" with the score of now and what is unusual. */
  view?: 'graph' | 'table';
  queryType: 'composite';
}

/** Deploys asks which versions of a service were seen and when each arrived. */
export interface DeploysQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service is the service.name; empty for every service. */
  service?: string | string[];
  queryType: 'deploys';
}

/** Explain asks which values of which labels carry the change of a metric: exactly for sums, counts, averages and ratios of them, and for histograms by what lies beyond the quantile before. */
export interface ExplainQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Expr is the metric, in PromQL: a sum, a count, an average, a ratio of them, or a quantile of a histogram. */
  expr?: string;
  /** Filters narrow every series that Expr selects. */
  filters?: Filter[];
  /** Labels to split by. Default: those that the series have. */
  labels?: string[];
  /** Since is when the change began: RFC 3339, milliseconds since the epoch, or relative to the end of the window ("-30m"). Default: where the level of the metric changed most inside the window. */
  since?: string;
  /** Until is the end of the change, written like Since. Default: the end of the window. */
  until?: string;
  /** Step overrides the step that follows from the window. */
  step?: string;
  queryType: 'explain';
}

/** Forecast asks what a metric will be. */
export interface ForecastQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Expr is the metric, in PromQL. */
  expr?: string;
  /** Filters narrow every series that Expr selects. */
  filters?: Filter[];
  /** Model is "auto" (default) or a model's name. */
  model?: string;
  /** Horizon is how far beyond the end of the window to look. Default: a quarter of the window, at least ten steps. */
  horizon?: string;
  /** History is how far back to learn from. Default 14d. */
  history?: string;
  /** Step overrides the step that follows from the panel's resolution. */
  step?: string;
  /** Probability of the prediction interval. Default 0.95. */
  probability?: number | string;
  /** NonNegative says that the quantity cannot fall below zero. Default true. */
  nonNegative?: boolean;
  /** TimeZone is the IANA name of the place whose clock days and weeks follow when daylight saving begins or ends, as "Europe/Berlin". Default UTC. */
  timeZone?: string;
  /** Legend names the series, as in Prometheus' legend: {{label}}. Default: the labels that tell the series apart. */
  legend?: string;
  queryType: 'forecast';
}

/** Impact asks what alerts, warnings and verdicts were worth inside the window: times to detect and to resolve, lead, precision, recall, failed deploys, and incidents that did not happen. */
export interface ImpactQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service is the service.name; empty for every service. */
  service?: string | string[];
  /** Objective is PromQL with a series for each service, above 0 while the service harms its users and 0 while it does not (compare with "> bool"). Without it incidents are those that annotations tagged "incident" tell of. */
  objective?: string;
  /** Alerts is a regular expression over the names of the alerts that count. Default: all. */
  alerts?: string;
  /** Budget is how late an alert may come and still have told of an incident. Default 15m. */
  budget?: string;
  /** FailsWithin is how long after a deploy an incident is laid at its door. Default 1h. */
  failsWithin?: string;
  /** Demand and Replicas are PromQL with a series for each service: its load, and the replicas that serve it. With PerReplica they show where reactive scaling would have had too little. */
  demand?: string;
  /** Replicas is written like Demand. */
  replicas?: string;
  /** PerReplica is the load that one replica bears, in the unit of Demand. */
  perReplica?: number | string;
  /** View is the frame a panel shows; empty for all. */
  view?: 'measures' | 'alerts' | 'incidents' | 'deploys' | 'prevented';
  /** Measure is the number that a rule gets. Default precision. */
  measure?: 'precision' | 'recall' | 'changeFailure' | 'detect' | 'lead' | 'resolve' | 'prevented';
  queryType: 'impact';
}

/** Incidents asks what is abnormal across all services inside the window, grouped by cause: one incident for each. */
export interface IncidentsQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Services is a regular expression over the names of services: only incidents in which one of them went wrong. Default: all. */
  services?: string;
  /** Lookback is how far before the end of the window an incident may have begun, where the window is shorter. What lasts longer becomes the new normal. Default 3h. */
  lookback?: string;
  /** Ongoing leaves out incidents that are resolved. Where none goes on, the table of a panel says so in a row. */
  ongoing?: boolean;
  queryType: 'incidents';
}

/** Journey asks how users get through the steps of a journey inside the window. */
export interface JourneyQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Journey is the name of a journey in the settings, or of the Steps. Default: every journey in the settings. */
  journey?: string | string[];
  /** Steps are the journey's, in place of one in the settings. */
  steps?: JourneyStep[];
  /** View chooses what a panel shows: "summary" (default) for the tables of journeys and steps, "series" for completions over time with their forecast. */
  view?: 'summary' | 'series';
  /** History is how far back to learn from. Default 14d. */
  history?: string;
  /** Step overrides the step that follows from the panel's resolution. */
  step?: string;
  /** Threshold is the score from which on a journey is abnormal. It is normal again after five steps below two thirds of it. Default 75. */
  threshold?: number | string;
  queryType: 'journey';
}

/** Journeys asks for the names of the journeys in the settings. */
export interface JourneysQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  queryType: 'journeys';
}

/** Objectives asks for the names of the objectives. */
export interface ObjectivesQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  queryType: 'objectives';
}

/** Operations asks for the operations (span names) of a service. */
export interface OperationsQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service is the service.name. */
  service?: string | string[];
  queryType: 'operations';
}

/** Patterns asks what makes requests needlessly slow: statements in loops, the same question twice, calls in a row, retries, waits. */
export interface PatternsQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service is the service.name whose requests are looked at. */
  service?: string | string[];
  /** Operation is the span name of the requests; empty for all. */
  operation?: string | string[];
  /** Baseline is by default the version before the candidate's. */
  baseline?: Population;
  /** Candidate is by default the newest version, or the whole window where nothing is compared. */
  candidate?: Population;
  /** Compare is "deploy" (default) or "none". */
  compare?: 'deploy' | 'none';
  /** MaxTraces is the sample size of each side. Default 400. */
  maxTraces?: number | string;
  queryType: 'patterns';
}

/** Replay asks how a rule would have alerted in the past: a question of Foresight's in its alert form, or a threshold on PromQL. */
export interface ReplayQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Question is the query that the rule asks, with its type: anomaly, breach or composite. */
  question?: object;
  /** Expr is the PromQL of a threshold rule, in place of a question. */
  expr?: string;
  /** Condition compares the value with the threshold: gt (default), gte, lt, lte, or present for PromQL whose every series alerts. */
  condition?: 'gt' | 'gte' | 'lt' | 'lte' | 'present';
  /** Threshold is where an instance alerts. Default: 75 for scores, 0.8 for probabilities; PromQL needs one. */
  threshold?: number | string;
  /** Recovery is where an alert ends, on the other side of the threshold. Default: 50 for scores, 0.5 for probabilities, the threshold itself for PromQL. */
  recovery?: number | string;
  /** Interval is how often the rule is evaluated. Default 1m. */
  interval?: string;
  /** For is the pending time. Default 0s. */
  for?: string;
  /** KeepFiringFor is how long an alert goes on after its condition. Default 0s. */
  keepFiringFor?: string;
  /** NoDataState is what no data becomes. Default OK. */
  noDataState?: 'OK' | 'NoData' | 'Alerting' | 'KeepLast';
  /** Look is how far back each evaluation looks, the relativeTimeRange of the rule's query. Default 30m. */
  look?: string;
  /** Past is how much of the past is replayed, up to the end of the panel's range. Default 30d. */
  past?: string;
  /** Objective is PromQL with a series for each service, above 0 while the service harms its users, as in an impact query: the incidents that pages are matched with, beside those of annotations. */
  objective?: string;
  /** PagesPerWeek is how many pages a week a proposal may make. Default 2. */
  pagesPerWeek?: number | string;
  /** Recall is the share of incidents that a proposal should find, 0 to 1, in place of a number of pages. */
  recall?: number | string;
  /** View is the frame a panel shows; empty for all that need no second pass. */
  view?: 'summary' | 'pages' | 'matched' | 'comparison' | 'course' | 'curve' | 'proposal' | 'labels' | 'cost';
  queryType: 'replay';
}

/** Rollout asks for the fastest schedule of weights and pauses with which a bad version is found before it harms too many requests, for the load that is forecast from the end of the window on. */
export interface RolloutQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service is the service.name. */
  service?: string | string[];
  /** Ratio is how many times as many requests of a bad version fail. Default 3. */
  ratio?: number | string;
  /** Slowdown is how many times as long requests of a bad version take; with it, the schedule is for finding this and not errors. Default: errors. */
  slowdown?: number | string;
  /** Probability of finding the bad version in time. Default 0.95. */
  probability?: number | string;
  /** MaxHarmed is how many requests may fail, or be slow, because of the bad version before it is found. Default 1000. */
  maxHarmed?: number | string;
  /** From is the first weight, a share of the requests in whole percent. Default 0.01. */
  from?: number | string;
  /** MaxWeight is the highest weight at which a bad version may still be unknown. Default 0.5. */
  maxWeight?: number | string;
  /** MinPause is the shortest stay at a weight. Default 5m. */
  minPause?: string;
  /** MaxDuration is that of the whole rollout. Default 6h. */
  maxDuration?: string;
  /** Margin is the rise in the share of errors, 0 to 1, that a verdict accepts. Default 0.001. */
  margin?: number | string;
  /** History is how far back the forecast learns from. Default 14d. */
  history?: string;
  queryType: 'rollout';
}

/** RootCause asks what is to blame for a change between two populations of traces, which are chosen as for a trace diff, or for an abnormal signal. */
export interface RootCauseQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service is the service.name whose requests changed. */
  service?: string | string[];
  /** Operation is the span name of the requests; empty for all. */
  operation?: string | string[];
  /** Baseline is by default the version before the newest one in the window. */
  baseline?: Population;
  /** Candidate is by default the newest version seen in the window. */
  candidate?: Population;
  /** Signal asks why the service's latency or errors are abnormal, deploy or not: metrics tell since when, and traces of that time are compared with those before. With any, the more abnormal of both is explained. Without a trace store metrics alone answer, as with any where none is named. */
  signal?: 'latency' | 'errors' | 'any';
  /** View changes ranks the deploys of all services in the window by metrics, in place of comparing populations: new pods with old ones in the same minutes, or before with after. */
  view?: 'changes';
  /** MaxTraces is the sample size of each side. Default 400. */
  maxTraces?: number | string;
  queryType: 'rootCause';
}

/** ServiceMap asks which services call which, how often, how fast and how well, and what changed. */
export interface ServiceMapQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service narrows the map to requests that touch this service.name; empty for all. */
  service?: string | string[];
  /** Operation is the span name of those requests; empty for all. */
  operation?: string | string[];
  /** Baseline is by default the time before the newest deploy. */
  baseline?: Population;
  /** Candidate is by default the time since the newest deploy, or the whole window where nothing is compared. */
  candidate?: Population;
  /** Compare is "deploy" (default) or "none". */
  compare?: 'deploy' | 'none';
  /** MaxTraces is the sample size of each side. Default 400. */
  maxTraces?: number | string;
  queryType: 'serviceMap';
}

/** Services asks for the names of all services. */
export interface ServicesQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  queryType: 'services';
}

/** Sizing asks how many replicas and connections a service needs, which limits and breakers suit it, when to warm its cache and what load to shed: for the load that is forecast at the end of the window. */
export interface SizingQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service is the service.name. */
  service?: string | string[];
  /** Lead is how long it takes until new capacity serves. Default 10m. */
  lead?: string;
  /** Quantile of the forecast load to be ready for; 0.5 for what is expected, which suits noisy loads. Default 0.95. */
  quantile?: number | string;
  /** Use is the share of a replica's capacity to use, 0 to 1. Default 0.7. */
  use?: number | string;
  /** MinReplicas and MaxReplicas bound the replicas. Default: no bound. */
  minReplicas?: number | string;
  maxReplicas?: number | string;
  /** DatabaseConnections is how many connections the database allows in all, of which ReservedConnections are kept for others. Default: not known. */
  databaseConnections?: number | string;
  reservedConnections?: number | string;
  /** MaxWait is how long a request may wait for a connection or to be admitted. Default 50ms. */
  maxWait?: string;
  /** WarmTime is how long warming the cache takes. Default: not known. */
  warmTime?: string;
  /** History is how far back to learn from. Default 14d. */
  history?: string;
  queryType: 'sizing';
}

/** TraceDiff asks what changed between two populations of traces. */
export interface TraceDiffQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service is the service.name whose requests are compared. */
  service?: string | string[];
  /** Operation is the span name of the compared requests; empty for all. */
  operation?: string | string[];
  /** Baseline is by default the version before the newest one in the window. */
  baseline?: Population;
  /** Candidate is by default the newest version seen in the window. */
  candidate?: Population;
  /** MaxTraces is the sample size of each side. Default 400. */
  maxTraces?: number | string;
  /** View is the frame a panel shows; empty for all. */
  view?: 'flameGraph' | 'summary' | 'paths' | 'percentiles' | 'attributes';
  queryType: 'traceDiff';
}

/** Verdict asks whether a new version should be rolled out further: from the errors and slow requests that metrics count for both versions, and from their traces. */
export interface VerdictQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service is the service.name that is rolled out. */
  service?: string | string[];
  /** Operation is the span name of the requests; empty for all. */
  operation?: string | string[];
  /** Baseline is by default the version before the candidate's; of its fields only version is read. */
  baseline?: Population;
  /** Candidate is by default the newest version; of its fields only version is read. */
  candidate?: Population;
  /** Margin is the rise in the share of errors, 0 to 1, that is still acceptable. Default 0.001. */
  margin?: number | string;
  /** MaxTraces is the sample size of each side. Default 400. */
  maxTraces?: number | string;
  queryType: 'verdict';
}

/** Versions asks for the versions of a service. */
export interface VersionsQuery extends DataQuery {
  /** SchemaVersion is the version of the query language. Default: the newest. */
  schemaVersion?: number | string;
  /** Format is empty for "panel", or "alert" where a rule asks. */
  format?: 'panel' | 'alert' | 'annotations';
  /** Service is the service.name. */
  service?: string | string[];
  queryType: 'versions';
}
