import { type ComboboxOption } from '@grafana/ui';
import { type SelectableValue } from '@grafana/data';
import { fieldsOf, formatsOf } from '../language';
import {
  type CauseSignal,
  type CauseView,
  type Compare,
  type Direction,
  type ForesightQuery,
  type Format,
  type ImpactView,
  type BudgetMeasure,
  type BudgetView,
  type JourneyView,
  type Measure,
  type QueryType,
  type ReplayQuery,
  type ReplayView,
  type View,
} from '../query';

/** The query types, as questions. */
export const questions: Array<ComboboxOption<QueryType>> = [
  {
    group: 'All services',
    value: 'incidents',
    label: 'What is wrong?',
    description: 'Incidents across all services: one for each cause',
  },
  {
    group: 'All services',
    value: 'journey',
    label: 'How do users get through?',
    description: 'Success, latency and drop-off of each step of a journey, and where users are lost',
  },
  {
    group: 'All services',
    value: 'budget',
    label: 'When is the error budget exhausted?',
    description: 'What is left of error budgets, what burnt them, and the probability of exhaustion',
  },
  {
    group: 'A metric',
    value: 'anomaly',
    label: 'Is a metric anomalous?',
    description: 'Expected range, and a score from 0 to 100',
  },
  {
    group: 'A metric',
    value: 'forecast',
    label: 'What will happen to a metric?',
    description: 'Expected values with prediction intervals',
  },
  {
    group: 'A metric',
    value: 'breach',
    label: 'When will it cross a limit?',
    description: 'Early warning: the probability and the most likely time',
  },
  {
    group: 'A metric',
    value: 'explain',
    label: 'Which labels explain its change?',
    description: 'The values of pod, node, route and other labels that carry a change',
  },
  {
    group: 'A service',
    value: 'composite',
    label: 'How healthy is a service?',
    description: 'One score from all its signals, and the contribution of each',
  },
  {
    group: 'A service',
    value: 'verdict',
    label: 'Is the canary safe?',
    description: 'Pass, fail or inconclusive for a new version',
  },
  {
    group: 'A service',
    value: 'rollout',
    label: 'How fast can it be rolled out?',
    description: 'Weights and pauses that find a bad version before it harms many requests',
  },
  {
    group: 'A service',
    value: 'sizing',
    label: 'What size does it need?',
    description: 'Replicas, connections, limits and breakers for the forecast load',
  },
  {
    group: 'A service',
    value: 'deploys',
    label: 'When was it deployed?',
    description: 'Versions and when each arrived',
  },
  {
    group: 'A service',
    value: 'changes',
    label: 'What changed?',
    description: 'Deploys, scaling, configuration, restarts, nodes, certificates, jobs and announced changes',
  },
  {
    group: 'Traces',
    value: 'traceDiff',
    label: 'What did the deploy change?',
    description: 'The new version compared with the previous one, by call path',
  },
  {
    group: 'Traces',
    value: 'rootCause',
    label: 'What is the root cause?',
    description: 'Ranked suspects of a regression or an anomaly, with reasons',
  },
  {
    group: 'Traces',
    value: 'serviceMap',
    label: 'Who calls whom?',
    description: 'Service map with rates, errors, durations and changes',
  },
  {
    group: 'Traces',
    value: 'patterns',
    label: 'What is inefficient?',
    description: 'N+1 queries, duplicate calls, retries, waits',
  },
  {
    group: 'Reports',
    value: 'replay',
    label: 'How would a rule have alerted?',
    description: 'Pages over the past, what they were worth, and a threshold to propose',
  },
  {
    group: 'Reports',
    value: 'impact',
    label: 'How did alerting perform?',
    description: 'Times to detect and resolve, precision, failed deploys, incidents prevented',
  },
];

/** What a rule can ask: what has numbers. */
export const ruleQuestions = questions.filter(({ value }) => formatsOf(value).includes('alert'));

/** What a dashboard variable can list. */
export const lists: Array<SelectableValue<QueryType>> = [
  { value: 'services', label: 'Services', description: 'All services that send traces' },
  { value: 'operations', label: 'Operations', description: 'The operations of a service' },
  { value: 'versions', label: 'Versions', description: 'The versions of a service' },
  { value: 'journeys', label: 'Journeys', description: 'The journeys in the settings' },
  { value: 'objectives', label: 'Objectives', description: 'The objectives of the settings, and those recorded' },
];

/** The same lists, asked in a panel. */
export const listQuestions: Array<ComboboxOption<QueryType>> = [
  { group: 'Names', value: 'services', label: 'Which services are there?' },
  { group: 'Names', value: 'operations', label: 'Which operations does a service have?' },
  { group: 'Names', value: 'versions', label: 'Which versions does a service have?' },
  { group: 'Names', value: 'journeys', label: 'Which journeys are there?' },
  { group: 'Names', value: 'objectives', label: 'Which objectives are there?' },
];

export const directions: Array<SelectableValue<Direction>> = [
  { value: 'both', label: 'Both' },
  { value: 'above', label: 'Above' },
  { value: 'below', label: 'Below' },
];

