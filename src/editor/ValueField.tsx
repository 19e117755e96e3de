import React from 'react';
import { Field, RadioButtonGroup } from '@grafana/ui';
import { type AnomalyQuery, type BreachQuery, type CompositeQuery } from '../query';
import { type FieldsProps } from './fields';

type Valued = AnomalyQuery | BreachQuery | CompositeQuery;
type Value = NonNullable<Valued['value']>;

/** What the numbers of a rule mean, and the condition to begin with. */
const meanings: Record<Value, (queryType: Valued['queryType']) => string> = {
  firing: () => '1 while the query’s own threshold is crossed, else 0. Condition: is above 0.',
  number: (queryType) =>
    queryType === 'breach'
      ? 'The probability, 0 to 1. Condition: is above 0.8, recovers below 0.5.'
      : 'The score, 0 to 100. Condition: is above 75, recovers below 45.',
};

/** The number that a rule gets. */
export function ValueField<T extends Valued>({ query, onCommit }: FieldsProps<T>) {
  if (query.format !== 'alert') {
    return null;
  }
  const value = query.value ?? 'number';
  return (
    <Field label="Value" description={meanings[value](query.queryType)} noMargin>
      <RadioButtonGroup<Value>
        aria-label="Value"
        options={[
          { value: 'firing', label: 'Firing (0 or 1)' },
          { value: 'number', label: query.queryType === 'breach' ? 'Probability' : 'Score' },
        ]}
        value={value}
        onChange={(chosen) => onCommit({ ...query, value: chosen })}
      />
    </Field>
  );
}

type Viewed = BreachQuery | CompositeQuery;

/** Whether a panel draws lines, or tells the answer of now. */
export function ViewField<T extends Viewed>({ query, onCommit }: FieldsProps<T>) {
  if ((query.format ?? 'panel') !== 'panel') {
    return null;
  }
  return (
    <Field label="Show" noMargin>
      <RadioButtonGroup<NonNullable<Viewed['view']>>
        aria-label="Show"
        options={[
          { value: 'graph', label: 'Graph' },
          { value: 'table', label: 'Table' },
        ]}
        value={query.view ?? 'graph'}
        onChange={(view) => onCommit({ ...query, view })}
      />
    </Field>
  );
}

/** Whether the rule's number can be a state. */
export function isValued(queryType: string): queryType is Valued['queryType'] {
  return ['anomaly', 'breach', 'composite'].includes(queryType);
}
