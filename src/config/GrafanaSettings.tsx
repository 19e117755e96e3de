import React from 'react';
import { type ForesightSettings } from '../settings';
import { compact, type EditorProps, withSettings } from './options';
import { SecretField } from './SecretField';
import { SwitchSetting } from './SwitchSetting';
import { TextSetting } from './TextSetting';

/** The settings of deploys with other tags; without any the default holds. */
function withTags(deploys: ForesightSettings['deploys'], text: string): ForesightSettings['deploys'] {
  const annotationTags = text.split(',').map((tag) => tag.trim());
  return { ...deploys, annotationTags: annotationTags.some(Boolean) ? annotationTags : undefined };
}

/** How Grafana itself is asked, and where deploys are known from. */
export function GrafanaSettings(props: EditorProps) {
  const { options, onOptionsChange } = props;
  const { prometheus, traces } = options.jsonData;
  return (
    <>
      <TextSetting
        label="Grafana URL"
        description="Address at which Grafana reaches itself. Default: its root URL."
        type="url"
        placeholder="http://localhost:3000"
        value={options.jsonData.grafana?.url}
        onChange={(url) => onOptionsChange(withSettings(options, { grafana: compact({ url: url.trim() }) }))}
      />
      <SecretField
        {...props}
        name="grafanaToken"
        label="Service account token"
        required={prometheus?.mode === 'grafana' || traces?.mode === 'grafana'}
        description="Needs permission to query the chosen data sources and to read annotations. Everyone who can query Foresight can read their data through it."
      />
      <SwitchSetting
        label="Detect deploys from versions"
        description="A new service.version in traces counts as a deploy."
        value={options.jsonData.deploys?.fromVersions ?? true}
        onChange={(fromVersions) =>
          onOptionsChange(withSettings(options, { deploys: { ...options.jsonData.deploys, fromVersions } }))
        }
      />
      <TextSetting
        label="Deploy annotations"
        description="Comma-separated tags of annotations that mark deploys. Requires the token."
        placeholder="deploy"
        value={options.jsonData.deploys?.annotationTags?.join(', ')}
        onChange={(text) =>
          onOptionsChange(withSettings(options, { deploys: withTags(options.jsonData.deploys, text) }))
        }
      />
    </>
  );
}
