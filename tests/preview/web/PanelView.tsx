import React from 'react';
import { type DataFrame, LoadingState, type ScopedVars, type TimeRange } from '@grafana/data';
import { Alert, Icon, PanelChrome, Tooltip } from '@grafana/ui';
import { type ForesightDataSource } from '../../../src/datasource';
import { type Panel } from './dashboard';
import { templates } from './templates';
import { useAnswer } from './useAnswer';
import { simplified, Visualization } from './Visualization';

interface Props {
  panel: Panel;
  datasource: ForesightDataSource;
  range: TimeRange;
  annotations: DataFrame[];
  scopedVars: ScopedVars;
  width: number;
  height: number;
}

/** Panels that Grafana gives all of their room. */
const unpadded = ['stat', 'table'];

/** One panel of a dashboard, with what its query says beside the picture. */
export function PanelView({ panel, datasource, range, annotations, scopedVars, width, height }: Props) {
  const { targets, transformations, fieldConfig, options, type } = panel;
  const variables = JSON.stringify([templates.values, templates.options, scopedVars]);
  const key = [variables, range.from.valueOf(), range.to.valueOf(), width].join();
  const answer = useAnswer(key, {
    datasource,
    targets,
    transformations,
    range,
    width,
    scopedVars,
    panelPluginId: type,
  });
  const title = templates.replace(panel.title, scopedVars);
  const notices = answer.frames.flatMap(({ meta }) => meta?.notices?.map(({ text }) => text) ?? []);
  const asked = answer.state !== LoadingState.NotStarted && answer.state !== LoadingState.Loading;
  return (
    <section aria-label={title} data-state={answer.state}>
      <PanelChrome
        title={title}
        description={panel.description && templates.replace(panel.description, scopedVars)}
        width={width}
        height={height}
        padding={unpadded.includes(type) ? 'none' : 'md'}
        loadingState={answer.state}
        titleItems={<Notices texts={[...new Set(notices), ...(simplified[type] ? [simplified[type]] : [])]} />}
      >
        {(innerWidth, innerHeight) => {
          if (answer.errors.length > 0) {
            return <Alert severity="error" title={answer.errors.join('\n')} />;
          }
          if (!asked && answer.frames.length === 0) {
            return <></>;
          }
          const size = { width: innerWidth, height: innerHeight };
          return (
            <Visualization
              {...{ type, fieldConfig, options, range, annotations, scopedVars }}
              {...size}
              frames={answer.frames}
            />
          );
        }}
      </PanelChrome>
    </section>
  );
}

/** What the data source wants known, and where the picture is plainer than Grafana's. */
export function Notices({ texts }: { texts: string[] }) {
  return texts.length === 0 ? null : (
    <Tooltip content={texts.join('\n')}>
      <Icon name="info-circle" tabIndex={0} title="What the data source wants known" />
    </Tooltip>
  );
}
