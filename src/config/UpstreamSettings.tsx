import React, { useId } from 'react';
import { DataSourcePicker } from '@grafana/runtime';
import { Field, FieldSet, RadioButtonGroup } from '@grafana/ui';
import { type Upstream, type UpstreamName } from '../settings';
import { AuthenticationSettings } from './AuthenticationSettings';
import { ChoiceSetting } from './ChoiceSetting';
import { HeaderSettings } from './HeaderSettings';
import { compact, type EditorProps, withSettings } from './options';
import { useReadOnly } from './readOnly';
import { TextSetting } from './TextSetting';
import { TlsSettings } from './TlsSettings';
import { Folded } from '../Folded';

interface Props extends EditorProps {
  name: UpstreamName;
  title: string;
  description: string;
  urlPlaceholder: string;
  /** The plugins whose data sources can stand in. */
  types: string[];
  /** What else is asked of this server, before how it is reached. */
  children?: React.ReactNode;
  /** And after it. */
  afterwards?: React.ReactNode;
}

const modes: Array<{ value: NonNullable<Upstream['mode']>; label: string }> = [
  { value: 'direct', label: 'By URL' },
  { value: 'grafana', label: 'Existing data source' },
];

const methods: Array<{ value: NonNullable<Upstream['httpMethod']>; label: string }> = [
  { value: 'POST', label: 'POST' },
  { value: 'GET', label: 'GET' },
];

/** What is wrong with an address, as far as it can be seen. */
function addressProblem(url?: string): string | undefined {
  return !url || /^https?:\/\/./.test(url) || url.includes('$') ? undefined : 'Begin with http:// or https://.';
}

/** How one server is reached. */
export function UpstreamSettings({
  name,
  title,
  description,
  urlPlaceholder,
  types,
  children,
  afterwards,
  ...editor
}: Props) {
  const { options, onOptionsChange } = editor;
  const pickerId = useId();
  const readOnly = useReadOnly();
  const upstream: Upstream = options.jsonData[name] ?? {};
  const mode = upstream.mode ?? 'direct';
  const onUpstreamChange = (change: Partial<Upstream>) =>
    onOptionsChange(withSettings(options, { [name]: compact({ ...upstream, ...change }) }));
  const shared = { options, onOptionsChange, name, onUpstreamChange };

  return (
    <FieldSet label={title}>
      <p>{description}</p>
      {children}
      <Field label="Connect">
        <RadioButtonGroup
          aria-label={`Connect ${title}`}
          options={modes}
          value={mode}
          disabled={readOnly}
          onChange={(chosen) => onUpstreamChange({ mode: chosen })}
        />
      </Field>
      {mode === 'grafana' ? (
        <Field
          label="Data source"
          required
          description="Queried through Grafana, with the service account token below."
          htmlFor={pickerId}
        >
          <DataSourcePicker
            inputId={pickerId}
            type={types}
            noDefault
            disabled={readOnly}
            width={60}
            current={upstream.uid ?? null}
            onChange={({ uid }) => onUpstreamChange({ uid })}
          />
        </Field>
      ) : (
        <>
          <TextSetting
            label="URL"
            type="url"
            placeholder={urlPlaceholder}
            value={upstream.url}
            error={addressProblem(upstream.url)}
            onChange={(url) => onUpstreamChange({ url: url.trim() })}
          />
          <AuthenticationSettings {...shared} />
          <Folded label="HTTP, tenant, TLS and proxy">
            <TextSetting
              label="Tenant"
              description="Sent as X-Scope-OrgID to a multi-tenant server."
              value={upstream.tenant}
              onChange={(tenant) => onUpstreamChange({ tenant })}
            />
            <TextSetting
              label="Custom query parameters"
              description="Added to the URL of each request, for example dedup=true&partial_response=false for Thanos."
              value={upstream.customQueryParameters}
              onChange={(customQueryParameters) => onUpstreamChange({ customQueryParameters })}
            />
            {name === 'prometheus' && (
              <ChoiceSetting
                label="HTTP method"
                choices={methods}
                value={upstream.httpMethod ?? 'POST'}
                onChange={(httpMethod) =>
                  onUpstreamChange({ httpMethod: httpMethod === 'POST' ? undefined : httpMethod })
                }
              />
            )}
            <HeaderSettings {...shared} />
            <TlsSettings {...shared} />
          </Folded>
        </>
      )}
      {afterwards}
      {name === 'prometheus' && (
        <TextSetting
          label="Scrape interval"
          description="How often metrics are scraped. Leave empty to learn it from the samples."
          placeholder="learned"
          width={20}
          value={upstream.scrapeInterval}
          onChange={(scrapeInterval) => onUpstreamChange({ scrapeInterval: scrapeInterval.trim() })}
        />
      )}
    </FieldSet>
  );
}
