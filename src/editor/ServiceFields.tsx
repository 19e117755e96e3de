import React from 'react';
import { type TimeRange } from '@grafana/data';
import {
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
import { type FieldsProps, DurationField, NumberField } from './fields';
import { NamePicker } from './NamePicker';
import { Options } from './Options';
import { ValueField, ViewField } from './ValueField';

export interface BackendProps<T> extends FieldsProps<T> {
  datasource: Source;
  range?: TimeRange;
}

type ServiceQuery =
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
      placeholder={['changes', 'deploys', 'impact'].includes(query.queryType) ? 'Every service' : 'Choose a service'}
      value={query.service}
      onChange={(service) => onCommit({ ...query, service })}
    />
  );
}

/** The fields of a service's score. */
export function CompositeFields({ query, onCommit, datasource, range }: BackendProps<CompositeQuery>) {
  const { history, step, threshold } = query;
  return (
    <>
      <ServiceField {...{ query, datasource, range }} onCommit={({ service }) => onCommit({ ...query, service })} />
      <ViewField {...{ query, onCommit }} />
      <ValueField {...{ query, onCommit }} />
      <Options
        summary={[
          history && `learn from ${history}`,
          step && `step ${step}`,
          threshold !== undefined && `event from ${threshold}`,
        ]}
      >
        <DurationField
          label="History"
          placeholder="14d"
          value={history}
          onCommit={(changed) => onCommit({ ...query, history: changed })}
        />
        <DurationField
          label="Step"
          placeholder="from the panel"
          value={step}
          onCommit={(changed) => onCommit({ ...query, step: changed })}
        />
        <NumberField
          label="Score threshold"
          placeholder="75"
          min={0}
          max={100}
          value={threshold}
          onCommit={(changed) => onCommit({ ...query, threshold: changed })}
        />
      </Options>
    </>
  );
}
