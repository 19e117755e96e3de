import { readFileSync } from 'fs';
import { join } from 'path';
import { type DataSourceJsonData } from '@grafana/data';
import { patterns } from './config/PlaybookSettings';
import {
  type Enrich,
  type ForesightSettings,
  type HeaderSecret,
  type Journey,
  type JourneyStep,
  type Limits,
  type NamedSeries,
  type Objective,
  type Playbooks,
  type SecretName,
  type Signal,
  type TracesUpstream,
  type Webhook,
  type WebhookSecret,
} from './settings';

const source = (file: string) => readFileSync(join(__dirname, '../pkg', file), 'utf8');
const backend = ['settings', 'signals', 'playbooks', 'journeys', 'objectives']
  .map((file) => source(`plugin/${file}.go`))
  .join('\n');

/** Every name under which the backend reads a setting. */
const read = new Set(
  [
    ...backend.matchAll(
      /\.(?:text|choice|boolean|number|share|quantity|quantities|duration|texts|textMap|objects?)\("(\w+)"/g
    ),
  ].map(([, name]) => name)
);

type Names<T> = Record<keyof Required<T>, true>;
const root: Names<Omit<ForesightSettings, keyof DataSourceJsonData>> = {
  prometheus: true,
  traces: true,
  grafana: true,
  deploys: true,
  limits: true,
  signals: true,
  percentiles: true,
  series: true,
  journeys: true,
  objectives: true,
  objectivesYaml: true,
  webhooks: true,
  enrich: true,
  playbooks: true,
};
const upstream: Names<TracesUpstream> = {
  mode: true,
  url: true,
  uid: true,
  tenant: true,
  basicAuthUser: true,
  headers: true,
  headerNames: true,
  customQueryParameters: true,
  httpMethod: true,
  scrapeInterval: true,
  tlsSkipVerify: true,
  tlsServerName: true,
  secureSocksProxy: true,
  kind: true,
};
const deploys: Names<NonNullable<ForesightSettings['deploys']>> = { fromVersions: true, annotationTags: true };
const limits: Names<Limits> = {
  concurrency: true,
  timeout: true,
  maxSeries: true,
  maxTraces: true,
  cacheMiB: true,
  callerRate: true,
};
const signal: Names<Signal> = {
  name: true,
  kind: true,
  expr: true,
  quantiles: true,
  unit: true,
  direction: true,
  minDeviation: true,
  weight: true,
};
const series: Names<NamedSeries> = {
  name: true,
  expr: true,
  threshold: true,
  thresholdDirection: true,
  direction: true,
  minDeviation: true,
};
const journey: Names<Journey> = { name: true, steps: true };
const objective: Names<Objective> = {
  name: true,
  service: true,
  target: true,
  window: true,
  errors: true,
  good: true,
  total: true,
};
const journeyStep: Names<JourneyStep> = { name: true, service: true, operation: true, traceQL: true };
const webhook: Names<Webhook> = { name: true, kind: true, url: true, private: true };
const enrich: Names<Enrich> = { deadline: true };
const playbooks: Names<Playbooks> = {
  mode: true,
  rules: true,
  killSwitch: true,
  services: true,
  webhook: true,
  cooldown: true,
  perService: true,
  perHour: true,
  maxShare: true,
  stopShare: true,
  minConfidence: true,
  minRight: true,
  settle: true,
  deadline: true,
  window: true,
};

it('have the names by which the backend reads them, all of them', () => {
  const written = [
    root,
    upstream,
    deploys,
    limits,
    signal,
    series,
    journey,
    journeyStep,
    objective,
    webhook,
    enrich,
    playbooks,
  ].flatMap(Object.keys);
  expect([...new Set(written)].sort()).toEqual([...read].sort());
});

it('have the patterns of failure that the backend knows', () => {
  const known = [...source('playbook/rules.go').matchAll(/ Pattern = "(\w+)"/g)].map(([, name]) => name);
  expect(Object.keys(patterns)).toEqual(known);
});

it('have secrets with the names by which the backend reads them', () => {
  const whole = [...backend.matchAll(/secrets\["(\w+)"\]/g)].map(([, name]) => name);
  const ofUpstream = [...backend.matchAll(/secrets\[name\+"(\w+)"\]/g)].map(([, name]) => name);
  const known: Record<Exclude<SecretName, `traces${string}` | HeaderSecret | WebhookSecret>, true> = {
    prometheusPassword: true,
    prometheusToken: true,
    prometheusTlsCaCert: true,
    prometheusTlsClientCert: true,
    prometheusTlsClientKey: true,
    grafanaToken: true,
    webhookSecret: true,
    signingSecret: true,
    pagerDutyRoutingKey: true,
  };
  expect([...whole, ...ofUpstream.map((name) => `prometheus${name}`)].sort()).toEqual(Object.keys(known).sort());
});
