import React, { useCallback, useId } from 'react';
import { type TimeRange } from '@grafana/data';
import { getTemplateSrv } from '@grafana/runtime';
import { type ComboboxOption, Field } from '@grafana/ui';
import { type NamesQuery } from '../query';
import { type Source } from '../source';
import { Picker } from './Picker';

interface Props {
  datasource: Source;
  list: NamesQuery['queryType'];
  label: string;
  /** Whose operations or versions. */
  service?: string | string[];
  range?: TimeRange;
  value: string | string[] | undefined;
  placeholder: string;
  onChange: (name: string | undefined) => void;
}

/** A name out of those that the backend lists, a dashboard variable, or one typed in. */
export function NamePicker({ datasource, list, label, service: of, range, value, placeholder, onChange }: Props) {
  const service = asText(of);
  const id = useId();
  const load = useCallback(
    async (input: string): Promise<ComboboxOption[]> => {
      const templates = getTemplateSrv();
      const names = await datasource.names(list, service && templates.replace(service), range);
      const variables = templates.getVariables().map(({ name }) => `$${name}`);
      return [...names, ...variables]
        .filter((name) => name.includes(input))
        .map((name) => ({ value: name, label: name }));
    },
    [datasource, list, service, range]
  );
  return (
    <Field label={label} htmlFor={id} noMargin>
      <Picker
        id={id}
        // Another service has other names: forget those that were loaded.
        key={service}
        width={28}
        isClearable
        createCustomValue
        options={load}
        placeholder={placeholder}
        value={asText(value) ?? null}
        onChange={(option) => onChange(option?.value || undefined)}
      />
    </Field>
  );
}

/** Several names as the backend reads them from one text. */
function asText(names: string | string[] | undefined): string | undefined {
  return Array.isArray(names) ? `{${names.join(',')}}` : names;
}