export const crossings: Array<SelectableValue<Exclude<Direction, 'both'>>> = [
  { value: 'above', label: 'It rises above' },
  { value: 'below', label: 'It falls below' },
];

export const formats: Array<SelectableValue<Format>> = [
  { value: 'panel', label: 'Panel' },
  { value: 'alert', label: 'Alert', description: 'One number per series, as an alert rule reads it' },
  { value: 'annotations', label: 'Annotations' },
];

export const views: Array<SelectableValue<View>> = [
  { value: undefined, label: 'Everything' },
  { value: 'summary', label: 'Verdict' },
  { value: 'paths', label: 'Call paths' },
  { value: 'flameGraph', label: 'Flame graph' },
  { value: 'attributes', label: 'Attributes' },
];

export const impactViews: Array<ComboboxOption<ImpactView>> = [
  { value: 'measures', label: 'Measures' },
  { value: 'alerts', label: 'Alerts' },
  { value: 'incidents', label: 'Incidents' },
  { value: 'deploys', label: 'Deploys' },
  { value: 'prevented', label: 'Prevented' },
];

export const budgetViews: Array<ComboboxOption<BudgetView>> = [
  { value: 'summary', label: 'Budgets, and what burnt them' },
  { value: 'parts', label: 'What burnt them' },
  { value: 'series', label: 'Over time and ahead' },
  { value: 'alerts', label: 'Burn-rate alerts' },
];

export const budgetMeasures: Array<ComboboxOption<BudgetMeasure>> = [
  { value: 'probability', label: 'Probability of exhaustion' },
  { value: 'left', label: 'Part of the budget left' },
  { value: 'burn', label: 'Burn rate of the last hour' },
  { value: 'page', label: 'Burn-rate alert: page' },
  { value: 'ticket', label: 'Burn-rate alert: ticket' },
];

export const journeyViews: Array<SelectableValue<JourneyView>> = [
  { value: 'summary', label: 'Journeys and steps' },
  { value: 'series', label: 'Completions over time' },
];

export const replayViews: Array<ComboboxOption<ReplayView>> = [
  { value: 'course', label: 'Course', description: 'The metric in its band, and what the rule evaluates' },
  { value: 'summary', label: 'Summary' },
  { value: 'pages', label: 'Pages' },
  { value: 'matched', label: 'Incidents' },
  { value: 'comparison', label: 'Other rules', description: 'A static threshold, a z-score and predict_linear' },
  { value: 'curve', label: 'Pages against threshold' },
  { value: 'proposal', label: 'Proposal', description: 'A rule to copy' },
  { value: 'labels', label: 'Feedback' },
  { value: 'cost', label: 'Cost', description: 'What the replay would read' },
];

export const replayConditions: Array<ComboboxOption<NonNullable<ReplayQuery['condition']>>> = [
  { value: 'gt', label: 'Above' },
  { value: 'gte', label: 'At or above' },
  { value: 'lt', label: 'Below' },
  { value: 'lte', label: 'At or below' },
  { value: 'present', label: 'Any series' },
];

export const measures: Array<ComboboxOption<Measure>> = [
  { value: 'precision', label: 'Precision of alerts' },
  { value: 'recall', label: 'Recall of incidents' },
  { value: 'changeFailure', label: 'Change failure rate' },
  { value: 'detect', label: 'Time to detect' },
  { value: 'lead', label: 'Lead time' },
  { value: 'resolve', label: 'Time to resolve' },
  { value: 'prevented', label: 'Incidents prevented' },
];

export const causeSignals: Array<SelectableValue<CauseSignal | CauseView | ''>> = [
  { value: '', label: 'A deploy', description: 'What changed between two versions or times, from traces' },
  { value: 'latency', label: 'Latency', description: 'Why the service is slow, from metrics and traces' },
  { value: 'errors', label: 'Errors', description: 'Why its requests fail, from metrics and traces' },
  { value: 'any', label: 'Either', description: 'Why it is slow or fails, whichever is more abnormal' },
  { value: 'changes', label: 'Several deploys', description: 'Which deploy is to blame, from metrics by version' },
];

export const comparisons: Array<SelectableValue<Compare>> = [
  { value: 'deploy', label: 'The time before the deploy' },
  { value: 'none', label: 'Nothing' },
];

/** The fields whose name means something else in each question. */
const ownMeaning = ['format', 'threshold', 'direction', 'probability', 'view'];

/** The fields that mean the same in another question survive the change. */
export function ask(query: ForesightQuery, queryType: QueryType): ForesightQuery {
  const { refId, datasource, hide, key } = query;
  const format = query.format && formatsOf(queryType).includes(query.format) ? query.format : undefined;
  const shared = Object.keys(fieldsOf(queryType)).filter((field) => !ownMeaning.includes(field));
  const kept = Object.entries(query).filter(([field]) => shared.includes(field));
  return { refId, datasource, hide, key, ...Object.fromEntries(kept), format, queryType };
}
