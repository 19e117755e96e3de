import React, { useEffect, useState } from 'react';
import { lastValueFrom } from 'rxjs';
import { type DataFrame, type DataQueryRequest, FieldType, type TimeRange } from '@grafana/data';
import { Alert, InlineField, InlineFieldRow, Input, MultiSelect, Select } from '@grafana/ui';
import { type ForesightDataSource } from '../../../src/datasource';
import { type NamesQuery } from '../../../src/query';
import { type ForesightVariables } from '../../../src/variables';
import { requestOf } from './useAnswer';
import { setValue, templates, type Variable } from './templates';

const all = '$__all';

/** Fills the dashboard's variables, in their order: later ones may ask with earlier ones. */
async function load(datasource: ForesightDataSource, range: TimeRange) {
  for (const variable of templates.variables) {
    const chosen = templates.values[variable.name] ?? variable.current.value;
    if (variable.type === 'textbox') {
      templates.values[variable.name] = chosen ?? '';
      continue;
    }
    const names =
      variable.type === 'custom' ? String(variable.query).split(',') : await namesOf(datasource, variable, range);
    templates.options[variable.name] = names;
    const known = [chosen ?? []].flat().filter((one) => one === all || names.includes(one));
    const first = variable.includeAll ? all : names[0];
    const valid = known.length > 0 ? known : [first ?? ''];
    templates.values[variable.name] = variable.multi ? valid : valid[0];
  }
}

async function namesOf(datasource: ForesightDataSource, { query }: Variable, range: TimeRange): Promise<string[]> {
  const request = requestOf({ datasource, targets: [query], range, width: 100 }) as DataQueryRequest<NamesQuery>;
  const support = datasource.variables as unknown as ForesightVariables;
  const { data, error } = await lastValueFrom(support.query(request));
  if (error) {
    throw error;
  }
  const frames: DataFrame[] = data;
  return frames.flatMap(({ fields }) => fields.find(({ type }) => type === FieldType.string)?.values ?? []).sort();
}

interface Props {
  datasource: ForesightDataSource;
  range: TimeRange;
  /** Once all have values, and whenever one changes. */
  onChange: () => void;
}

export function Variables({ datasource, range, onChange }: Props) {
  const [failed, setFailed] = useState<string>();
  const refresh = () =>
    load(datasource, range).then(
      () => {
        setFailed(undefined);
        onChange();
      },
      (problem) => setFailed(problem.message ?? 'The variables have no values.')
    );
  useEffect(() => {
    void refresh();
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [datasource, range]);
  const choose = (name: string, value: string | string[]) => {
    setValue(name, value);
    void refresh();
  };
  return (
    <InlineFieldRow>
      {failed && <Alert severity="error" title={failed} />}
      {templates.variables.map((variable) => (
        <Choice key={variable.name} variable={variable} onChange={(value) => choose(variable.name, value)} />
      ))}
    </InlineFieldRow>
  );
}

function Choice({ variable, onChange }: { variable: Variable; onChange: (value: string | string[]) => void }) {
  const { name, label = name, type, multi, includeAll } = variable;
  const value = templates.values[name];
  const id = `variable-${name}`;
  const names = [...(includeAll ? [all] : []), ...(templates.options[name] ?? [])];
  const options = names.map((one) => ({ value: one, label: one === all ? 'All' : one }));
  if (type === 'textbox') {
    return (
      <InlineField label={label} htmlFor={id}>
        <Input id={id} width={16} defaultValue={value} onBlur={({ currentTarget }) => onChange(currentTarget.value)} />
      </InlineField>
    );
  }
  return (
    <InlineField label={label} htmlFor={id}>
      {multi ? (
        <MultiSelect
          inputId={id}
          options={options}
          value={value as string[]}
          onChange={(chosen) => {
            const named = chosen.map((one) => one.value ?? '').filter((one) => one !== all);
            onChange(named.length > 0 ? named : [all]);
          }}
        />
      ) : (
        <Select
          inputId={id}
          width={24}
          options={options}
          value={value}
          onChange={(chosen) => onChange(chosen.value!)}
        />
      )}
    </InlineField>
  );
}
