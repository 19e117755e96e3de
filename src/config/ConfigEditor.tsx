import React from 'react';
import { ControlledCollapse, FieldSet } from '@grafana/ui';
import { LimitSettings } from './LimitSettings';
import { compact, type EditorProps, withSettings } from './options';
import { type ForesightSettings } from '../settings';
import { SecretField } from './SecretField';
import { TextSetting } from './TextSetting';
import { UpstreamSettings } from './UpstreamSettings';

/** The plugins whose data sources speak Prometheus' API. */
const prometheusTypes = ['prometheus', 'grafana-amazonprometheus-datasource', 'grafana-azureprometheus-datasource'];

export function ConfigEditor(props: EditorProps) {
  const { prometheus, traces } = props.options.jsonData;
  const throughGrafana = prometheus?.mode === 'grafana' || traces?.mode === 'grafana';
  return (
    <>
      <UpstreamSettings
        {...props}
        name="prometheus"
        title="Metrics"
        description="Prometheus, Mimir, Thanos, VictoriaMetrics or another server with Prometheus' API."
        urlPlaceholder="http://prometheus:9090"
        types={prometheusTypes}
      />
      <UpstreamSettings
        {...props}
        name="traces"
        title="Traces"
        description="Tempo. Without it, Foresight answers about metrics alone."
        urlPlaceholder="http://tempo:3200"
        types={['tempo']}
      />
      {throughGrafana ? (
        <FieldSet label="Grafana">
          <GrafanaSettings {...props} />
        </FieldSet>
      ) : (
        <ControlledCollapse label="Grafana">
          <GrafanaSettings {...props} />
        </ControlledCollapse>
      )}
      <LimitSettings {...props} />
    </>
  );
}

/** The settings of deploys with other tags; without any the default holds. */
function withTags(deploys: ForesightSettings['deploys'], text: string): ForesightSettings['deploys'] {
  const annotationTags = text.split(',').map((tag) => tag.trim());
  return { ...deploys, annotationTags: annotationTags.some(Boolean) ? annotationTags : undefined };
}

function GrafanaSettings(props: EditorProps) {
  const { options, onOptionsChange } = props;
  return (
    <>
      <TextSetting
        label="Grafana URL"
        description="As this Grafana reaches itself; empty for its own root URL."
        type="url"
        placeholder="http://localhost:3000"
        value={options.jsonData.grafana?.url}
        onChange={(url) => onOptionsChange(withSettings(options, { grafana: compact({ url: url.trim() }) }))}
      />
      <SecretField
        {...props}
        name="grafanaToken"
        label="Service account token"
        description="May query the chosen data sources, and read annotations. Everyone who can query Foresight can then read their data through it."
      />
      <TextSetting
        label="Deploy annotations"
        description="Tags, with commas between them, of the annotations that announce deploys. Needs the token."
        placeholder="deploy"
        value={options.jsonData.deploys?.annotationTags?.join(', ')}
        onChange={(text) =>
          onOptionsChange(withSettings(options, { deploys: withTags(options.jsonData.deploys, text) }))
        }
      />
    </>
  );
}
