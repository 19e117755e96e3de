import { type AnnotationQuery, type DataTransformerConfig, type FieldConfigSource } from '@grafana/data';
import { type ForesightQuery } from '../../../src/query';
import { type Variable } from './templates';

/** What is read of a provisioned dashboard. */
export interface Dashboard {
  uid: string;
  title: string;
  time: { from: string; to: string };
  panels: Panel[];
  templating: { list: Variable[] };
  annotations: { list: Array<AnnotationQuery<ForesightQuery>> };
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: ForesightQuery[];
  fieldConfig: FieldConfigSource;
  options: Record<string, any>;
  transformations?: DataTransformerConfig[];
  repeat?: string;
}
