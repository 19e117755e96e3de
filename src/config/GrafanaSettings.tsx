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
      <SwitchSetting
        label="Deploys by versions"
        description="A service.version that is new in traces is a deploy."
        value={options.jsonData.deploys?.fromVersions ?? true}
        onChange={(fromVersions) =>
          onOptionsChange(withSettings(options, { deploys: { ...options.jsonData.deploys, fromVersions } }))
        }
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
