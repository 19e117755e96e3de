import React, { useMemo } from 'react';
import { type DataFrame, type FieldConfigSource, type ScopedVars, type TimeRange } from '@grafana/data';
import { TableCellHeight } from '@grafana/schema';
import { Table, useTheme2 } from '@grafana/ui';
import { configured } from './fields';
import { FlameGraph } from './FlameGraph';
import { Graph } from './Graph';
import { NodeGraph } from './NodeGraph';
import { Values } from './Values';

interface Props {
  type: string;
  frames: DataFrame[];
  annotations?: DataFrame[];
  fieldConfig: FieldConfigSource;
  options?: Record<string, any>;
  scopedVars?: ScopedVars;
  range: TimeRange;
  width: number;
  height: number;
}

const nothing: DataFrame[] = [];
const noVariables: ScopedVars = {};

/** What is not drawn as in Grafana says so. */
export const simplified: Record<string, string> = {
  gauge: 'The preview draws bars where Grafana draws a dial.',
  'state-timeline': 'The preview draws lines where Grafana draws a timeline.',
  barchart: 'The preview draws a table where Grafana draws bars.',
  nodeGraph: 'A plain drawing; Grafana has a node graph to move about in.',
  flamegraph: 'A plain drawing; Grafana has a flame graph to search and zoom.',
};

/** Frames as a panel of a type shows them. */
export function Visualization(props: Props) {
  const {
    type,
    annotations = nothing,
    fieldConfig,
    options = {},
    scopedVars = noVariables,
    range,
    width,
    height,
  } = props;
  const theme = useTheme2();
  const frames = useMemo(
    () => configured(props.frames, fieldConfig, theme, scopedVars),
    [props.frames, fieldConfig, theme, scopedVars]
  );
  const size = { width, height };
  if (frames.every((frame) => frame.length === 0)) {
    return <p>{fieldConfig.defaults.noValue ?? 'No data'}</p>;
  }
  switch (type) {
    case 'timeseries':
    case 'state-timeline':
      return <Graph {...{ frames, annotations, range, ...size }} />;
    case 'table':
    case 'barchart':
      return <Table {...size} data={frames[0]} cellHeight={TableCellHeight.Sm} initialSortBy={options.sortBy} />;
    case 'nodeGraph':
      return <NodeGraph frames={frames} {...size} />;
    case 'flamegraph':
      return <FlameGraph frame={frames[0]} {...size} />;
    default:
      return <Values {...{ type, frames, fieldConfig, options, scopedVars, ...size }} />;
  }
}
