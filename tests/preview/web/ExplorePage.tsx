import React, { useState } from 'react';
import { useMeasure } from 'react-use';
import { CoreApp, type DataFrame, type FieldConfigSource, type PreferredVisualisationType } from '@grafana/data';
import { Alert, Button, PanelChrome, Stack } from '@grafana/ui';
import { type ForesightQuery } from '../../../src/query';
import { type DataSources } from './datasources';
import { Notices } from './PanelView';
import { again, Range, rangeOf } from './Range';
import { useAnswer } from './useAnswer';
import { Visualization } from './Visualization';

const types: Partial<Record<PreferredVisualisationType, string>> = {
  graph: 'timeseries',
  nodeGraph: 'nodeGraph',
  flamegraph: 'flamegraph',
};
const plain: FieldConfigSource = { defaults: {}, overrides: [] };

/** Frames that are one picture together: nodes and edges are. */
function pictures(frames: DataFrame[]): Array<[string, DataFrame[]]> {
  const typed = frames.map((frame): [string, DataFrame[]] => {
    const preferred = frame.meta?.preferredVisualisationType;
    return [(preferred && types[preferred]) ?? 'table', [frame]];
  });
  const graph = typed.filter(([type]) => type === 'nodeGraph').flatMap(([, [frame]]) => frame);
  const others = typed.filter(([type]) => type !== 'nodeGraph');
  return graph.length > 0 ? [['nodeGraph', graph], ...others] : others;
}

/** The query editor, and its answer below. */
export function ExplorePage({ datasources }: { datasources: DataSources }) {
  const [datasource] = useState(() => datasources.foresight('foresight'));
  const [query, setQuery] = useState({ refId: 'A', ...datasource.getDefaultQuery(CoreApp.Explore) } as ForesightQuery);
  const [range, setRange] = useState(() => rangeOf('now-1h', 'now'));
  const [liveStreaming, setLive] = useState(false);
  const [run, setRun] = useState(0);
  const [measured, { width }] = useMeasure<HTMLDivElement>();
  const key = [run, range.from.valueOf(), range.to.valueOf(), liveStreaming, width].join();
  const answer = useAnswer(key, { datasource, targets: [query], range, width, app: CoreApp.Explore, liveStreaming });
  const ask = () => {
    setRange(again(range));
    setRun((before) => before + 1);
  };
  const Editor = datasources.plugin.components.QueryEditor!;
  return (
    <Stack direction="column" gap={2}>
      <Stack justifyContent="flex-end">
        <Button
          icon={liveStreaming ? 'pause' : 'play'}
          variant="secondary"
          aria-pressed={liveStreaming}
          onClick={() => setLive(!liveStreaming)}
        >
          Live
        </Button>
        <Range range={range} onChange={setRange} />
        <Button icon="sync" variant="secondary" tooltip="Ask again" onClick={ask} />
      </Stack>
      <Editor app={CoreApp.Explore} {...{ datasource, query, range }} onChange={setQuery} onRunQuery={ask} />
      <div
        ref={measured}
        data-state={answer.state}
        role="region"
        aria-label="Answer"
        style={{ display: 'grid', gap: 8 }}
      >
        {answer.errors.map((error) => (
          <Alert key={error} severity="error" title={error} />
        ))}
        {pictures(answer.frames).map(([type, frames], index) => (
          <PanelChrome
            key={`${type}-${index}`}
            title={frames[0].name}
            titleItems={<Notices texts={frames.flatMap(({ meta }) => meta?.notices?.map(({ text }) => text) ?? [])} />}
            width={width}
            height={frames[0].length > 8 ? 420 : 260}
            loadingState={answer.state}
          >
            {(inner, height) => (
              <Visualization {...{ type, frames, range, height }} width={inner} fieldConfig={plain} />
            )}
          </PanelChrome>
        ))}
      </div>
    </Stack>
  );
}
