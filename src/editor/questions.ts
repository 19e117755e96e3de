import { type SelectableValue } from '@grafana/data';
import { type Direction, type Format, formatsOf, type ForesightQuery, type QueryType, type View } from '../query';

/** What one can ask of a panel, in plain words. */
export const questions: Array<SelectableValue<QueryType>> = [
  { value: 'forecast', label: 'Forecast a metric', description: 'Expected values with prediction intervals' },
  { value: 'anomaly', label: 'What is abnormal?', description: 'The normal band, and a score from 0 to 100' },
  { value: 'traceDiff', label: 'Compare a deploy', description: 'What changed in the traces, call by call' },
  { value: 'deploys', label: 'When was it deployed?', description: 'Versions and when each arrived' },
];

/** What a dashboard variable can list. */
export const lists: Array<SelectableValue<QueryType>> = [
  { value: 'services', label: 'Services', description: 'Every service that sent traces' },
  { value: 'operations', label: 'Operations', description: 'The operations of a service' },
  { value: 'versions', label: 'Versions', description: 'The versions of a service' },
];

export const directions: Array<SelectableValue<Direction>> = [
  { value: 'both', label: 'Either way' },
  { value: 'above', label: 'Too high' },
  { value: 'below', label: 'Too low' },
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
];

/** The fields that mean the same in another question survive the change. */
export function ask(query: ForesightQuery, queryType: QueryType): ForesightQuery {
  const { refId, datasource, hide, key, schemaVersion } = query;
  const format = query.format && formatsOf(queryType).includes(query.format) ? query.format : undefined;
  const kept = { refId, datasource, hide, key, schemaVersion, format };
  switch (queryType) {
    case 'forecast':
    case 'anomaly': {
      const { expr, model, history, step, legend, nonNegative } = { ...emptyMetric, ...query };
      return { ...kept, queryType, expr, model, history, step, legend, nonNegative };
    }
    default: {
      const service = 'service' in query ? query.service : undefined;
      return { ...kept, queryType, service };
    }
  }
}

const emptyMetric = {
  expr: undefined,
  model: undefined,
  history: undefined,
  step: undefined,
  legend: undefined,
  nonNegative: undefined,
};
