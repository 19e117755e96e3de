import React from 'react';
import { type QueryEditorProps } from '@grafana/data';
import { Field, RadioButtonGroup, Stack } from '@grafana/ui';
import { type ForesightQuery, type NamesQuery, SCHEMA_VERSION } from '../query';
import { type ForesightSettings } from '../settings';
import { type Source } from '../source';
import { lists } from './questions';
import { ServiceField } from './ServiceFields';

type Props = QueryEditorProps<Source, ForesightQuery, ForesightSettings, NamesQuery>;

/** What a dashboard variable lists. */
export function VariableQueryEditor({ datasource, query: given, onChange, range }: Props) {
  const query = { ...given, queryType: given.queryType ?? 'services', schemaVersion: SCHEMA_VERSION } as NamesQuery;
  return (
    <Stack direction="row" gap={2} wrap="wrap">
      <Field label="List" noMargin>
        <RadioButtonGroup
          aria-label="List"
          options={lists}
          value={query.queryType}
          onChange={(queryType) => onChange({ ...query, queryType } as NamesQuery)}
        />
      </Field>
      {(query.queryType === 'operations' || query.queryType === 'versions') && (
        <ServiceField {...{ query, datasource, range }} onCommit={(changed) => onChange(changed as NamesQuery)} />
      )}
    </Stack>
  );
}
