import React, { useId } from 'react';
import { Field } from '@grafana/ui';
import { type BudgetQuery } from '../query';
import { DurationField, NumberField, TextField } from './fields';
import { NamePicker } from './NamePicker';
import { Options } from './Options';
import { Picker } from './Picker';
import { budgetMeasures, budgetViews } from './questions';
import { type BackendProps, ServiceField } from './ServiceFields';
import { ShowPicker } from './ShowPicker';

/** Which objective, found or given here, and what to see of its budget. */
export function BudgetFields({ query, onCommit, datasource, range }: BackendProps<BudgetQuery>) {
  const { objective, target, window, errors, good, total, latency, horizon } = query;
  const set = (change: Partial<BudgetQuery>) => onCommit({ ...query, ...change });
  const own = Boolean(target);
  return (
    <>
      <ServiceField {...{ query, datasource, range }} onCommit={({ service }) => set({ service })} />
      <NamePicker
        {...{ datasource, range }}
        list="objectives"
        label="Objective"
        placeholder="Every objective"
        value={objective}
        onChange={(name) => set({ objective: name })}
      />
      <Shown {...{ query, onCommit }} />
      <Options
        summary={[
          own && `target ${target}`,
          own && window && `over ${window}`,
          latency && `within ${latency}`,
          (errors || good) && 'its own PromQL',
          horizon && `${horizon} ahead`,
        ]}
      >
        <NumberField
          label="Target"
          description="For an objective of this query."
          min={0}
          max={1}
          value={target}
          onCommit={(changed) => set({ target: changed })}
        />
        <DurationField
          label="Window"
          placeholder="30d"
          value={window}
          onCommit={(changed) => set({ window: changed })}
        />
        <DurationField
          label="Good within"
          placeholder="no limit"
          value={latency}
          onCommit={(changed) => set({ latency: changed })}
        />
        <TextField
          label="Bad requests"
          placeholder="PromQL per second"
          width={40}
          value={errors}
          onCommit={(changed) => set({ errors: changed })}
        />
        <TextField
          label="Good requests"
          placeholder="in place of the bad ones"
          width={40}
          value={good}
          onCommit={(changed) => set({ good: changed })}
        />
        <TextField
          label="All requests"
          placeholder="PromQL per second"
          width={40}
          value={total}
          onCommit={(changed) => set({ total: changed })}
        />
        <DurationField
          label="Horizon"
          placeholder="3d"
          value={horizon}
          onCommit={(changed) => set({ horizon: changed })}
        />
      </Options>
    </>
  );
}

/** The part of the answer that a panel shows, or the number that a rule gets. */
function Shown({ query, onCommit }: Pick<BackendProps<BudgetQuery>, 'query' | 'onCommit'>) {
  const id = useId();
  if (query.format !== 'alert') {
    return <ShowPicker options={budgetViews} value={query.view} onChange={(view) => onCommit({ ...query, view })} />;
  }
  return (
    <Field label="Measure" htmlFor={id} noMargin>
      <Picker
        id={id}
        width={30}
        options={budgetMeasures}
        value={query.measure ?? 'probability'}
        onChange={(option) => option && onCommit({ ...query, measure: option.value })}
      />
    </Field>
  );
}
