import React, { useId } from 'react';
import { Field, TextArea } from '@grafana/ui';
import { type Objective } from '../settings';
import { Folded } from '../Folded';
import { NumberSetting } from './NumberSetting';
import { type EditorProps, withSettings } from './options';
import { useReadOnly } from './readOnly';
import { RowList } from './RowList';
import { TextSetting } from './TextSetting';

/** The objectives of services, whose error budgets are watched. */
export function ObjectiveSettings({ options, onOptionsChange }: EditorProps) {
  const id = useId();
  const readOnly = useReadOnly();
  const { objectives, objectivesYaml } = options.jsonData;
  return (
    <Folded label="Objectives">
      <p>
        An objective is the share of requests that must be good. Those that Sloth and Pyrra record are found without
        settings.
      </p>
      <RowList<Objective>
        noun="objective"
        rows={objectives}
        onRowsChange={(changed) => onOptionsChange(withSettings(options, { objectives: changed }))}
      >
        {(objective, set) => (
          <>
            <TextSetting label="Objective" value={objective.name} onChange={(name) => set({ name })} required />
            <TextSetting
              label="Service"
              description="Its deploys and dependencies are looked at. Leave empty for none."
              value={objective.service}
              onChange={(service) => set({ service })}
            />
            <NumberSetting
              label="Target"
              description="The share of good requests, between 0 and 1."
              placeholder="0.999"
              value={objective.target}
              onChange={(target) => set({ target })}
            />
            <TextSetting
              label="Window"
              placeholder="30d"
              width={20}
              value={objective.window}
              onChange={(window) => set({ window })}
            />
            <TextSetting
              label="Bad requests"
              description="PromQL of requests per second. Without a total: the share of bad requests."
              placeholder='sum(rate(http_requests_total{code=~"5.."}[$__rate_interval]))'
              value={objective.errors}
              onChange={(errors) => set({ errors })}
              error={problem(objective)}
            />
            <TextSetting
              label="Good requests"
              description="In place of the bad ones."
              value={objective.good}
              onChange={(good) => set({ good })}
            />
            <TextSetting
              label="All requests"
              placeholder="sum(rate(http_requests_total[$__rate_interval]))"
              value={objective.total}
              onChange={(total) => set({ total })}
            />
          </>
        )}
      </RowList>
      <Field label="Objectives as YAML" description="SLOs of OpenSLO, or as Grafana's API writes them.">
        <TextArea
          id={id}
          aria-label="Objectives as YAML"
          rows={6}
          cols={80}
          disabled={readOnly}
          value={objectivesYaml ?? ''}
          onChange={({ currentTarget }) =>
            onOptionsChange(withSettings(options, { objectivesYaml: currentTarget.value || undefined }))
          }
        />
      </Field>
    </Folded>
  );
}

/** What the backend would refuse, said while it is written. */
function problem({ errors, good, total }: Objective): string | undefined {
  if (errors && good) {
    return 'Give bad or good requests: not both.';
  }
  return errors || (good && total) ? undefined : 'Give bad requests, or good ones and all.';
}
