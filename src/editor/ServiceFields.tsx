import React from 'react';
import { type TimeRange } from '@grafana/data';
import {
  type BudgetQuery,
  type ChangesQuery,
  type CompositeQuery,
  type DeploysQuery,
  type ImpactQuery,
  type OperationsQuery,
  type RolloutQuery,
  type SizingQuery,
  type VersionsQuery,
} from '../query';
import { type Source } from '../source';
import { type FieldsProps, TextField } from './fields';
import { NamePicker } from './NamePicker';
import { ScoringOptions } from './ScoringOptions';
import { ValueField, ViewField } from './ValueField';

export interface BackendProps<T> extends FieldsProps<T> {
  datasource: Source;
  range?: TimeRange;
}

type ServiceQuery =
  | BudgetQuery
  | ChangesQuery
  | CompositeQuery
  | DeploysQuery
  | ImpactQuery
  | OperationsQuery
  | RolloutQuery
  | SizingQuery
  | VersionsQuery;

/** Which service: all that deploys and the lists of a service need. */
export function ServiceField({ query, onCommit, datasource, range }: BackendProps<ServiceQuery>) {
  return (
    <NamePicker
      {...{ datasource, range }}
      list="services"
      label="Service"
      placeholder={
        ['budget', 'changes', 'deploys', 'impact'].includes(query.queryType) ? 'Every service' : 'Choose a service'
      }
      value={query.service}
      onChange={(service) => onCommit({ ...query, service })}
    />
  );
}

function numbers(text?: string) {
  const found = text?.split(/[\s,;]+/).filter(Boolean).map(Number).filter(Number.isFinite);
  return found?.length ? found : undefined;
}

/** The fields of a service's score. */
export function CompositeFields({ query, onCommit, datasource, range }: BackendProps<CompositeQuery>) {
  return (
    <>
      <ServiceField {...{ query, datasource, range }} onCommit={({ service }) => onCommit({ ...query, service })} />
      <TextField
        label="Latency quantiles"
        placeholder="0.95"
        value={query.quantiles?.join(', ')}
        onCommit={(text) => onCommit({ ...query, quantiles: numbers(text) })}
      />
      <ViewField {...{ query, onCommit }} />
      <ValueField {...{ query, onCommit }} />
      <ScoringOptions scoring={query} onCommit={(change) => onCommit({ ...query, ...change })} reached="event" />
    </>
  );
}
