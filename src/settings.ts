import { type DataSourceJsonData } from '@grafana/data';
import { type Direction } from './query';

/** How a metrics or trace server is reached. */
export interface Upstream {
  /** "direct" (default) by its URL, "grafana" through an existing data source. */
  mode?: 'direct' | 'grafana';
  url?: string;
  /** The existing data source, in mode "grafana". */
  uid?: string;
  /** X-Scope-OrgID of a multi-tenant server. */
  tenant?: string;
  basicAuthUser?: string;
  /** Viewers can see their values: prefer headerNames. */
  headers?: Record<string, string>;
  /** Headers whose values are in secureJsonData, by position. */
  headerNames?: string[];
  /** Added to the URL of each request: "dedup=true&partial_response=false". */
  customQueryParameters?: string;
  /** Of metrics; default POST. */
  httpMethod?: 'POST' | 'GET';
  /** Of metrics, as "60s"; default: learned from the samples. */
  scrapeInterval?: string;
  tlsSkipVerify?: boolean;
  tlsServerName?: string;
  secureSocksProxy?: boolean;
}

export interface TracesUpstream extends Upstream {
  kind?: 'tempo' | 'jaeger' | 'zipkin';
}

export interface Limits {
  /** Requests at once to each server. */
  concurrency?: number;
  timeout?: string;
  maxSeries?: number;
  maxTraces?: number;
  cacheMiB?: number;
  /** Requests per second that one caller may send to hooks. */
  callerRate?: number;
}

export type SignalKind = 'traffic' | 'latency' | 'errors' | 'saturation' | 'dependency' | 'demand' | 'business';

/** A signal of every service, in place of the presets of its kind. */
export interface Signal {
  name?: string;
  kind?: SignalKind;
  /** PromQL with $service; $interval, $operation and $quantile stand for what they say. */
  expr?: string;
  quantiles?: number[];
  unit?: string;
  direction?: Direction;
  minDeviation?: number;
  weight?: number;
}

/** The quantiles of latency that are signals of a service, or of every other one. */
export interface ServicePercentiles {
  service?: string;
  /** Between 0 and 1; the first one stands for the latency where one is asked for. */
  quantiles?: number[];
}

/** What engines ask for by name. */
export interface NamedSeries {
  name?: string;
  expr?: string;
  /** Of breaches. */
  threshold?: number;
  thresholdDirection?: Exclude<Direction, 'both'>;
  /** Of anomalies. */
  direction?: Direction;
  minDeviation?: number;
}

/** An operation of a service or, in place of both, a filter of traces. */
export interface JourneyStep {
  name?: string;
  service?: string;
  operation?: string;
  traceQL?: string;
}

/** What users do, step by step. */
export interface Journey {
  name?: string;
  steps?: JourneyStep[];
}

/** A share of requests that must be good, and PromQL by which they are counted. */
export interface Objective {
  name?: string;
  service?: string;
  target?: number;
  window?: string;
  errors?: string;
  good?: string;
  total?: string;
}

/** Where events may be sent. */
export interface Webhook {
  name?: string;
  /** The last six take notifications of alerts (hooks/enrich), the others events. */
  kind?:
    'cloudEvents' | 'pagerDutyChanges' | 'slack' | 'teams' | 'pagerDuty' | 'discord' | 'grafanaIrm' | 'notification';
  /** Viewers can see it: prefer the secret webhookUrl1, webhookUrl2 and so on. */
  url?: string;
  /** Whether the address may be inside the own network. */
  private?: boolean;
}

export type PlaybookMode = 'observe' | 'recommend' | 'auto';

export type PlaybookPattern =
  | 'slowQueryAfterDeploy'
  | 'errorBurstAfterDeploy'
  | 'retryStorm'
  | 'poolExhaustion'
  | 'cacheLost'
  | 'dependencyFailing'
  | 'trafficSpike'
  | 'capacityAhead'
  | 'poolAhead'
  | 'memoryAhead'
  | 'storageAhead'
  | 'certificateAhead';

/** What playbooks may do. */
export interface Playbooks {
  /** Default "observe". */
  mode?: PlaybookMode;
  /** A mode of its own for a pattern of failure. */
  rules?: Partial<Record<PlaybookPattern, PlaybookMode>>;
  killSwitch?: boolean;
  /** The services that automation may act upon. */
  services?: string[];
  /** The name of one of the webhooks. */
  webhook?: string;
  cooldown?: string;
  perService?: number;
  perHour?: number;
  maxShare?: number;
  stopShare?: number;
  minConfidence?: number;
  /** The share of right recommendations by which the mode auto is earned. */
  minRight?: number;
  settle?: string;
  deadline?: string;
  window?: string;
}

/** How notifications of alerts are passed on with their cause. */
export interface Enrich {
  /** How long the cause is looked for; default 8s. */
  deadline?: string;
}

/** jsonData: visible to every viewer, so never a secret. */
export interface ForesightSettings extends DataSourceJsonData {
  prometheus?: Upstream;
  traces?: TracesUpstream;
  grafana?: { url?: string };
  deploys?: {
    /** Whether a new service.version in traces is a deploy; default true. */
    fromVersions?: boolean;
    /** Tags of the annotations in Grafana that announce deploys; default "deploy". */
    annotationTags?: string[];
  };
  limits?: Limits;
  signals?: Signal[];
  percentiles?: ServicePercentiles[];
  series?: NamedSeries[];
  journeys?: Journey[];
  objectives?: Objective[];
  objectivesYaml?: string;
  webhooks?: Webhook[];
  enrich?: Enrich;
  playbooks?: Playbooks;
}

export type UpstreamName = 'prometheus' | 'traces';

type UpstreamSecret = `${UpstreamName}${'Password' | 'Token' | 'TlsCaCert' | 'TlsClientCert' | 'TlsClientKey'}`;

/** The value of a header of headerNames, counted from 1. */
export type HeaderSecret = `${UpstreamName}HeaderValue${number}`;

/** The URL of one of the webhooks, counted from 1. */
export type WebhookSecret = `webhookUrl${number}`;

export type SecretName =
  | UpstreamSecret
  | HeaderSecret
  | WebhookSecret
  | 'grafanaToken'
  | 'webhookSecret'
  | 'signingSecret'
  | 'pagerDutyRoutingKey';

/** secureJsonData: goes to the backend and never comes back. */
export type ForesightSecrets = Partial<Record<SecretName, string>>;
