import React, { useId } from 'react';
import { Field } from '@grafana/ui';
import { type ImpactQuery } from '../query';
import { DurationField, NumberField, TextField } from './fields';
import { ObjectiveField } from './ObjectiveField';
import { Options } from './Options';
import { Picker } from './Picker';
import { impactViews, measures } from './questions';
import { type BackendProps, ServiceField } from './ServiceFields';
import { ShowPicker } from './ShowPicker';

/** The fields of an impact query. */
export function ImpactFields({ query, onCommit, datasource, range }: BackendProps<ImpactQuery>) {
  const { objective, alerts, budget, failsWithin, demand, replicas, perReplica } = query;
  return (
    <>
      <ServiceField {...{ query, datasource, range }} onCommit={({ service }) => onCommit({ ...query, service })} />
      <ObjectiveField value={objective} onCommit={(changed) => onCommit({ ...query, objective: changed })} />
      <Shown {...{ query, onCommit }} />
      <Options
        summary={[
          alerts && `alerts ${alerts}`,
          budget && `told of within ${budget}`,
          failsWithin && `failed within ${failsWithin}`,
          demand && 'capacity',
        ]}
      >
        <TextField
          label="Alerts"
          placeholder="all"
          value={alerts}
          onCommit={(changed) => onCommit({ ...query, alerts: changed })}
        />
        <DurationField
          label="Detected within"
          placeholder="15m"
          value={budget}
          onCommit={(changed) => onCommit({ ...query, budget: changed })}
        />
        <DurationField
          label="Deploy failed within"
          placeholder="1h"
          value={failsWithin}
          onCommit={(changed) => onCommit({ ...query, failsWithin: changed })}
        />
        <TextField
          label="Demand"
          placeholder="PromQL of the load"
          width={40}
          value={demand}
          onCommit={(changed) => onCommit({ ...query, demand: changed })}
        />
        <TextField
          label="Replicas"
          placeholder="PromQL of the replicas"
          width={40}
          value={replicas}
          onCommit={(changed) => onCommit({ ...query, replicas: changed })}
        />
        <NumberField
          label="Demand per replica"
          min={0}
          value={perReplica}
          onCommit={(changed) => onCommit({ ...query, perReplica: changed })}
        />
      </Options>
    </>
  );
}

/** What a panel shows, or the number that a rule gets. */
function Shown({ query, onCommit }: Pick<BackendProps<ImpactQuery>, 'query' | 'onCommit'>) {
  const id = useId();
  if (query.format === 'alert') {
    return (
      <Field label="Measure" htmlFor={id} noMargin>
        <Picker
          id={id}
          width={30}
          options={measures}
          value={query.measure ?? 'precision'}
          onChange={(option) => option && onCommit({ ...query, measure: option.value })}
        />
      </Field>
    );
  }
  return <ShowPicker options={impactViews} value={query.view} onChange={(view) => onCommit({ ...query, view })} />;
}
